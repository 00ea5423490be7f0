"""Switched loads in the audit log: each switching with its reason, and never a flood."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from holdfast.control.cycle import CycleRecord
from holdfast.control.load_requests import LoadRequest, LoadSource
from holdfast.core.commands import Point, Write
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import NS_PER_S
from holdfast.monitoring.audit_events import MAX_TEXT, LoadSwitched, decode_event, encode_event
from holdfast.monitoring.audit_findings import NEVER_NS
from holdfast.monitoring.audit_loads import LINES, WITHIN_NS, LoadMemory, load_events
from holdfast.monitoring.audit_observer import AuditMemory, CycleObserver
from holdfast.monitoring.audit_text import describe
from holdfast.safety.permit import LoadPermit
from tests.builders import LOAD, UNIT, Bench, build_site, put

ROLE = Producer.LOAD_SWITCH


class LoadBench:
    """Cycles of which a test says what was asked of a boiler and written to its switch."""

    def __init__(self) -> None:
        self.bench = Bench(build_site())
        self.quiet = self.bench.run(0.1)
        self.now_ns = self.bench.now_ns
        self.memory: Mapping[str, LoadMemory] = {}
        self.events: list[LoadSwitched] = []
        self.readings: dict[Signal, float] = {Signal.LOAD_ON: 0.0}
        self.reason = "cheap"
        self.blocked_by = ""

    def record(self, *writes: Write) -> CycleRecord:
        store = DataStore((UNIT,), (LOAD,))
        for signal, value in self.readings.items():
            put(store, LOAD, signal, value, self.now_ns)
        return replace(
            self.quiet,
            inputs=replace(self.quiet.inputs, now_ns=self.now_ns),
            snapshot=freeze(store.image(), self.now_ns),
            load_requests={
                LOAD: LoadRequest(
                    on=True, setpoint_c=None, source=LoadSource.PLAN, reason=self.reason
                )
            },
            load_permits={
                LOAD: LoadPermit(
                    may_write=True, may_run=not self.blocked_by, blocked_by=self.blocked_by,
                    expires_ns=self.now_ns + NS_PER_S,
                )
            },
            writes=writes,
        )  # fmt: skip

    def step(self, value: float | None = None, point: Point = Point.LOAD_ON) -> list[LoadSwitched]:
        """A cycle a second later that writes ``value``; its lines."""
        self.now_ns += NS_PER_S
        write = Write(unit=LOAD, role=ROLE, point=point, value=value or 0.0)
        record = self.record(*([] if value is None else [write]))
        events, self.memory = load_events(self.memory, record)
        self.events += events
        return events


def test_a_load_that_is_switched_gets_a_line_with_who_asked_and_why() -> None:
    bench = LoadBench()
    bench.reason = "cheap" + "x" * 5000
    (event,) = bench.step(1.0)
    assert (event.load, event.on, event.setpoint_c, event.source) == (LOAD, True, None, "plan")
    assert event.reason.startswith("cheapx")
    assert len(event.reason) == MAX_TEXT
    assert (event.blocked_by, event.switches, event.temperature_c) == ("", 1, None)
    assert decode_event(encode_event(event)) == event


def test_a_refresh_gets_no_line() -> None:
    bench = LoadBench()
    bench.step(1.0)
    for _ in range(1000):
        assert bench.step(1.0) == []


def test_the_first_write_is_a_line_only_if_it_changes_what_the_switch_shows() -> None:
    bench = LoadBench()
    assert bench.step(0.0) == []
    on = LoadBench()
    on.readings = {Signal.LOAD_ON: 1.0}
    assert [event.on for event in on.step(0.0)] == [False]
    unknown = LoadBench()
    unknown.readings = {}
    assert [event.on for event in unknown.step(0.0)] == [False]


def test_what_keeps_a_load_off_is_in_its_line() -> None:
    bench = LoadBench()
    bench.step(1.0)
    bench.blocked_by = "state_stopped"
    (event,) = bench.step(0.0)
    assert (event.on, event.blocked_by) == (False, "state_stopped")
    assert describe(event) == "load boiler off: plan asks (cheap), kept off by state_stopped"


def test_a_load_that_flaps_gets_few_lines_and_they_count_the_others() -> None:
    bench = LoadBench()
    for index in range(7200):
        bench.step(float(index % 2))
    assert len(bench.events) == 6 * LINES
    assert [event.switches for event in bench.events[:LINES]] == [1] * LINES
    assert sum(event.switches for event in bench.events) == pytest.approx(6000, abs=10)
    assert describe(bench.events[LINES]).endswith("(1196 more before)")


def test_the_last_state_gets_its_line_when_the_time_has_come_without_another_write() -> None:
    bench = LoadBench()
    first_ns = bench.now_ns + NS_PER_S
    for index in range(LINES):
        assert len(bench.step(float(index % 2 == 0))) == 1
    assert bench.step(1.0) == []
    (memory,) = bench.memory.values()
    assert memory.due_ns == first_ns + WITHIN_NS
    bench.now_ns = memory.due_ns - NS_PER_S - 1
    assert bench.step() == []
    bench.now_ns = memory.due_ns - NS_PER_S
    (event,) = bench.step()
    assert (event.on, event.switches) == (True, 1)
    assert bench.step() == []


def test_a_thermostat_gets_a_line_when_it_is_set() -> None:
    bench = LoadBench()
    bench.readings = {
        Signal.LOAD_ON: 0.0,
        Signal.ROOM_SETPOINT_READBACK_C: 20.0,
        Signal.ROOM_TEMPERATURE_C: 20.4567,
    }
    assert bench.step(20.0, Point.ROOM_SETPOINT_C) == []
    (event,) = bench.step(22.5, Point.ROOM_SETPOINT_C)
    assert (event.on, event.setpoint_c, event.temperature_c) == (None, 22.5, 20.457)
    assert describe(event) == "load boiler to 22.5 °C: plan asks (cheap), at 20.5 °C"


def test_a_timer_and_other_devices_are_no_switching() -> None:
    bench = LoadBench()
    assert bench.step(60.0, Point.LOAD_REVERT_S) == []
    bench.now_ns += NS_PER_S
    write = Write(unit=LOAD, role=Producer.INVERTER, point=Point.LOAD_ON, value=1.0)
    assert load_events({}, bench.record(write)) == ([], {})


def test_the_observer_puts_loads_on_record_and_comes_back_for_what_it_put_off() -> None:
    bench = LoadBench()
    observer = CycleObserver(bench.bench.site)
    memory = AuditMemory(latches=bench.bench.state.latches)
    lines: list[bool | None] = []
    for value in (1.0, 0.0, 1.0, 0.0, 1.0, None, None):
        write = Write(unit=LOAD, role=ROLE, point=Point.LOAD_ON, value=value or 0.0)
        record = bench.record(*([] if value is None else [write]))
        events, memory = observer.observe(memory, bench.bench.state, record)
        lines += [event.on for event in events if isinstance(event, LoadSwitched)]
        bench.now_ns += WITHIN_NS // 6
    assert lines == [True, False, True, False, True]
    assert memory.due_ns == NEVER_NS
