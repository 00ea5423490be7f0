"""Charging alone, as far as a target, or until the battery is full.

How much of it the cells bear at their temperature, and the grid connection beside the load, is said
by the safety path and by the limits at the meter: such a mode asks for what it was told.
"""

from holdfast.control.modes.wish import ModeView, ModeWish, never_discharging

KEPT_FULL_PCT = 100.0


def charge_only(view: ModeView) -> ModeWish:
    """Charges with the power that was asked for, or all there is, until the target is reached."""
    return _up_to(view, view.terms.soc_target_pct)


def full_charge(view: ModeView) -> ModeWish:
    """Charges until the BMS takes no more: whatever it still takes evens out the cells."""
    return _up_to(view, KEPT_FULL_PCT)


def _up_to(view: ModeView, target_pct: float | None) -> ModeWish:
    if target_pct is not None and (view.soc_pct is None or not view.soc_pct < target_pct):
        return never_discharging(0.0)
    return never_discharging(view.power_w if view.power_w > 0.0 else view.charge_max_w)
