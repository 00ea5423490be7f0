"""Self-consumption keeps the grid connection at 0 W."""


def self_consumption_w(rest_w: float) -> float:
    """Returns the battery power, in W, that leaves nothing for the grid to do."""
    return -rest_w


def hold_w(rest_w: float) -> float:
    """Returns the battery power, in W, that stores surplus, but serves no load."""
    return max(-rest_w, 0.0)
