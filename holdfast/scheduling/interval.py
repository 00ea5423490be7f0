"""A stretch of time."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A slot of a plan, or a window in which a load may run; aware, UTC."""

    start: datetime
    end: datetime
    """Not included."""
