"""Self-consumption keeps the grid connection at 0 W, or at a power that was asked for."""

from holdfast.control.modes.wish import ModeView, ModeWish


def self_consumption(view: ModeView) -> ModeWish:
    """Leaves the grid its target, and the rest to the battery."""
    return ModeWish(power_w=(view.terms.grid_target_w or 0.0) - view.rest_w, at_meter=True)
