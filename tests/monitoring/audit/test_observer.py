"""What of a cycle is worth a line: everything that matters, and no flood."""

import math
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from holdfast.control.cycle import CycleRecord
from holdfast.control.plan_gate import AcceptedPlan, accept_plan
from holdfast.core.commands import Command
from holdfast.core.config import Site
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.signals import Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.monitoring.audit.events import (
    AuditEvent,
    CommandAnswered,
    LatchesChanged,
    QuantityChanged,
    StateChanged,
    decode_event,
    encode_event,
)
from holdfast.monitoring.audit.observer import AuditMemory, CycleObserver
from holdfast.monitoring.quantities.quantity import QuantityName
from tests.builders import UNIT, Bench

Kind = TypeVar("Kind")
NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


class AuditBench(Bench):
    """A bench whose cycles are observed."""

    def __init__(self, site: Site | None = None) -> None:
        super().__init__(site)
        self.observer = CycleObserver(self.site)
        self.memory = AuditMemory(latches=self.state.latches)
        self.events: list[AuditEvent] = []

    def step(
        self, *commands: Command, plan: AcceptedPlan | None = None, dt_s: float = 0.02
    ) -> CycleRecord:
        record = super().step(*commands, plan=plan, dt_s=dt_s)
        events, self.memory = self.observer.observe(self.memory, self.state, record)
        self.events += events
        return record

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]

    def told(self, name: QuantityName) -> list[QuantityChanged]:
        """Lines about quantities of one name."""
        return [event for event in self.of(QuantityChanged) if event.quantity.name == name]

    @property
    def powers(self) -> list[QuantityChanged]:
        """Lines about the battery's power."""
        return self.told(QuantityName.BATTERY_POWER)


def a_plan(bench: Bench, power_w: float, reason: str = "cheap") -> AcceptedPlan:
    slot = PlanSlot(
        start=NOON,
        end=NOON + timedelta(minutes=15),
        mode=SlotMode.POWER,
        battery_power_w=power_w,
        grid_power_w=0.0,
        soc_end_pct=50.0,
        import_price_per_kwh=0.3,
        reason=reason,
    )
    plan = Plan(
        plan_id="p1",
        created=NOON,
        expires=NOON + timedelta(hours=1),
        status=PlanStatus.OPTIMAL,
        expected_cost=1.0,
        slots=(slot,),
    )
    return accept_plan(plan, now_ns=bench.now_ns, utc=NOON, site=bench.site)


def test_states_and_commands_are_on_record_with_their_reasons() -> None:
    bench = AuditBench()
    bench.start()
    bench.set(Signal.EMERGENCY_LOOP_CLOSED, 0.0)
    bench.step()
    bench.step(Command.RESET)
    assert [(e.source, e.target, e.event, e.reasons) for e in bench.of(StateChanged)] == [
        ("boot", "idle", "self_test_passed", ()),
        ("idle", "running", "start", ("by command",)),
        ("running", "stopped", "emergency_stop", ("the emergency-stop loop is open",)),
    ]
    assert [(e.command, e.accepted, e.state) for e in bench.of(CommandAnswered)] == [
        ("start", True, "running"),
        ("reset", False, "stopped"),
    ]
    assert bench.of(LatchesChanged) == [LatchesChanged(emergency_stop=True, faults=())]


def test_a_trip_says_what_tripped() -> None:
    bench = AuditBench()
    bench.start()
    bench.set(Signal.CELL_VOLTAGE_MAX_V, 3.9)
    bench.run(0.1)
    (tripped,) = [event for event in bench.of(StateChanged) if event.target == "error"]
    assert tripped.event == "trip"
    assert "cell_voltage_max_v above 3.65 V: 3.9" in tripped.reasons[0]
    assert bench.of(LatchesChanged)[-1].faults == (f"{UNIT}/cell_voltage_high",)


def test_a_cycle_in_which_nothing_happens_has_no_event_and_changes_nothing() -> None:
    bench = AuditBench()
    bench.start()
    bench.run(3.0)
    before, events = bench.memory, len(bench.events)
    record = bench.step()
    assert not record.writes
    assert bench.memory is before
    assert len(bench.events) == events


def test_a_command_is_told_as_often_as_it_is_asked() -> None:
    """How often one that is refused gets a line is for the trail to say."""
    bench = AuditBench()
    bench.step(Command.RESET)
    bench.step(Command.RESET, Command.EMERGENCY_STOP)
    bench.step(Command.EMERGENCY_STOP)
    assert [(e.command, e.accepted, bool(e.reason)) for e in bench.of(CommandAnswered)] == [
        ("reset", False, True),
        ("estop", True, False),
        ("reset", False, True),
        ("estop", True, True),
    ]


def test_numbers_that_are_not_finite_are_absent_and_events_survive_the_way() -> None:
    bench = AuditBench()
    bench.start()
    bench.set(Signal.CELL_VOLTAGE_MAX_V, math.nan)
    bench.set(Signal.GRID_POWER_W, math.inf)
    bench.run(2.0)
    bench.step(Command.STOP)
    kinds = set()
    for event in bench.events:
        content = encode_event(event)
        assert b"NaN" not in content
        assert b"Infinity" not in content
        assert content.startswith(b'{"kind":"%s"' % event.kind.encode())
        assert decode_event(content) == event
        kinds.add(event.kind)
    assert kinds >= {"state", "command", "finding_raised", "quantity"}
    assert bench.powers[-1].grid_power_w is None
