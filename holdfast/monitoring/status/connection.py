"""This module tells what the limits at the meter leave, and what the grid operator says."""

from holdfast.control.connection.operator_signal import OperatorMemory
from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.units import s_from_ns
from holdfast.monitoring.status.schema import ConnectionStatus, OperatorStatus


def connection_status(state: CycleState, record: CycleRecord) -> ConnectionStatus:
    """Returns what of the connection a status tells after a cycle."""
    band, memory = record.band, state.modes.connection
    interval, now_ns = memory.interval, record.snapshot.time_ns
    return ConnectionStatus(
        low_w=band.low_w,
        low_by=band.low_by,
        high_w=band.high_w,
        high_by=band.high_by,
        counted_wh=None if interval is None else interval.counted_wh,
        uncounted_s=None if interval is None else interval.uncounted_s,
        consumption=_operator_status(memory.consumption, now_ns),
        production=_operator_status(memory.production, now_ns),
    )


def _operator_status(memory: OperatorMemory, now_ns: int) -> OperatorStatus | None:
    if memory.since_ns is None:
        return None
    return OperatorStatus(
        state=memory.state,
        for_s=s_from_ns(now_ns - memory.since_ns),
        limited_s=s_from_ns(memory.limited_ns),
        exceeded_s=s_from_ns(memory.exceeded_ns),
    )
