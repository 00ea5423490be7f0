"""Words of an explanation: names, powers, directions."""

import math
import re

from holdfast.core.signals import SIGNALS, Signal
from holdfast.monitoring.situation import Situation, UnitSituation

SAME_W = 1.0
_SIGNAL_NAMES = re.compile(r"(?<!\()\b(" + "|".join(sorted(Signal, key=len, reverse=True)) + r")\b")


def plain(text: str) -> str:
    """``text`` with the names of signals in words.

    >>> plain("soc_pct above 95 %: 96")
    'state of charge above 95 %: 96'
    """
    return _SIGNAL_NAMES.sub(lambda found: SIGNALS[Signal(found[0])].meaning, text)


def unit_name(unit: UnitSituation, situation: Situation) -> str:
    """What people call it."""
    return "the battery" if len(situation.units) == 1 else f"unit {unit.name}"


def capital(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def watts(power_w: float | None) -> str:
    """A magnitude, for people."""
    if power_w is None or not math.isfinite(power_w):
        return "an unknown power"
    return f"{abs(round(power_w)):,} W"


def verb(power_w: float) -> str:
    """What a power does."""
    return "charge" if power_w > 0.0 else "discharge"


def to_power(power_w: float | None) -> str:
    """What a unit is asked to do."""
    if power_w is None or not math.isfinite(power_w):
        return "for an unknown power"
    return "to rest" if abs(power_w) < SAME_W else f"to {verb(power_w)} with {watts(power_w)}"
