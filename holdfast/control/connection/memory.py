"""What the limits at the meter hand from one cycle to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.control.connection.mean_import import IntervalMemory
from holdfast.control.connection.operator_signal import OperatorHeartbeat, OperatorMemory
from holdfast.control.connection.release import ReleasedBand


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionMemory:
    """Holds all of it."""

    interval: IntervalMemory | None = None
    heartbeat: OperatorHeartbeat = field(default_factory=OperatorHeartbeat)
    consumption: OperatorMemory = field(default_factory=OperatorMemory)
    production: OperatorMemory = field(default_factory=OperatorMemory)
    released: ReleasedBand | None = None
    """None: nothing was limited before."""
    since_ns: Mapping[str, int] = field(default_factory=dict)
    """Tells since when each finding holds."""
