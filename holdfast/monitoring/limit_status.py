"""The rows of the limit table and the values that they watch, for the status."""

from dataclasses import dataclass

from holdfast.core.data_store import Snapshot
from holdfast.safety.finding import Level
from holdfast.safety.limit_monitor import LimitMonitor


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitStatus:
    """A row of the limit table and the value that it watches."""

    owner: str
    row: str
    signal: str
    unit: str
    levels: dict[str, float]
    margin: float | None
    """Distance to the level that acts; None if the value is not good."""


def limit_status(monitor: LimitMonitor, snapshot: Snapshot) -> tuple[LimitStatus, ...]:
    """All rows."""
    margins = monitor.margins(snapshot)
    return tuple(
        LimitStatus(
            owner=limit.owner,
            row=limit.row.id,
            signal=limit.row.signal,
            unit=limit.unit,
            levels={
                level.name.lower(): value
                for level, value in limit.levels
                if level is not Level.NORMAL
            },
            margin=margins.get(limit.key),
        )
        for limit in monitor.limits
    )
