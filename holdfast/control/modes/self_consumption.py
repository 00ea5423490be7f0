"""Self-consumption: keep the grid connection at 0 W."""


def self_consumption_w(rest_w: float) -> float:
    """Battery power that leaves nothing for the grid to do."""
    return -rest_w


def hold_w(rest_w: float) -> float:
    """Battery power that stores surplus, but serves no load."""
    return max(-rest_w, 0.0)
