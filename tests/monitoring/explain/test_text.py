"""Explanations: true sentences about what owners ask, and none about what is not known."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from holdfast.core.commands import Command, Point
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.slot_mode import DOES, SlotMode
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import (
    AuditEvent,
    Cause,
    ChildEnded,
    ChildStarted,
    CommandAnswered,
    FindingCleared,
    FindingRaised,
    MessageRefused,
    PlanNotAccepted,
    ProcessEnded,
    ProcessStarted,
    SlotFollowed,
    StateChanged,
)
from holdfast.monitoring.audit.log_lines import START, Line, decode_line, encode_line
from holdfast.monitoring.explain.situation import (
    RequestSituation,
    Situation,
    situation_at,
    situation_now,
)
from holdfast.monitoring.explain.text import _BOUNDS, _WITHOUT, explain
from holdfast.monitoring.explain.wording import plain
from holdfast.monitoring.quantities.quantity import Quantity
from holdfast.monitoring.status.build import build_status
from holdfast.monitoring.status.schema import BlockStatus, CommsStatus, Status
from holdfast.safety.finding import Reaction
from tests.builders import UNIT, Bench
from tests.monitoring.audit.test_observer import NOON, AuditBench, a_plan

BERLIN = ZoneInfo("Europe/Berlin")


def status_of(bench: Bench, **changes: object) -> Status:
    from holdfast.monitoring.status.build import Outside
    from holdfast.monitoring.status.histogram import Histogram
    from holdfast.monitoring.status.schema import LoopStatus

    empty = Histogram().status()
    loop = LoopStatus(
        period_s=0.02, cycles=1, missed=0, real_time=False, cycle=empty, lateness=empty
    )
    record = bench.records[-1]
    outside = Outside(
        site="s",
        currency="EUR",
        authority=bench.site.authority,
        utc=NOON,
        plan=record.inputs.plan,
        plan_refused="",
        latches_on_disk=True,
        contactor_cycles_rated={},
        comms={},
        loop=loop,
    )
    status = build_status(bench.state, record, bench.cycle.assessor.limit_monitor, outside)
    return replace(status, **changes)  # type: ignore[arg-type]


def said(bench: Bench, **changes: object) -> str:
    return "\n".join(explain(situation_now(status_of(bench, **changes)), BERLIN))


def lines_of(*events: AuditEvent) -> list[Line]:
    """Lines of a log, a second apart, the newest first."""
    place, lines = START, []
    for number, event in enumerate(events):
        raw, place = encode_line(place, NOON + timedelta(seconds=number), number, event)
        line = decode_line(raw.removesuffix(b"\n"))
        assert line is not None
        lines.append(line)
    return lines[::-1]


STARTED = ProcessStarted(
    version="0",
    config_sha256="",
    authority="full",
    period_ms=20,
    real_time=True,
    emergency_stop=False,
    faults=(),
)


def running(**changes: object) -> Situation:
    """Charging with 2,000 W, as a plan asks; ``changes`` are of any of its parts."""
    battery = Quantity(
        owner="battery",
        name="battery_power",
        unit="W",
        asked=2000.0,
        asked_of_site=2000.0,
        source="plan",
        reason="charges: 6.1 ct now, used at 17:00",
        low=-5000.0,
        low_by="site.yaml",
        high=5000.0,
        high_by="site.yaml",
        permitted=2000.0,
        ramped=2000.0,
        written=2000.0,
        read_back=2000.0,
        measured=2000.0,
    )
    readings = {
        "soc_pct": 50.0, "pack_voltage_v": 53.2, "charge_current_limit_a": 100.0,
        "discharge_current_limit_a": 100.0,
    }  # fmt: skip
    readings |= {name: changes.pop(name) for name in [*changes] if name in readings}  # type: ignore[misc]
    layers = {name: changes.pop(name) for name in [*changes] if name in Quantity.__slots__}
    battery = replace(battery, **layers)  # type: ignore[arg-type]
    slot = SlotFollowed(plan_id="p", mode="power", battery_power_w=2000.0, end=NOON)
    request = RequestSituation(
        power_w=battery.asked_of_site,
        source=battery.source,
        reason=battery.reason,
        slot=changes.pop("slot", slot),  # type: ignore[arg-type]
    )
    situation = Situation(
        time=NOON,
        recorded=False,
        authority="full",
        state=State.RUNNING,
        request=request,
        quantities=(battery,),
        readings={"battery": {name: v for name, v in readings.items() if v is not None}},
    )
    return replace(situation, **changes)  # type: ignore[arg-type]


def test_who_asked_and_which_layer_narrowed_it() -> None:
    bench = Bench()
    bench.start()
    bench.set(Signal.CHARGE_CURRENT_LIMIT_A, 45.0)
    bench.set(Signal.PACK_VOLTAGE_V, 53.2)
    bench.run(4.0, plan=a_plan(bench, 5000.0, "charges: 6.1 ct now"))
    assert said(bench).splitlines() == [
        "The battery charges with 2,394 W, at 50 % state of charge.",
        "The plan asks to charge with 5,000 W until 14:15; its reason: charges: 6.1 ct now.",
        "Otherwise self consumption would ask it to rest.",
        "The battery may charge with no more than 2,394 W: the BMS permits 45 A at 53.2 V.",
    ]


def test_a_finding_that_blocks_says_its_value_its_limit_and_when_it_ends() -> None:
    bench = Bench()
    bench.start()
    bench.set(Signal.SOC_PCT, 96.0)
    bench.run(4.0, plan=a_plan(bench, 5000.0))
    text = said(bench)
    assert "The battery rests at 0 W, at 96 % state of charge." in text
    assert (
        "The battery may not charge now: state of charge above 95 %: 96; it ends once the value "
        "has been back inside for 1 s." in text
    )
    assert "Alarm: state of charge above 95 %: 96, so it may not charge" in text


def test_without_a_plan_it_follows_load_and_pv() -> None:
    bench = Bench()
    bench.start()
    bench.set(Signal.GRID_POWER_W, 800.0)
    bench.step()
    text = said(bench, plan_refused="it expired at 12:00:00Z")
    assert "No plan is valid" in text
    assert "which asks to discharge with 800 W" in text
    assert "The last plan was refused: it expired" in text


def test_a_meter_that_is_lost() -> None:
    bench = Bench()
    bench.start()
    bench.set(Signal.GRID_POWER_W, None)
    bench.run(2.0)
    text = said(bench)
    assert "Nothing is asked of it: meter or battery cannot be read." in text
    assert "so the power goes to 0 W; it ends once its cause has been gone for 1 s" in text
    assert "grid power is" in text  # the signal in words


def test_in_idle_it_says_what_it_waits_for_and_then_how_to_start() -> None:
    bench = Bench()
    bench.run(0.1)
    assert "`holdfast start` lets power flow." in said(bench)
    bench.set(Signal.WATCHDOG_ARMED, 0.0)
    bench.step()
    text = said(bench)
    assert "The site is in IDLE" in text
    assert "Before it may start: site: the watchdog is not armed" in text
    assert "holdfast start" not in text


def test_what_an_alarm_says_is_not_repeated_as_something_to_wait_for() -> None:
    bench = Bench()
    bench.run(0.1)
    bench.set(Signal.WATCHDOG_ARMED, 0.0)
    bench.run(1.0)
    status = status_of(bench)
    (alarm,) = [found for found in status.findings if found.row == "watchdog_lost"]
    assert any(alarm.text in reason for reason in status.waits_for)
    text = said(bench)
    assert text.count("watchdog's state is 0") == 1
    assert re.search(r"Before it may start: .*; each alarm above has to end\.", text)


@pytest.mark.parametrize(
    ("command", "signal", "value", "state", "way_out"),
    [
        (Command.EMERGENCY_STOP, None, 0.0, "STOPPED", "`holdfast reset` on site"),
        (None, Signal.CELL_VOLTAGE_MAX_V, 3.9, "ERROR", "gone for its hold time"),
    ],
)
def test_how_it_gets_out_of_stopped_and_error(
    command: Command | None, signal: Signal | None, value: float, state: str, way_out: str
) -> None:
    bench = Bench()
    bench.start()
    if signal is not None:
        bench.set(signal, value)
    bench.step(*([command] if command else []))
    bench.run(1.0)
    text = said(bench)
    assert f"The site is in {state}" in text
    assert way_out in text
    if state == "ERROR":
        assert "Latched: battery/cell_voltage_high." in text
        assert "so it trips" in text


def test_what_is_for_service_says_why_and_how_it_gets_out() -> None:
    bench = Bench()
    bench.start()
    bench.set(Signal.CELL_VOLTAGE_MIN_V, 2.4)
    bench.run(1.0)
    text = said(bench)
    assert "For service only: battery/cell_voltage_low (deeply discharged cells" in text
    assert "`holdfast reset --service` leads back through the self-test." in text
    assert "`holdfast reset` leads" not in text


def test_data_that_never_came_end_when_they_come_and_without_a_hold() -> None:
    bench = Bench()
    bench.values[SITE, Signal.GRID_POWER_W] = None
    bench.run(0.1)
    assert "was never read, so the power goes to 0 W; it ends when data come." in said(bench)


def test_in_boot_what_was_never_read_is_told_in_sentences_and_as_not_known() -> None:
    bench = Bench()
    for owner, signal in [*bench.values]:
        bench.set(signal, None, owner)
    bench.run(0.1)
    text = said(bench)
    told = set(re.findall("data that have never come: (.*?) was never read", text))
    assert told <= {row.name for row in SIGNALS.values()}
    assert "data that have never come: emergency-stop loop was never read" in text
    assert "the emergency-stop loop is not known (emergency_loop_closed)" in text
    assert "loop is open" not in text
    assert "the setpoint that the inverter shows is not known (setpoint_at_zero)" in text
    assert not set("+=") & set(text), "a table's remarks are no names"


def test_a_contactor_that_is_not_confirmed_blocks_power() -> None:
    bench = Bench()
    bench.deaf.add(Point.CONTACTOR)
    bench.start()
    bench.run(0.5, plan=a_plan(bench, 3000.0))
    text = said(bench)
    assert (
        "may not charge now: the contactor is not confirmed closed (contactor_confirmed)." in text
    )
    assert text.count("contactor_confirmed") == 1


def test_what_an_interlock_blocks_is_told_with_the_row_that_blocks_it() -> None:
    bench = Bench()
    bench.deaf.add(Point.ENABLE)
    bench.set(Signal.INVERTER_ENABLED, 1.0)
    bench.run(0.1)
    bench.step(Command.START)
    bench.run(0.3)
    text = said(bench)
    assert (
        "The contactor may not close: the inverter's power stage is not confirmed off "
        "(connect_power_stage_off)." in text
    )
    assert "No power may flow: the contactor is not confirmed closed (contactor_confirmed)" in text
    bench.set(Signal.CHARGE_ALLOWED, 0.0)
    bench.set(Signal.DISCHARGE_ALLOWED, 0.0)
    bench.step()
    text = said(bench)
    assert "It may not charge: the BMS does not permit charging (bms_permits_charge)." in text
    assert "It may not discharge: the BMS does not permit discharging" in text


def test_a_contactor_that_waits_for_the_current_to_fall_says_so() -> None:
    bench = Bench()
    bench.start()
    bench.step(Command.STOP)
    text = said(bench)
    assert "The contactor is about to open: the contactor waits for a current" in text
    assert "(contactor_under_load)." in text
    bench.run(0.1)
    assert "contactor_under_load" not in said(bench)


def test_the_name_of_a_row_stays_what_it_is_though_a_signal_has_the_same() -> None:
    assert plain("site: the watchdog is not armed (watchdog_armed)").endswith("(watchdog_armed)")
    assert plain("watchdog_armed is 0") == "watchdog's state is 0"


def test_with_several_units_it_says_of_which_one_an_interlock_speaks() -> None:
    block = BlockStatus(owner="left", row="a_row", action="charge", text="no")
    one = running(blocks=(block,))
    assert "It may not charge: no (a_row)." in explain(one, BERLIN)
    other = replace(one.quantities[0], owner="left")
    two = replace(one, quantities=(*one.quantities, other))
    assert "Left: it may not charge: no (a_row)." in explain(two, BERLIN)


def test_the_ramp_and_a_hold() -> None:
    ramping = running(permitted=5000.0, ramped=2000.0, asked_of_site=5000.0)
    assert "On its ramp it has reached 2,000 W of 5,000 W." in explain(ramping, BERLIN)
    hold = Cause(owner="battery", row="trend", level="warning", reaction="hold", text="rises")
    held = explain(replace(ramping, causes=(hold,)), BERLIN)
    assert "It is held at 2,000 W and may not rise to 5,000 W." in held
    assert "Warning: rises, so the power may not rise." in held


def test_an_inverter_that_does_not_follow() -> None:
    told = "The inverter of the battery was told 2,000 W and "
    assert f"{told}still shows 500 W." in explain(running(read_back=500.0), BERLIN)
    assert f"{told}delivers 1,500 W." in explain(running(measured=1500.0), BERLIN)
    assert not any("told" in text for text in explain(running(measured=1990.0), BERLIN))
    # What is on record was measured before it was written.
    assert not any("told" in text for text in explain(running(measured=0.0, recorded=True), BERLIN))


def test_the_grid_connection_narrows_the_wish() -> None:
    text = explain(running(asked_of_site=1200.0), BERLIN)
    assert "The limit of the grid connection leaves 1,200 W of that." in text


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("self_consumption", "to keep the grid connection at 0 W until 14:00, which asks to"),
        ("hold", "to store only PV surplus until 14:00, which asks to charge"),
        ("power", "to charge with 2,000 W until 14:00; its reason: charges"),
        *(
            (mode, f"to {DOES[mode]} until 14:00, which asks to charge")
            for mode in SlotMode
            if mode not in (SlotMode.SELF_CONSUMPTION, SlotMode.HOLD, SlotMode.POWER)
        ),
    ],
)
def test_each_mode_of_a_slot_has_its_words(mode: str, words: str) -> None:
    slot = SlotFollowed(plan_id="p", mode=mode, battery_power_w=2000.0, end=NOON)
    assert words in explain(running(slot=slot), BERLIN)[1]


def test_a_site_that_observes_says_so() -> None:
    assert "Holdfast only observes (authority: observe): it writes nothing." in explain(
        running(authority="observe"), BERLIN
    )


def test_several_units_are_called_by_their_names() -> None:
    one = running(asked_of_site=9000.0, limited_by="site.yaml").quantities[0]
    other = replace(
        one, owner="garage", high=0.0, high_by="soc_high", limited_by="soc_high", measured=0.0
    )
    situation = replace(running(), quantities=(replace(one, owner="house"), other))
    text = "\n".join(explain(situation, BERLIN))
    assert "Unit house charges with 2,000 W" in text
    assert "Unit garage rests at 0 W" in text
    assert "Unit house may charge with no more than 5,000 W: site.yaml permits no more." in text
    assert "Unit garage may not charge now" in text


def test_nothing_is_said_where_nothing_is_known_and_no_number_is_no_number() -> None:
    """Every combination of what may be unknown gives whole sentences without None, nan or inf."""
    values = (None, 2000.0, float("nan"), float("inf"), -0.0)
    for power_w, measured_w, charge_limit_a, recorded in product(
        values, values, (None, 45.0), (True, False)
    ):
        situation = running(
            asked_of_site=power_w,
            measured=measured_w,
            written=measured_w,
            charge_current_limit_a=charge_limit_a,
            high_by="charge_current_limit_a",
            high=100.0,
            limited_by="charge_current_limit_a",
            permitted=power_w,
            soc_pct=None,
            recorded=recorded,
        )
        for text in explain(situation, BERLIN):
            assert not re.search(r"\b(None|nan|inf)\b|  |-0", text), text
            assert text.endswith(".")
            assert text[0].isupper(), text
    assert explain(Situation(time=NOON, recorded=True), BERLIN) == ()


@pytest.mark.parametrize("by", _BOUNDS)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_every_bound_has_words(by: str, sign: float) -> None:
    situation = running(asked_of_site=sign * 9000.0, limited_by=by, high=500.0, low=-500.0)
    (text,) = [text for text in explain(situation, BERLIN) if "no more than 500 W" in text]
    assert by == "site.yaml" or f": {by}." not in text


@pytest.mark.parametrize("reaction", Reaction)
def test_every_reaction_has_words(reaction: Reaction) -> None:
    cause = Cause(owner=SITE, row="row", level="alarm", reaction=reaction.name.lower(), text="text")
    (text,) = [t for t in explain(running(causes=(cause,)), BERLIN) if t.startswith("Alarm")]
    assert reaction is Reaction.LOG or ", so " in text


# ---------------------------------------------------------------------- recorded moments


def test_a_recorded_moment_reads_like_the_present_one() -> None:
    bench = AuditBench()
    bench.start()
    bench.set(Signal.CHARGE_CURRENT_LIMIT_A, 45.0)
    bench.set(Signal.PACK_VOLTAGE_V, 53.2)
    bench.run(4.0, plan=a_plan(bench, 5000.0, "charges: 6.1 ct now"))
    situation = situation_at(lines_of(STARTED, *bench.events))
    assert situation is not None
    assert list(explain(situation, BERLIN)) == [
        "The battery is set to charge with 2,394 W, at 50 % state of charge.",
        "The plan asks to charge with 5,000 W until 14:15; its reason: charges: 6.1 ct now.",
        "The battery may charge with no more than 2,394 W: the BMS permits 45 A at 53.2 V.",
    ]


def test_a_recorded_emergency_stop_says_what_brought_it() -> None:
    bench = AuditBench()
    bench.start()
    bench.step(Command.EMERGENCY_STOP)
    situation = situation_at(lines_of(STARTED, *bench.events))
    assert situation is not None
    assert situation.emergency_stop
    text = explain(situation, BERLIN)
    assert "It came there because of: emergency stop by command." in text


def test_findings_of_a_moment_are_those_that_were_raised_and_not_cleared() -> None:
    raised = FindingRaised(owner=UNIT, row="soc_low", level="alarm", reaction="log", text="low")
    other = replace(raised, row="soc_high")
    cleared = FindingCleared(
        owner=UNIT, row="soc_low", level="alarm", reaction="log", text="low", lasted_s=1.0
    )
    situation = situation_at(lines_of(STARTED, raised, other, cleared))
    assert situation is not None
    assert [cause.row for cause in situation.causes] == ["soc_high"]


def test_the_start_of_a_controller_ends_what_was_before() -> None:
    running_event = StateChanged(source="idle", target="running", event="start", reasons=())
    raised = FindingRaised(owner=UNIT, row="soc_low", level="alarm", reaction="log", text="low")
    situation = situation_at(lines_of(STARTED, running_event, raised, STARTED))
    assert situation is not None
    assert situation.state is State.BOOT
    assert situation.causes == ()


def test_while_no_controller_ran_it_says_so() -> None:
    situation = situation_at(lines_of(STARTED, ProcessEnded(reason="told to end; at rest")))
    assert situation is not None
    (text,) = explain(situation, BERLIN)
    assert "No controller was running" in text
    assert situation_at([]) is None


def test_a_plan_that_was_refused_is_told_of_a_moment_too() -> None:
    bench = AuditBench()
    bench.start()
    bench.set(Signal.GRID_POWER_W, 800.0)
    bench.run(2.0)
    refused = PlanNotAccepted(plan_id="p", reason="it has no slots")
    situation = situation_at(lines_of(STARTED, *bench.events, refused))
    assert situation is not None
    assert "The last plan was refused: it has no slots." in explain(situation, BERLIN)


REFUSED = MessageRefused(what="start", reason="was sent before", uid=0, pid=1)
ANSWERED = CommandAnswered(command="start", accepted=True, reason="", state="running")
TO_IDLE = StateChanged(source="boot", target="idle", event="self_test_passed", reasons=())
TO_RUNNING = StateChanged(source="idle", target="running", event="start", reasons=())
WAS_REFUSED = "A start was refused before it was looked at: was sent before."


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ((TO_IDLE, REFUSED), True),
        ((TO_IDLE, ANSWERED, REFUSED), True),
        ((TO_IDLE, REFUSED, ANSWERED), False),
        ((TO_IDLE, REFUSED, TO_RUNNING), False),
    ],
)
def test_a_command_that_no_cycle_got_to_see_says_why_nothing_happened(
    events: tuple[AuditEvent, ...], told: bool
) -> None:
    situation = situation_at(lines_of(STARTED, *events))
    assert situation is not None
    assert (WAS_REFUSED in explain(situation, BERLIN)) is told


def test_what_was_not_understood_is_called_a_message() -> None:
    refused = MessageRefused(what="", reason="not understood: kind", uid=0, pid=1)
    situation = situation_at(lines_of(STARTED, TO_IDLE, refused))
    assert situation is not None
    said = explain(situation, BERLIN)
    assert "A message was refused before it was looked at: not understood: kind." in said


def ended(process: str, *, asked: bool = False, code: int = -9) -> ChildEnded:
    return ChildEnded(process=process, pid=7, code=code, asked=asked, note="", at=NOON)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (
            (ended("watchdog"),),
            "The watchdog ended by itself at 14:00:00 with code -9; without it no power may flow.",
        ),
        (
            (ended("planner", asked=True, code=0),),
            "The planner was told to end at 14:00:00; without it no new plan comes.",
        ),
        (
            (ended("gateway", code=3),),
            f"The gateway ended by itself at 14:00:00 with code 3{_WITHOUT['gateway']}.",
        ),
        ((ended("other"),), "The other ended by itself at 14:00:00 with code -9."),
        ((ended("other", asked=True),), "The other was told to end at 14:00:00."),
        ((ended("controller"),), "The controller before this one ended at 14:00:00 with code -9."),
        (
            (ended("planner"), ChildStarted(process="planner", pid=8, starts=2, at=NOON)),
            "The planner was started again at 14:00:00.",
        ),
        ((ChildStarted(process="planner", pid=8, starts=1, at=NOON),), None),
    ],
)
def test_processes_that_ended_or_came_back_are_told(
    events: tuple[AuditEvent, ...], said: str | None
) -> None:
    situation = situation_at(lines_of(STARTED, TO_IDLE, *events))
    assert situation is not None
    told = [text for text in explain(situation, BERLIN) if " at 14:00:00" in text]
    assert told == ([] if said is None else [said])


def test_a_line_of_a_later_version_is_passed_over() -> None:
    line = Line(
        sequence=1,
        utc="2026-04-01T12:00:00+00:00",
        monotonic_ns=0,
        event=b'{"kind":"later"}',
        hash="",
    )
    assert situation_at([line]) is None
    assert situation_at([line, *lines_of(STARTED)]) is not None
    assert line.time == datetime(2026, 4, 1, 12, tzinfo=UTC)


def test_a_site_that_was_running_before_a_power_cut_says_that_it_waits() -> None:
    bench = Bench()
    bench.run(0.1)
    assert "It was running when its controller ended" not in said(bench)
    text = said(bench, waits_for_start=True)
    assert "It was running when its controller ended" in text
    assert "`holdfast start` starts it" in text


def test_a_device_that_answers_and_fails_again_and_again_is_told_with_the_reason() -> None:
    bench = Bench()
    bench.run(0.1)
    comms = {
        "battery/inverter": CommsStatus(
            reads=400,
            writes=3,
            errors=20,
            last_error="exception 6 (device busy)",
            where="192.0.2.12:502, device 1",
            heard_s_ago=0.1,
            failed_of_last_100=5,
        )
    }
    assert (
        "Trouble with battery/inverter at 192.0.2.12:502, device 1: 5 of the last 100 requests "
        "failed, the last: exception 6 (device busy)."
    ) in said(bench, comms=comms).splitlines()
