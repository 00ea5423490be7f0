"""The PV optimizer keeps room for the sun that is to come.

Below the ceiling surplus is stored. Above it only what the connection may not export is: so nothing
is cut at noon for a battery that was full by ten. What PV earns less than nothing with is not its
matter: that the plan throttles, by the price.
"""

from holdfast.control.modes.wish import ModeView, ModeWish


def pv_optimizer(view: ModeView) -> ModeWish:
    """Follows load and PV; above the ceiling it stores only what would be cut."""
    wish_w = -view.rest_w
    ceiling_pct = view.terms.soc_ceiling_pct
    if wish_w <= 0.0 or ceiling_pct is None or view.soc_pct is None:
        return ModeWish(power_w=wish_w, at_meter=True)
    if view.soc_pct < ceiling_pct:
        return ModeWish(power_w=wish_w, at_meter=True)
    return ModeWish(
        power_w=max(wish_w - view.export_max_w, 0.0), at_meter=wish_w > view.export_max_w
    )
