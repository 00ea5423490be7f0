"""What is stored has a worth, which the plan hands over as four states of charge.

It knows what a stored kWh is worth at each state of charge, and the prices of the slot: so it is
known up to where buying or storing pays, and down to where serving or selling does. What happens
at the meter is answered by these at once, whatever the forecast was.
"""

from holdfast.control.modes.wish import ModeView, ModeWish

_TAPER_H = 1.0 / 60.0
"""A mark is reached within a minute at the earliest: close to it power becomes less, so that
nothing runs past it and back."""


def stored_value(view: ModeView) -> ModeWish:
    """Follows load and PV between the marks; buys below and sells above them.

    Where the state of charge is not known it follows load and PV, as the local rule does.
    """
    soc_pct, terms = view.soc_pct, view.terms
    if soc_pct is None or terms.serve_above_pct is None:
        return ModeWish(power_w=-view.rest_w, at_meter=True)

    def up_w(mark_pct: float | None) -> float:
        return 0.0 if mark_pct is None else _towards_w(view, mark_pct - soc_pct, view.charge_max_w)

    def down_w(mark_pct: float | None) -> float:
        if mark_pct is None:
            return 0.0
        return _towards_w(view, soc_pct - mark_pct, view.discharge_max_w)

    stores_w = view.charge_max_w if terms.store_below_pct is None else up_w(terms.store_below_pct)
    buys_w, sells_w = up_w(terms.buy_below_pct), down_w(terms.sell_above_pct)
    power_w = min(max(-view.rest_w, -down_w(terms.serve_above_pct)), stores_w)
    if buys_w > 0.0:
        power_w = max(power_w, buys_w)
    elif sells_w > 0.0:
        power_w = min(power_w, -sells_w)
    return ModeWish(power_w=power_w, at_meter=power_w == -view.rest_w)


def _towards_w(view: ModeView, missing_pct: float, most_w: float) -> float:
    """Returns the power that goes towards a mark; 0 W beyond it."""
    missing_wh = max(missing_pct, 0.0) / 100.0 * view.capacity_wh
    return min(missing_wh / _TAPER_H, most_w)
