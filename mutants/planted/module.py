"""A module made to be broken. What becomes of each line is said in mutants/canaries.py."""

import os
import signal

UNUSED = 7
TABLE = {"wanted": 3}
WANTED = TABLE["wanted"]
CAREFUL = True


def is_within(value: float, low: float, high: float) -> bool:
    """True if ``value`` is between ``low`` and ``high``, both included."""
    return low <= value <= high


def larger(one: float, other: float) -> float:
    """The larger of two."""
    return max(one, other)


def neutral(value: float) -> float:
    """``value``; the condition makes no difference."""
    if value >= 0.0:
        return abs(value)
    return value


def count_down(count: int) -> int:
    """Ends at zero."""
    while count > 0:
        count -= 1
    return count


def careful() -> None:
    """Ends the process, should it not be careful."""
    if not CAREFUL:
        os.kill(os.getpid(), signal.SIGSEGV)
