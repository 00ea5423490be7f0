"""A bill line is one line of what an owner pays and earns."""

from dataclasses import dataclass
from enum import StrEnum


class BillPart(StrEnum):
    """Names the kinds of lines."""

    ENERGY = "energy"
    QUOTA = "quota"
    FEED_IN = "feed_in"
    DEMAND = "demand"
    CAPACITY = "capacity"
    STANDING = "standing"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """Holds one line of a bill."""

    part: BillPart
    what: str
    """Tells the owner what it is for."""
    quantity: float
    unit: str
    amount: float
