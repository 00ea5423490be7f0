"""Fixed hours: buys from 0 to 6, and serves the load from 17 to 23, on the site's clock."""

from holdfast.scheduling.strategies.outlook import Outlook
from holdfast.scheduling.strategies.step import StrategyStep, charges, follows, holds

NIGHT_H, EVENING_H = range(6), range(17, 23)
"""They are the hours of a night tariff, and of the evening when people are at home."""


def fixed_hours(outlook: Outlook, slot: int, stored_wh: float) -> StrategyStep:  # noqa: ARG001 - as all
    """Returns what to do in ``slot``."""
    hour = outlook.local[slot].hour
    if hour in NIGHT_H:
        return charges(outlook, "night: charges")
    if hour in EVENING_H:
        return follows("evening: serves the load")
    return holds("by the clock: stores surplus")
