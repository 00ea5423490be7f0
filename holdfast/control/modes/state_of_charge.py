"""A state of charge is reached at the end of the slot, evenly over the time that is left."""

from holdfast.control.modes.wish import ModeView, ModeWish

_S_PER_H = 3600.0
LEAST_S = 60.0
"""Close to its end a slot asks for no more than reaches the target in this time."""
NEAR_PCT = 0.2
"""A target is reached that near: no battery tells its state of charge better."""


def state_of_charge(view: ModeView) -> ModeWish:
    """Charges or discharges towards the target; rests where it is reached, or nothing is known."""
    target_pct = view.terms.soc_target_pct
    if view.soc_pct is None or target_pct is None:
        return ModeWish(power_w=0.0, low_w=0.0, high_w=0.0)
    missing_pct = target_pct - view.soc_pct
    if abs(missing_pct) <= NEAR_PCT:
        return ModeWish(power_w=0.0, low_w=0.0, high_w=0.0)
    missing_wh = missing_pct / 100.0 * view.capacity_wh
    left_s = max(view.left_s or LEAST_S, LEAST_S)
    power_w = missing_wh * _S_PER_H / left_s
    if power_w > 0.0:
        return ModeWish(power_w=min(power_w, view.charge_max_w), low_w=0.0)
    return ModeWish(power_w=max(power_w, -view.discharge_max_w), high_w=0.0)
