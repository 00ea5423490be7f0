"""This module gives the rows of the limit table and the values that they watch, for the status."""

from holdfast.core.data_store import Snapshot
from holdfast.monitoring.status.schema import LimitStatus
from holdfast.safety.finding import Level
from holdfast.safety.limit_monitor import LimitMonitor


def limit_status(monitor: LimitMonitor, snapshot: Snapshot) -> tuple[LimitStatus, ...]:
    """Returns all rows."""
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
