"""The assessment over time: what was lost stays at zero for its hold time, and then comes back."""

import math
from dataclasses import replace

import pytest

from holdfast.core.commands import Command
from holdfast.core.data_store import freeze
from holdfast.core.reading import Good
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.safety.assessment import Assessment, Assessor, SafetyMemory
from holdfast.safety.charge_count import counted
from holdfast.safety.envelope import Envelope, up_to
from holdfast.safety.escalation import ESCALATIONS, EscalationMemory
from holdfast.safety.finding import RAMP_TO_ZERO_NS, Finding, Level, Reaction
from holdfast.safety.interlock_manager import Block
from holdfast.safety.interlocks import Action
from holdfast.safety.meter_sign import MeterMemory, MeterStep
from holdfast.safety.patterns import PatternMemory
from holdfast.safety.plausibility import UnitPlausibility
from holdfast.safety.rest_of_site import RestFollower, RestMemory
from holdfast.safety.trend_analyzer import Track, TrendMemory
from tests.builders import (
    T0,
    UNIT,
    Bench,
    build_site,
    expected_signals,
    healthy_store,
    put,
    unit_content,
)

BMS = [Signal.SOC_PCT, Signal.PACK_VOLTAGE_V, Signal.CHARGE_CURRENT_LIMIT_A]


def rows(record):
    return {found.row for found in record.assessment.findings}


def envelope(record):
    return record.assessment.envelopes[UNIT]


def running():
    bench = Bench()
    bench.start()
    bench.run(1.0)
    return bench


def with_a_gap(signal, seconds):
    """A site that runs, and one of whose signals has not come for ``seconds``."""
    bench = running()
    value, bench.values[UNIT, signal] = bench.values[UNIT, signal], None
    bench.run(seconds, dt_s=0.1)
    bench.values[UNIT, signal] = value
    return bench


@pytest.mark.parametrize("signal", BMS)
def test_a_bms_that_was_silent_must_be_stable_for_30_s_before_power_flows(signal):
    bench = with_a_gap(signal, 7.0)
    record = bench.step()
    assert "bms_data_lost" in rows(record)
    assert (envelope(record).min_w, envelope(record).max_w) == (0.0, 0.0)
    record = bench.run(29.8, dt_s=0.1)
    assert "bms_data_lost" in rows(record)
    assert (envelope(record).min_w, envelope(record).max_w) == (0.0, 0.0)
    record = bench.run(0.4, dt_s=0.1)
    assert rows(record) == set()
    assert 0.0 < envelope(record).max_w <= 5000.0 * 0.05 * 0.4  # and then it rises slowly
    assert bench.state.machine is State.RUNNING


def test_an_inverter_that_was_silent_comes_back_after_a_second():
    bench = with_a_gap(Signal.INVERTER_TEMPERATURE_C, 2.0)
    assert "inverter_data_lost" in rows(bench.run(0.9, dt_s=0.1))
    assert rows(bench.run(0.2, dt_s=0.1)) == set()


def test_one_wild_value_of_a_bms_is_as_bad_as_a_gap_for_it_may_be_booting():
    bench = running()
    value, bench.values[UNIT, Signal.SOC_PCT] = bench.values[UNIT, Signal.SOC_PCT], 101.0
    bench.step()
    bench.values[UNIT, Signal.SOC_PCT] = value
    assert "bms_data_bad" in rows(bench.run(29.9, dt_s=0.1))
    assert rows(bench.run(0.2, dt_s=0.1)) == set()


def test_a_gap_while_idle_keeps_the_site_from_starting_until_the_bms_is_stable():
    bench = Bench()
    bench.run(0.1)
    bench.values[UNIT, Signal.SOC_PCT] = None
    bench.run(7.0, dt_s=0.1)
    bench.values[UNIT, Signal.SOC_PCT] = 50.0
    bench.run(29.0, dt_s=0.1)
    assert "not yet for long enough" in bench.step(Command.START).moved.refused[Command.START]
    bench.run(1.2, dt_s=0.1)
    bench.step(Command.START)
    assert bench.state.machine is State.RUNNING


def test_a_site_that_boots_waits_for_nothing_but_the_first_data():
    bench = Bench()
    told = {signal: bench.values[UNIT, signal] for signal in BMS}
    bench.values |= dict.fromkeys(((UNIT, signal) for signal in BMS), None)
    record = bench.run(3.0, dt_s=0.1)
    assert "bms_data_missing" in rows(record)
    assert bench.state.machine is State.BOOT
    bench.values |= {(UNIT, signal): value for signal, value in told.items()}
    record = bench.step()
    assert rows(record) == set()
    assert bench.state.machine is State.IDLE
    assert record.inputs.now_ns - T0 < 4 * 10**9


def test_a_limit_of_the_bms_that_goes_stale_or_bad_takes_its_direction_to_zero():
    """Its fallback only narrows: no limit told is the data sheet's, a lost one is none at all."""
    for lost, narrowed in ((None, "bms_data_lost"), (-1.0, "bms_data_bad")):
        bench = running()
        bench.set(Signal.CHARGE_CURRENT_LIMIT_A, lost)
        record = bench.run(5.6, dt_s=0.1)
        assert narrowed in rows(record)
        assert (envelope(record).min_w, envelope(record).max_w) == (0.0, 0.0)


SITE_YAML = build_site(unit_content("left"), unit_content("right"))
TIMES = ESCALATIONS["repeated_fault"].times
ASSESSOR = Assessor(SITE_YAML, expected_signals(SITE_YAML))
FULL = up_to(charge_w=5000.0, discharge_w=5000.0, by="site.yaml")


def found(reaction, owner="left", since_ns=T0, row="row"):
    return Finding(
        owner=owner, row=row, level=Level.ALARM, reaction=reaction, since_ns=since_ns, text="why"
    )


def snapshot(now_ns=T0, **values):
    """Both units closed and healthy; ``left`` and the site as told, by name of the signal."""
    store = healthy_store(SITE_YAML.unit_names, now_ns)
    for unit in SITE_YAML.unit_names:
        put(store, unit, Signal.CONTACTOR_CLOSED, 1.0, now_ns)
    for name, value in values.items():
        signal = Signal(name)
        put(store, SITE if SIGNALS[signal].of_site else "left", signal, value, now_ns)
    if values.get("islanded") == 1.0:
        put(store, SITE, Signal.GRID_VOLTAGE_V, 0.0, now_ns)
    frozen = freeze(store.image(), now_ns)
    return RestFollower(SITE_YAML.unit_names).follow(frozen, RestMemory())[0]


def assess(*device_findings, memory=None, now_ns=T0, **values):
    memory = memory or SafetyMemory(time_ns=now_ns)
    return ASSESSOR.assess(snapshot(now_ns, **values), memory, device_findings)


def ends(assessment, unit="left"):
    envelope = assessment.envelopes[unit]
    return envelope.min_w, envelope.max_w


# What an assessment says. -----------------------------------------------------------------------


@pytest.mark.parametrize("reaction", list(Reaction))
def test_what_trips_and_what_keeps_a_site_from_starting(reaction):
    assessment = Assessment(findings=(found(reaction),), envelopes={}, blocks=())
    assert bool(assessment.trips) is (reaction in (Reaction.TRIP, Reaction.EMERGENCY_STOP))
    strong = reaction in (Reaction.RAMP_TO_ZERO, Reaction.TRIP, Reaction.EMERGENCY_STOP)
    assert assessment.not_ready == (("left: why (row)",) if strong else ())


def test_interlocks_of_the_start_come_first_and_those_of_power_do_not_keep_it_back():
    blocks = tuple(
        Block(owner=SITE, row="row", action=action, text=f"no {action}") for action in Action
    )
    assessment = Assessment(findings=(found(Reaction.TRIP),), envelopes={}, blocks=blocks)
    assert assessment.not_ready == ("site: no start (row)", "left: why (row)")


def test_findings_of_a_unit_are_its_own_and_those_of_the_site():
    mine, sites, other = (found(Reaction.LOG, owner) for owner in ("left", SITE, "right"))
    assessment = Assessment(findings=(mine, sites, other), envelopes={}, blocks=())
    assert assessment.findings_of("left") == (mine, sites)
    assert assessment.findings_of("right") == (sites, other)


# What it is made of. ----------------------------------------------------------------------------


def test_a_healthy_site_is_permitted_its_nameplate_and_nothing_is_found():
    assessment, memory = assess()
    assert assessment.findings == ()
    assert [block.row for block in assessment.blocks] == ["contactor_open", "contactor_open"]
    for unit in ("left", "right"):
        assert ends(assessment, unit) == pytest.approx((-5000.0, 5000.0))
    assert memory.envelopes == assessment.envelopes
    assert memory.time_ns == T0


@pytest.mark.parametrize(
    ("authority", "found_rows"),
    [("observe", []), ("limited", ["inverter_data_bad"]), ("full", ["inverter_data_bad"])],
)
def test_only_a_site_that_commands_is_told_that_an_inverter_holds_no_setpoint(
    authority, found_rows
):
    site = SITE_YAML.model_copy(update={"authority": authority})
    assessor = Assessor(site, expected_signals(SITE_YAML))
    seen = snapshot(setpoint_readback_w=math.nan)
    assessment, _ = assessor.assess(seen, SafetyMemory(time_ns=T0), ())
    assert [one.row for one in assessment.findings] == found_rows


def test_at_first_nothing_is_remembered():
    memory = SafetyMemory()
    assert (memory.limits, memory.trends, memory.envelopes) == ({}, TrendMemory(), {})
    assert (memory.plausibility, memory.escalation) == ({}, EscalationMemory())
    assert memory.patterns == PatternMemory()
    assert memory.time_ns == 0


def test_every_layer_is_asked():
    cases = {
        "inverter_temperature_high": {"inverter_temperature_c": 95.0},
        "bms_data_bad": {"soc_pct": 101.0},
    }
    memory = SafetyMemory(time_ns=T0)
    for row, values in cases.items():
        later, after = memory, memory
        for step in range(1, 4):
            assessment, after = assess(memory=later, now_ns=T0 + step * NS_PER_S, **values)
            later = after
        assert row in {finding.row for finding in assessment.findings}
    assessment, _ = assess(found(Reaction.LOG, row="of_a_device"))
    assert [finding.row for finding in assessment.findings] == ["of_a_device"]


def test_a_battery_that_permits_less_than_the_nameplate_narrows_only_its_own_unit():
    assessment, _ = assess(charge_current_limit_a=10.0)
    assert ends(assessment) == pytest.approx((-5000.0, 528.0))
    assert assessment.envelopes["left"].max_by == "charge_current_limit_a"
    assert ends(assessment, "right") == pytest.approx((-5000.0, 5000.0))


@pytest.mark.parametrize(
    ("owner", "left_w", "right_w"),
    [("left", 0.0, 5000.0), ("right", 5000.0, 0.0), (SITE, 0.0, 0.0)],
)
def test_a_finding_narrows_its_own_unit_and_one_of_the_site_all(owner, left_w, right_w):
    assessment, _ = assess(found(Reaction.TRIP, owner))
    assert ends(assessment, "left") == pytest.approx((-left_w, left_w))
    assert ends(assessment, "right") == pytest.approx((-right_w, right_w))


def test_two_findings_both_narrow_and_time_counts_from_the_snapshot():
    charge, ramp = found(Reaction.BLOCK_CHARGE), found(Reaction.RAMP_TO_ZERO)
    assessment, _ = assess(charge, ramp, now_ns=T0 + RAMP_TO_ZERO_NS // 2)
    assert ends(assessment) == pytest.approx((-2500.0, 0.0))


def test_the_grid_connection_narrows_all_units_together():
    assessment, _ = assess(grid_power_w=9000.0)
    assert ends(assessment)[1] + ends(assessment, "right")[1] == pytest.approx(1000.0)


def test_an_island_that_the_meter_denies_is_none_and_is_told():
    finding = replace(found(Reaction.TRIP), holds_on_island=False)
    denied, _ = assess(finding, islanded=1.0, grid_power_w=300.0)
    assert denied.islanded == {"left"}  # this meter tells a voltage, and it is dead
    store = snapshot(islanded=1.0)
    alive = {**store.readings[SITE], Signal.GRID_VOLTAGE_V: Good(value=230.0, time_ns=T0)}
    store = replace(store, readings={**store.readings, SITE: alive})
    assessment, _ = ASSESSOR.assess(store, SafetyMemory(time_ns=T0), (finding,))
    assert assessment.islanded == frozenset()
    assert assessment.trips == (finding,)
    assert "left/island_contradicted" in {told.key for told in assessment.findings}


def test_what_will_meet_a_limit_is_narrowed_before_it_does():
    track = Track(samples=((T0, 3.5),), slope_per_s=0.01)
    memory = SafetyMemory(
        trends=TrendMemory(tracks={"left/cell_voltage_rising": track}), time_ns=T0
    )
    assessment, after = assess(memory=memory, cell_voltage_max_v=3.5)
    assert assessment.envelopes["left"].max_by == "predicted_cell_voltage_high"
    # Derated to 55 % of 100 A; the alarm at 3.6 V is ten of twenty seconds away.
    assert ends(assessment)[1] == pytest.approx(0.5 * 0.55 * 100.0 * 52.8)
    assert "left/cell_voltage_rising" in after.trends.tracks


def test_limits_trends_and_counts_are_remembered():
    _, memory = assess(inverter_temperature_c=95.0)
    assert set(memory.limits) == {"left/inverter_temperature_high"}
    assert memory.trends.tracks
    assert set(memory.plausibility) == {"left", "right"}
    assert set(memory.patterns.oscillation) == {"left", "right"}
    assert memory.escalation == EscalationMemory()


def test_what_heats_up_and_what_cannot_be_true_are_found_and_narrow():
    heating = Track(
        samples=((T0, 30.0),), slope_per_s=0.03, level=Level.ALARM, since_ns=T0 - NS_PER_S
    )
    judged = counted(None, T0, 50.0, 0.0, 10_000.0)
    stuck = UnitPlausibility(by_bms=judged, still_since_ns=T0 - NS_PER_S)
    for row, memory in (
        ("cell_heating", SafetyMemory(trends=TrendMemory(tracks={"left/cell_heating": heating}))),
        ("voltage_stuck", SafetyMemory(plausibility={"left": stuck})),
    ):
        assessment, _ = assess(memory=replace(memory, time_ns=T0))
        assert [finding.row for finding in assessment.findings] == [row]
        assert ends(assessment) == (0.0, 0.0)


def test_a_pattern_is_found_and_narrows_what_it_concerns():
    accused = MeterMemory(
        steps=(MeterStep(gain=-1.0, is_far=False),) * 4,
        found_since_ns=T0 - NS_PER_S,
        stepped_ns=T0 - NS_PER_S,
    )
    memory = SafetyMemory(patterns=PatternMemory(meter_sign=accused), time_ns=T0)
    assessment, after = assess(memory=memory)
    assert [finding.row for finding in assessment.findings] == ["meter_sign_wrong"]
    assert ends(assessment, "left") == ends(assessment, "right") == (0.0, 0.0)
    assert after.patterns.meter_sign.found_since_ns == T0 - NS_PER_S


# What rises, rises slowly. ----------------------------------------------------------------------


def test_an_envelope_widens_by_a_step_of_the_nameplate_and_narrows_at_once():
    narrow = up_to(charge_w=1000.0, discharge_w=500.0, by="x")
    before = SafetyMemory(envelopes={"left": narrow, "right": FULL}, time_ns=T0)
    assessment, after = assess(memory=before, now_ns=T0 + 2 * NS_PER_S)
    assert ends(assessment) == pytest.approx((-1000.0, 1500.0))  # 5 % of 5 kW a second
    assert ends(assessment, "right") == pytest.approx((-5000.0, 5000.0))
    assert after.envelopes == assessment.envelopes
    assert after.time_ns == T0 + 2 * NS_PER_S
    assessment, _ = assess(memory=after, now_ns=T0 + 3 * NS_PER_S, charge_current_limit_a=1.0)
    assert ends(assessment)[1] == pytest.approx(52.8)


def test_while_power_is_blocked_nothing_is_remembered_to_be_followed():
    narrow = up_to(charge_w=1000.0, discharge_w=500.0, by="x")
    before = SafetyMemory(envelopes={"left": narrow, "right": narrow}, time_ns=T0)
    _, after = assess(memory=before, now_ns=T0 + NS_PER_S, contactor_closed=0.0)
    assert set(after.envelopes) == {"right"}
    _, after = assess(memory=before, now_ns=T0 + NS_PER_S, watchdog_armed=0.0)
    assert set(after.envelopes) == {"left", "right"}  # only the start is blocked


# Escalation. ------------------------------------------------------------------------------------


def test_a_fault_that_keeps_coming_back_trips_while_power_may_flow_and_narrows_at_once():
    open_to = {"left": FULL, "right": FULL}
    memory = SafetyMemory(envelopes=open_to, time_ns=T0)
    fault = found(Reaction.RAMP_TO_ZERO)
    for step in range(2 * TIMES - 1):
        assert memory.envelopes
        now_ns = T0 + step * NS_PER_S
        faults = (replace(fault, since_ns=now_ns),) if step % 2 == 0 else ()
        assessment, memory = assess(*faults, memory=memory, now_ns=now_ns)
        assert bool(assessment.trips) is (step == 2 * TIMES - 2)
    (trip,) = assessment.trips
    assert (trip.owner, trip.row) == ("left", "repeated_fault")
    assert ends(assessment) == (0.0, 0.0)
    assert memory.escalation.active == {("repeated_fault", "left/row")}


def test_a_site_that_boots_does_not_count_what_is_not_there_yet():
    memory = SafetyMemory(time_ns=T0)
    for step in range(4 * TIMES):
        now_ns = T0 + step * NS_PER_S
        faults = (found(Reaction.RAMP_TO_ZERO, since_ns=now_ns),) if step % 2 == 0 else ()
        assessment, after = assess(*faults, memory=memory, now_ns=now_ns)
        memory = replace(after, envelopes={})
        assert assessment.trips == ()
        assert after.escalation == EscalationMemory()


# Interlocks and memory. ---------------------------------------------------------------------------


def test_blocks_of_a_unit_are_its_own_and_those_of_the_site():
    mine, sites, other = (
        Block(owner=owner, row="row", action=Action.POWER, text="") for owner in ("left", SITE, "x")
    )
    assessment = Assessment(findings=(), envelopes={}, blocks=(mine, sites, other))
    assert assessment.blocks_of("left") == (mine, sites)
    assert assessment.blocks_of("x") == (sites, other)


@pytest.mark.parametrize(
    ("values", "remembered"),
    [
        ({}, {"left", "right"}),
        ({"contactor_closed": 0.0}, {"right"}),
        ({"contactor_closed": math.nan}, {"left", "right"}),
        ({"battery_power_w": math.nan}, {"left", "right"}),
        ({"charge_allowed": 0.0}, {"left", "right"}),
    ],
)
def test_what_was_permitted_is_forgotten_only_where_a_contactor_is_seen_open(values, remembered):
    """A fault that comes and goes with the data is counted, and followed slowly, all the same."""
    _, memory = assess(**values)
    assert set(memory.envelopes) == remembered


# On an island. ------------------------------------------------------------------------------------


def not_the_batterys(reaction, owner="left"):
    return replace(found(reaction, owner), holds_on_island=False)


def test_it_tells_which_units_are_on_an_island():
    assert assess()[0].islanded == frozenset()
    assert assess(islanded=1.0)[0].islanded == {"left"}


def test_a_finding_of_a_unit_on_an_island_ends_no_discharge_and_trips_nothing():
    finding = not_the_batterys(Reaction.TRIP)
    assert assess(finding)[0].trips == (finding,)
    assessment, _ = assess(finding, islanded=1.0)
    assert assessment.trips == ()
    (told,) = assessment.findings
    assert told.reaction is Reaction.BLOCK_CHARGE
    assert ends(assessment) == pytest.approx((-5000.0, 0.0))
    assert ends(assessment, "right") == pytest.approx((-5000.0, 5000.0))


def test_a_finding_of_the_site_is_told_as_on_the_island_and_stays_strict_for_the_others():
    finding = not_the_batterys(Reaction.TRIP, SITE)
    assessment, _ = assess(finding, islanded=1.0)
    assert assessment.trips == ()
    assert [told.reaction for told in assessment.findings] == [Reaction.BLOCK_CHARGE]
    assert ends(assessment) == pytest.approx((-5000.0, 0.0))
    assert ends(assessment, "right") == (0.0, 0.0)


@pytest.mark.parametrize(
    "finding", [not_the_batterys(Reaction.TRIP, "right"), found(Reaction.TRIP, "left")]
)
def test_a_neighbour_on_the_grid_and_the_batterys_own_protection_trip_as_ever(finding):
    assessment, _ = assess(finding, islanded=1.0)
    assert assessment.trips == (finding,)
    assert ends(assessment, finding.owner) == (0.0, 0.0)


def test_on_an_island_a_fault_that_keeps_coming_back_does_not_add_up_to_a_trip():
    memory = SafetyMemory(time_ns=T0)
    for step in range(4 * TIMES):
        now_ns = T0 + step * NS_PER_S
        lost = replace(not_the_batterys(Reaction.RAMP_TO_ZERO, SITE), since_ns=now_ns)
        faults = (lost,) if step % 2 == 0 else ()
        assessment, memory = assess(*faults, memory=memory, now_ns=now_ns, islanded=1.0)
        assert assessment.trips == ()


def test_one_of_the_batterys_own_adds_up_there_too():
    memory = SafetyMemory(time_ns=T0)
    for step in range(2 * TIMES + 1):  # the first does not count: nothing was permitted before
        now_ns = T0 + step * NS_PER_S
        faults = (found(Reaction.RAMP_TO_ZERO, since_ns=now_ns),) if step % 2 == 0 else ()
        assessment, memory = assess(*faults, memory=memory, now_ns=now_ns, islanded=1.0)
    (trip,) = assessment.trips
    assert trip.row == "repeated_fault"
    assert trip in assessment.findings


def test_on_an_island_only_charging_rises_slowly():
    little = Envelope(min_w=-10.0, max_w=10.0, min_by="x", max_by="x")
    memory = SafetyMemory(envelopes={"left": little, "right": little}, time_ns=T0)
    assessment, _ = assess(memory=memory, now_ns=T0 + NS_PER_S, islanded=1.0)
    assert ends(assessment) == pytest.approx((-5000.0, 260.0))
    assert ends(assessment, "right") == pytest.approx((-260.0, 260.0))
    assert assessment.envelopes["left"].max_by == "rises_slowly"
    assert assessment.envelopes["left"].min_by != "rises_slowly"
