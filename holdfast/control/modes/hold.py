"""Hold stores surplus and serves no load, but what the meter may not import."""

from holdfast.control.modes.wish import ModeView, ModeWish, never_discharging


def hold(view: ModeView) -> ModeWish:
    """Stores the surplus."""
    surplus_w = -view.rest_w
    return never_discharging(surplus_w, at_meter=surplus_w > 0.0)
