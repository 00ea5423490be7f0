"""Findings tell how strong a reaction is, and what it does to an envelope."""

from dataclasses import dataclass
from enum import IntEnum

from holdfast.core.units import ns_from_s
from holdfast.safety.envelope import Envelope


class Level(IntEnum):
    """Tells how far a value has gone."""

    NORMAL = 0
    WARNING = 1
    ALARM = 2
    TRIP = 3


class Reaction(IntEnum):
    """Tells what a finding does, in order of strength: the strongest active one wins."""

    LOG = 1
    HOLD = 2
    """The setpoint may not move away from 0 W."""
    DERATE = 3
    """Half of what is otherwise permitted remains."""
    BLOCK_CHARGE = 4
    BLOCK_DISCHARGE = 5
    RAMP_TO_ZERO = 6
    """The envelope closes within RAMP_TO_ZERO_S."""
    TRIP = 7
    """The power goes to 0 W at once, inverter off, contactors open, latched: ERROR."""
    EMERGENCY_STOP = 8


def reaction_of(level: Level, at_alarm: Reaction) -> Reaction:
    """Tells what a row with levels does: a trip trips, an alarm as its row says, less is logged."""
    match level:
        case Level.TRIP:
            return Reaction.TRIP
        case Level.ALARM:
            return at_alarm
        case Level.NORMAL | Level.WARNING:
            return Reaction.LOG


DERATE_FACTOR = 0.5
RAMP_TO_ZERO_S = 0.5
"""Inverters of this class slew faster; longer would only let a fault feed for longer."""
RAMP_TO_ZERO_NS = ns_from_s(RAMP_TO_ZERO_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something is not as it should be."""

    owner: str
    """Names the site, or a storage unit."""
    row: str
    """Names the row of a table that found it."""
    level: Level
    reaction: Reaction
    since_ns: int
    """Tells the monotonic time since when it holds."""
    text: str
    """Tells people the value, the limit and the unit."""
    holds_on_island: bool = True
    """It may end the discharge of an island: it protects the battery, or is the emergency stop."""

    @property
    def key(self) -> str:
        """Returns ``owner/row``, the name under which it is latched."""
        return f"{self.owner}/{self.row}"

    def narrow(self, envelope: Envelope, now_ns: int) -> Envelope:
        """Returns what is left of ``envelope`` under this finding."""
        match self.reaction:
            case Reaction.LOG | Reaction.HOLD:
                return envelope
            case Reaction.DERATE:
                charge, discharge = DERATE_FACTOR, DERATE_FACTOR
            case Reaction.BLOCK_CHARGE:
                charge, discharge = 0.0, 1.0
            case Reaction.BLOCK_DISCHARGE:
                charge, discharge = 1.0, 0.0
            case Reaction.RAMP_TO_ZERO:
                left = 1.0 - (now_ns - self.since_ns) / RAMP_TO_ZERO_NS
                charge = discharge = min(max(left, 0.0), 1.0)
            case Reaction.TRIP | Reaction.EMERGENCY_STOP:
                charge, discharge = 0.0, 0.0
        narrower = Envelope(
            min_w=envelope.min_w * discharge + 0.0,  # no negative zero
            max_w=envelope.max_w * charge,
            min_by=self.row,
            max_by=self.row,
        )
        return envelope.intersect(narrower)
