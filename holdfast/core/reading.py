"""A reading is a value with a time and a quality; absent is not zero."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """Holds a finite, plausible value that is young enough to act on."""

    value: float
    time_ns: int
    """Tells the monotonic time of the sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """Holds a value that was good once and is now older than its signal allows."""

    value: float
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """Tells of a sample that came, and cannot be true: not finite, implausible, from the future."""

    reason: str
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Nothing has ever been read."""


Sample = Good | Bad
"""A device task writes it."""

Reading = Good | Stale | Bad | Missing
"""A cycle reads it."""

MISSING = Missing()
