"""At rest is what was seen after the last writes, of every relay that can carry current."""

from dataclasses import replace

import pytest

from holdfast.control.storage.unit import UnitMemory
from holdfast.core.commands import Point
from holdfast.core.reading import Bad, Good, Sample
from holdfast.core.signals import Signal
from holdfast.devices.contactor.memory import RelayMemory
from holdfast.devices.written_point import PointMemory
from holdfast.runtime.standstill import is_at_rest
from tests.builders import T0

RELAYS = frozenset({Point.CONTACTOR, Point.PRECHARGE})
ALL = RELAYS | {Point.SETPOINT_W, Point.ENABLE, Point.CHARGE_POWER_W}
"""What can be written to a unit that precharges; not all of it has to be seen."""
SEEN = {
    Point.SETPOINT_W: Signal.SETPOINT_READBACK_W,
    Point.CONTACTOR: Signal.CONTACTOR_CLOSED,
    Point.PRECHARGE: Signal.PRECHARGE_CLOSED,
}


def written(value: float = 0.0, time_ns: int = T0) -> PointMemory:
    return PointMemory(value=value, written_ns=time_ns, first_ns=time_ns)


def memory_of(**points: PointMemory | None) -> UnitMemory:
    kept = {point: points.get(point, written()) for point in SEEN}
    told = {point: memory for point, memory in kept.items() if memory is not None}
    return UnitMemory(
        inverter={point: told[point] for point in told if point is Point.SETPOINT_W},
        relays=RelayMemory(points={point: told[point] for point in told if point in RELAYS}),
    )


def samples_of(changes: dict[Signal, Sample | None] | None = None) -> dict[Signal, Sample]:
    seen: dict[Signal, Sample | None] = {
        signal: Good(value=0.0, time_ns=T0 + 1) for signal in SEEN.values()
    }
    return {signal: s for signal, s in (seen | (changes or {})).items() if s is not None}


def test_all_open_and_read_back_after_the_last_writes_is_rest() -> None:
    assert is_at_rest(memory_of(), ALL, samples_of())


def test_nothing_known_is_no_rest() -> None:
    assert not is_at_rest(None, ALL, samples_of())


@pytest.mark.parametrize("point", SEEN)
@pytest.mark.parametrize(
    "sample",
    [
        Good(value=1.0, time_ns=T0 + 1),
        Good(value=0.0, time_ns=T0),  # as old as the write
        Bad(reason="unreadable", time_ns=T0 + 1),
        None,
    ],
)
def test_each_has_to_be_seen_itself(point: Point, sample: Sample | None) -> None:
    assert not is_at_rest(memory_of(), ALL, samples_of({SEEN[point]: sample}))


@pytest.mark.parametrize("point", SEEN)
@pytest.mark.parametrize("last", [written(1.0), None])
def test_each_has_to_be_told_to_rest(point: Point, last: PointMemory | None) -> None:
    assert not is_at_rest(memory_of(**{point: last}), ALL, samples_of())


def test_a_unit_without_a_precharge_has_none_to_look_at() -> None:
    memory = memory_of(precharge=None)
    samples = samples_of({Signal.PRECHARGE_CLOSED: None})
    assert is_at_rest(memory, ALL - {Point.PRECHARGE}, samples)
    assert not is_at_rest(memory, ALL, samples)
    assert not is_at_rest(replace(memory, inverter={}), ALL - {Point.PRECHARGE}, samples)
