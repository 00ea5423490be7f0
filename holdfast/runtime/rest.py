"""Rest: what was seen of the devices after they were last written, and nothing that was told."""

from collections.abc import Collection, Mapping

from holdfast.control.storage_unit import UnitMemory
from holdfast.core.commands import Point
from holdfast.core.reading import Good, Sample
from holdfast.core.signals import Signal
from holdfast.devices.written_point import PointMemory


def is_at_rest(
    memory: UnitMemory | None, points: Collection[Point], samples: Mapping[Signal, Sample]
) -> bool:
    """True if one unit's relays were seen open and its setpoint read back as 0 W, each after it
    was last written. ``points`` can be written to the unit."""
    if memory is None:
        return False
    return (
        _rests(memory.relays.points.get(Point.CONTACTOR), samples, Signal.CONTACTOR_CLOSED)
        and _rests(memory.inverter.get(Point.SETPOINT_W), samples, Signal.SETPOINT_READBACK_W)
        and (
            Point.PRECHARGE not in points
            or _rests(memory.relays.points.get(Point.PRECHARGE), samples, Signal.PRECHARGE_CLOSED)
        )
    )


def _rests(memory: PointMemory | None, samples: Mapping[Signal, Sample], readback: Signal) -> bool:
    sample = samples.get(readback)
    return (
        memory is not None
        and memory.value == 0.0
        and isinstance(sample, Good)
        and sample.value == 0.0
        and sample.time_ns > memory.written_ns
    )
