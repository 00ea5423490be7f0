"""A fixed power is held whatever load and PV do; to rest is to hold none."""

from holdfast.control.modes.wish import ModeView, ModeWish


def power(view: ModeView) -> ModeWish:
    """Holds the power that was asked for."""
    return ModeWish(power_w=view.power_w)


def passive(view: ModeView) -> ModeWish:  # noqa: ARG001 - as all modes are asked
    """Rests."""
    return ModeWish(power_w=0.0, low_w=0.0, high_w=0.0)
