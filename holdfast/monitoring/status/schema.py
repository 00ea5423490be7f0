"""The status is what the controller tells the world, layer by layer, five times a second.

Gateway, planner and command line read it from shared memory; none of them can hold up the
controller. Whoever reads it needs nothing of the control cycle; it goes as ``codec`` says.
"""

from dataclasses import dataclass
from datetime import datetime

from holdfast.core.plan import PlanSlot
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName, by_owner
from holdfast.monitoring.status.histogram import HistogramStatus

FRESH_S = 3.0
"""A status that is older is of a controller that has ended, or hangs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingStatus:
    """Holds one signal. ``value`` is None unless the quality is good or stale."""

    value: float | None
    unit: str
    quality: str
    age_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingStatus:
    """A finding is something that is not as it should be."""

    owner: str
    row: str
    level: str
    reaction: str
    for_s: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockStatus:
    """A block is an action that an interlock blocks now, or that waits for one."""

    owner: str
    row: str
    action: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitStatus:
    """Holds a row of the limit table and the value that it watches."""

    owner: str
    row: str
    signal: str
    unit: str
    levels: dict[str, float]
    margin: float | None
    """Tells the distance to the level that acts; None if the value is not good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WearStatus:
    """Tells how much of a main contactor's rated life is gone."""

    closings: int
    openings_under_load: int
    cycles_used: int
    """Counts both together, as the data sheet does."""
    cycles_rated: int
    complete: bool
    """Tells whether the count is whole; False: it was lost once, and this is what came since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatusNow:
    """Holds the plan that the controller holds."""

    plan_id: str
    status: str
    age_s: float
    expires_in_s: float
    expected_cost: float
    slot: PlanSlot | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeStatus:
    """Tells who leads the batteries, by which mode, what keeps it, and what would be without it."""

    by: str
    mode: str
    for_s: float
    """Tells since when."""
    kept_by: tuple[str, ...] = ()
    """Names the bounds that change what the mode asks, the weakest first."""
    urgent: bool = False
    """Tells whether a limit at the meter is being kept, without a ramp."""
    instead_by: str = ""
    """Tells who would lead if this one did not; empty if nobody may ask."""
    instead_mode: str = ""
    instead_w: float | None = None
    """Tells what would be asked of all batteries then."""
    verdict: str = ""
    """Tells how well the meter is kept where it should be; empty while that is not the aim."""
    meter_rms_w: float | None = None
    """Tells by how much the meter was beside that in the last minute, root of the mean square."""
    reversals_a_minute: float | None = None
    """Tells how often that changed its sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorStatus:
    """Tells what the grid operator's signal says in one direction, and for how long it did."""

    state: str
    for_s: float
    limited_s: float
    """Tells for how long a limit has held since the controller's start,"""
    exceeded_s: float
    """and for how long of it more flowed than it permits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatus:
    """Tells what the limits at the meter leave to all batteries, + charging, and which they are."""

    low_w: float
    low_by: str
    high_w: float
    high_by: str
    counted_wh: float | None = None
    """Tells the import of the present interval, as the meter showed it; None without a clock."""
    uncounted_s: float | None = None
    """Tells how much of it nobody counted: it is taken to have been at the limit."""
    consumption: OperatorStatus | None = None
    """None where the grid operator has no box."""
    production: OperatorStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommsStatus:
    """Tells what one device's driver counts, and why it is silent if it is."""

    reads: int
    writes: int
    errors: int
    last_error: str
    where: str = ""
    """Tells the address of the device, in words."""
    why_silent: str = ""
    """Tells what keeps readings from coming, in words; empty while they come."""
    tries: int = 0
    """Counts tries to read that failed one after the other."""
    heard_s_ago: float | None = None
    """Tells the age of the last complete reading, in s. None: there was none."""
    failed_of_last_100: int = 0
    """Counts what failed of the last 100 readings and failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopStatus:
    """Tells how the loop runs."""

    period_s: float
    cycles: int
    missed: int
    real_time: bool
    cycle: HistogramStatus
    lateness: HistogramStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditStatus:
    """Tells how the audit log fares."""

    lines: int
    """Counts events that this controller has brought to the disk."""
    lost: int
    """Counts events that found no room, or could not be written."""
    problem: str
    """Tells why it cannot be written now; empty if it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Holds everything."""

    site: str
    currency: str
    authority: str
    utc: datetime
    monotonic_ns: int
    state: State
    waits_for: tuple[str, ...]
    """Tells, in BOOT and IDLE, what keeps the site from starting."""
    emergency_stop_latched: bool
    latched_faults: tuple[str, ...]
    latches_on_disk: bool
    """Tells whether latches are saved; False: they are not, and would not survive a restart."""
    ignored_events: int
    request_w: float
    request_source: str
    request_reason: str
    plan: PlanStatusNow | None
    plan_refused: str
    """Tells why the last plan that came was refused; empty if it was not."""
    quantities: tuple[Quantity, ...]
    """Holds what is on its way to devices, layer by layer."""
    readings: dict[str, dict[Signal, ReadingStatus]]
    findings: tuple[FindingStatus, ...]
    limits: tuple[LimitStatus, ...]
    contactors: dict[str, WearStatus]
    """Holds the wear by unit."""
    comms: dict[str, CommsStatus]
    loop: LoopStatus
    audit: AuditStatus | None = None
    blocks: tuple[BlockStatus, ...] = ()
    mode: ModeStatus | None = None
    """None while nobody may ask."""
    connection: ConnectionStatus | None = None
    """None where it is too long to be told."""
    waits_for_start: bool = False
    """Tells whether the site was RUNNING when its controller ended, and waits for a start."""
    left_out: str = ""
    """Tells why all but the most important is left out; empty if nothing is."""

    def value(self, owner: str, signal: Signal) -> float | None:
        """Returns the value of a good reading."""
        reading = self.readings.get(owner, {}).get(signal)
        return reading.value if reading is not None and reading.quality == "good" else None

    def quantities_of(self, name: QuantityName) -> dict[str, Quantity]:
        """Returns the quantities of one name, by owner."""
        return by_owner(self.quantities, name)
