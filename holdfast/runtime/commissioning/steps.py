"""The steps of a proof stand here as rows, in their order, and how long each may take."""

from dataclasses import dataclass
from enum import Enum, auto

DEFAULT_POWER_W = 300.0
LONGEST_TIMER_S = 60.0
"""No site may ask for a longer one, so nobody waits for it."""
TIMER_FACTOR = 1.5
"""A timer that ends later than this times what it is set to is none."""


class StepKind(Enum):
    """Tells what is done in a step."""

    READ = auto()
    CONNECT = auto()
    """Only where a contactor of ours is in between; it is open before."""
    TAKE_OVER = auto()
    """Before it the device keeps its own rule, and its power is not ours."""
    COMMAND = auto()
    OUTAGE = auto()
    """Only where somebody switches the grid off, and looks at the house."""
    SILENCE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    """Describes one step."""

    name: str
    kind: StepKind
    share: float
    """Of the power that is tried, + charging."""
    text: str
    """Tells it before it is made; ``{power}`` is what is written, in W."""


STEPS = (
    StepRow(
        name="plausible",
        kind=StepKind.READ,
        share=0.0,
        text="everything is read, and has to be plausible and within its limits",
    ),
    StepRow(
        name="connect",
        kind=StepKind.CONNECT,
        share=0.0,
        text="{power} is written, the power stage is switched off, and the contactor has to close",
    ),
    StepRow(
        name="zero",
        kind=StepKind.TAKE_OVER,
        share=0.0,
        text="{power} is written: it has to be shown, and no power to flow",
    ),
    StepRow(
        name="charge",
        kind=StepKind.COMMAND,
        share=1.0,
        text="{power} is written: the battery has to charge with it",
    ),
    StepRow(
        name="discharge",
        kind=StepKind.COMMAND,
        share=-1.0,
        text="{power} is written: the battery has to discharge with it",
    ),
    StepRow(
        name="zero_again",
        kind=StepKind.COMMAND,
        share=0.0,
        text="{power} is written again: no power has to flow",
    ),
    StepRow(
        name="outage",
        kind=StepKind.OUTAGE,
        share=0.0,
        text="{power} stays written while the grid is away: is the house served all the same?",
    ),
    StepRow(
        name="silence",
        kind=StepKind.SILENCE,
        share=1.0,
        text="{power} is written, and then nothing more: the device's own timer has to end it",
    ),
)


def steps_of(*, has_contactor: bool, has_outage: bool) -> tuple[StepRow, ...]:
    """Returns the steps of one unit."""
    left_out = {StepKind.CONNECT: not has_contactor, StepKind.OUTAGE: not has_outage}
    return tuple(row for row in STEPS if not left_out.get(row.kind, False))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofTimes:
    """Bounds how long each step takes."""

    read_s: float = 20.0
    """A serial CAN adapter takes two seconds to open, and a pack speaks once in one or two."""
    command_s: float = 20.0
    connect_s: float = 30.0
    """A precharge may be tried three times; so long may it take to open, too."""
    witness_s: float = 6.0
    """After the power has settled meter and BMS have so long to confirm it."""
    zero_s: float = 30.0
    """In the end 0 W is written for so long until it is seen."""
    grid_back_s: float = 300.0
    """After an outage inverters look at the grid for minutes before they connect."""
    look_s: float = 0.02
