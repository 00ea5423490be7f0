"""Rest is what was seen of the devices after they were last written, and nothing that was told."""

from collections.abc import Collection, Mapping

from holdfast.control.storage.unit import UnitMemory
from holdfast.core.commands import Point
from holdfast.core.reading import Good, Sample
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.roles import SAFE_VALUES
from holdfast.devices.written_point import DeviceMemory, PointMemory


def is_at_rest(
    memory: UnitMemory | None, points: Collection[Point], samples: Mapping[Signal, Sample]
) -> bool:
    """Says whether one unit's relays were seen open and its setpoint read back as 0 W, each after
    it was last written. ``points`` can be written to the unit."""
    if memory is None:
        return False
    kept: dict[Role, DeviceMemory] = {
        Role.INVERTER: memory.inverter,
        Role.BMS: memory.bms,
        Role.RELAYS: memory.relays.points,
    }
    return all(
        _rests(kept[safe.role].get(safe.point), safe.value, samples.get(safe.seen))
        for safe in SAFE_VALUES
        if safe.seen is not None and safe.point in points
    )


def _rests(memory: PointMemory | None, value: float, sample: Sample | None) -> bool:
    return (
        memory is not None
        and memory.value == value
        and isinstance(sample, Good)
        and sample.value == value
        and sample.time_ns > memory.written_ns
    )
