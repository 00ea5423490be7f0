"""This module has the words of an explanation: names, powers, directions."""

import math
import re

from holdfast.core.signals import SIGNALS, Signal
from holdfast.monitoring.explain.situation import Situation
from holdfast.monitoring.quantities.quantity import Quantity

SAME_W = 1.0
_SIGNAL_NAMES = re.compile(r"(?<!\()\b(" + "|".join(sorted(Signal, key=len, reverse=True)) + r")\b")


def plain(text: str) -> str:
    """Returns ``text`` with the names of signals in words.

    >>> plain("soc_pct above 95 %: 96")
    'state of charge above 95 %: 96'
    """
    return _SIGNAL_NAMES.sub(lambda found: SIGNALS[Signal(found[0])].name, text)


def unit_name(battery: Quantity, situation: Situation) -> str:
    """Returns what people call a storage unit."""
    return "the battery" if len(situation.batteries) == 1 else f"unit {battery.owner}"


def capital(text: str) -> str:
    """Returns ``text`` with a capital first letter."""
    return text[:1].upper() + text[1:]


def watts(power_w: float | None) -> str:
    """Returns a magnitude, for people."""
    if power_w is None or not math.isfinite(power_w):
        return "an unknown power"
    return f"{abs(round(power_w)):,} W"


def verb(power_w: float) -> str:
    """Tells what a power does; W, + charging."""
    return "charge" if power_w > 0.0 else "discharge"


def to_power(power_w: float | None) -> str:
    """Tells what a unit is asked to do."""
    if power_w is None or not math.isfinite(power_w):
        return "for an unknown power"
    return "to rest" if abs(power_w) < SAME_W else f"to {verb(power_w)} with {watts(power_w)}"


WAITS_FOR_START = (
    "It was running when its controller ended, by a power cut or an update perhaps, and waits: "
    "`holdfast start` starts it; with resume: automatic in site.yaml it starts by itself."
)
