"""This module says how a plan over measured data is to end."""

from enum import StrEnum


class Final(StrEnum):
    """Tells what the battery is to hold at the end."""

    AT_LEAST_INITIAL = "at-least-initial"
    FREE = "free"
    """It holds whatever pays; what is left is worth nothing."""
