"""A step is what a strategy does in one slot."""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.core.slot_mode import SlotMode
from holdfast.scheduling.strategies.outlook import Outlook


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyStep:
    """Tells what the battery does in one slot, and why."""

    mode: SlotMode
    battery_power_w: float = 0.0
    """It counts in mode POWER, + charging."""
    reason: str


Rule = Callable[[Outlook, int, float], StrategyStep]
"""Tells the step of a slot, by its number, with so many Wh stored when it begins."""


def follows(reason: str) -> StrategyStep:
    """Returns the step that keeps the grid connection at 0 W."""
    return StrategyStep(mode=SlotMode.SELF_CONSUMPTION, reason=reason)


def holds(reason: str) -> StrategyStep:
    """Returns the step that stores surplus, and serves no load."""
    return StrategyStep(mode=SlotMode.HOLD, reason=reason)


def charges(outlook: Outlook, reason: str, power_w: float = float("inf")) -> StrategyStep:
    """Returns the step that buys with ``power_w``, or with all the battery takes."""
    most_w = outlook.problem.battery.charge_max_w
    return StrategyStep(mode=SlotMode.POWER, battery_power_w=min(power_w, most_w), reason=reason)


def sells(outlook: Outlook, reason: str) -> StrategyStep:
    """Returns the step that gives all the battery can."""
    power_w = -outlook.problem.battery.discharge_max_w
    return StrategyStep(mode=SlotMode.POWER, battery_power_w=power_w, reason=reason)


def rests(reason: str) -> StrategyStep:
    """Returns the step that leaves load and surplus to the grid."""
    return StrategyStep(mode=SlotMode.POWER, reason=reason)
