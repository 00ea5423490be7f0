"""An interval is a stretch of time."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Holds a slot of a plan, or a window in which a load may run; aware, UTC."""

    start: datetime
    end: datetime
    """The interval ends before it."""
