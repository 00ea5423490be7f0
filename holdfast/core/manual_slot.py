"""A manual slot is what a person asks of the batteries for a while, in place of the plan."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ManualMode(StrEnum):
    """Tells what the batteries are to do."""

    SELF_CONSUMPTION = "self_consumption"
    """The grid connection is kept at 0 W."""
    HOLD = "hold"
    """The battery stores PV surplus, but serves no load."""
    CHARGE = "charge"
    DISCHARGE = "discharge"
    REST = "rest"
    """The battery is kept at 0 W."""
    STAND_ASIDE = "stand_aside"
    """Somebody else has the battery: Holdfast asks for nothing, which is 0 W."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualSlot:
    """Holds what one person asked for; it ends by itself."""

    id: str
    start: datetime
    """The time is aware, UTC."""
    end: datetime
    """The time is aware, UTC."""
    mode: ManualMode
    power_w: float | None
    """It is that of all storage units together, > 0 W, to charge or discharge with; None in the
    other modes."""
    by: str
    """Names the person."""
    made: datetime
    """It was asked for then; aware, UTC."""
    owner: str = ""
    """Names who has the battery in the meantime, to stand aside for; empty in the other modes."""
