"""Tables of lines: what hangs on them, how it is wired, and which line is what."""

import math

import pytest

from holdfast.core.commands import Point
from holdfast.core.config.storage import InverterHardware
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.gpio_profile import GpioProfile, GpioRead
from holdfast.devices.point_traits import PLAIN
from holdfast.devices.profile import load_profile, parse_profile

GOOD = """
name: x
protocol: gpio
roles: [relays, emergency_input]
source: test
poll_period_s: 0.05
reads:
  - {signal: contactor_closed, line: 6, bias: external}
  - {signal: emergency_loop_closed, line: loop, bias: pull_down, debounce_ms: 5}
writes:
  - {point: contactor, drive: open_drain}
"""
WHOLE = ("contactor=5",)

BAD = [
    (", emergency_input]", ", emergency_input, bms]", "roles: a bms does not hang on gpio lines"),
    ("[relays, emer", "[load_switch, emer", "roles: a load_switch does not hang on gpio lines"),
    ("roles: [relays, ", "roles: [", "contactor_closed is produced by relays, not by emergency_i"),
    ("loop_closed", "loop", "emergency_loop"),
    ("contactor_closed", "dc_link_voltage_v", "dc_link_voltage_v: a line tells 0 or 1, and noth"),
    ("contactor_closed", "emergency_loop_closed", "signal listed twice: emergency_loop_closed"),
    ("contactor_closed", "load_on", "load_on is produced by load_switch"),
    ("point: contactor", "point: load_on", "load_on is taken by load_switch, not by relays or em"),
    ("writes:", "writes:\n  - {point: contactor}", "point listed twice: contactor"),
    ("_period_s: 0.05", "_period_s: 0.17", "fewer than 3 polls are in the shortest maximum age"),
    ("_period_s: 0.05", "_period_s: 0.0095", "must be at least 0.01"),
    ("bias: external", "bias: none", "bias"),
    (", bias: external", "", "bias: is missing"),
    ("open_drain", "both", "drive"),
    ("debounce_ms: 5", "debounce_ms: 51", "must be at most 50"),
    ("debounce_ms: 5", "debounce_ms: -1", "must be at least 0"),
    ("line: 6", "line: -1", "a line is a number from 0 to 65535, or the name of one"),
    ("line: 6", "line: 65536", "a line is a number from 0 to 65535, or the name of one"),
    ("line: 6", "line: 6.0", "a line is a number"),
    ("line: 6", "line: '6'", "a line is a number"),
    ("line: 6", "line: ''", "a line is a number"),
    ("line: 6", "line: true", "a line is a number"),
    ("line: 6", f"line: {'a' * 65}", "a line is a number"),
    ("line: 6", "pin: 6", "pin"),
    (
        "pull_down", "pull_up",
        "a broken wire would be a closed loop; with active_low: false it has to be pull_down, or e",
    ),
    (
        "bias: pull_down", "active_low: true, bias: pull_down",
        "a broken wire would be a closed loop; with active_low: true it has to be pull_up, or ext",
    ),
]  # fmt: skip


def good(text: str = GOOD) -> GpioProfile:
    profile = parse_profile(text, source="x.yaml")
    assert isinstance(profile, GpioProfile)
    return profile


@pytest.mark.parametrize(("right", "wrong", "told"), BAD, ids=[row[2][:60] for row in BAD])
def test_a_table_that_is_wrong_is_refused(right: str, wrong: str, told: str) -> None:
    assert right in GOOD
    with pytest.raises(ConfigError) as error:
        parse_profile(GOOD.replace(right, wrong, 1), source="x.yaml")
    assert told in str(error.value)


@pytest.mark.parametrize(
    "wiring",
    [
        "bias: pull_up, active_low: true", "bias: pull_down", "bias: external",
        "bias: external, active_low: true",
    ],
)  # fmt: skip
def test_a_loop_is_wired_so_that_a_broken_wire_stops(wiring: str) -> None:
    (_, loop) = good(GOOD.replace("bias: pull_down", wiring)).reads
    assert loop.signal is Signal.EMERGENCY_LOOP_CLOSED


def test_an_output_is_driven_both_ways_or_one() -> None:
    for drive in ("push_pull", "open_drain", "open_source"):
        assert good(GOOD.replace("open_drain", drive)).writes[0].drive == drive
    assert good(GOOD.replace(", drive: open_drain", "")).writes[0].drive == "push_pull"


def test_of_several_signals_of_another_device_the_first_by_name_is_named() -> None:
    text = GOOD.replace("[relays, emergency_input]", "[relays]").replace(
        "reads:",
        "reads:\n"
        "  - {signal: pv_on, bias: external}\n"
        "  - {signal: islanded, bias: external}\n"
        "  - {signal: inverter_fault, bias: external}\n"
        "  - {signal: bms_alarm, bias: external}\n"
        "  - {signal: bms_protection, bias: external}\n"
        "  - {signal: load_on, bias: external}",
    )
    with pytest.raises(ConfigError, match="bms_alarm is produced by bms, not by relays"):
        good(text)


def test_a_table_of_which_nothing_is_read_is_refused() -> None:
    nothing = load_profile("gpio_relays").model_dump() | {"reads": ()}
    with pytest.raises(ValueError, match="nothing that it reads is produced by relays"):
        GpioProfile.model_validate(nothing)


def test_a_feedback_contact_may_be_one_that_opens_or_one_that_closes() -> None:
    for bias in ("pull_up", "pull_down"):
        assert good(GOOD.replace("bias: external", f"bias: {bias}")).reads[0].bias == bias


def test_numbers_of_lines_and_how_long_a_change_lasts_have_an_end() -> None:
    text = GOOD.replace("line: 6", "line: 65535").replace("debounce_ms: 5", "debounce_ms: 50")
    assert good(text).reads[0].line == 65535
    assert good(GOOD.replace("line: 6", "line: 0")).reads[0].line == 0
    assert good(GOOD.replace("line: 6", f"line: {'a' * 64}")).reads[0].line == "a" * 64
    assert good(text).reads[1].debounce_ms == 50
    assert good(text).reads[0].debounce_ms == 0


@pytest.mark.parametrize("period_s", [0.01, 0.5 / 3])
def test_three_looks_are_in_the_shortest_maximum_age(period_s: float) -> None:
    assert good(GOOD.replace("0.05", str(period_s))).poll_period_s == period_s
    slow = load_profile("gpio_relays").model_dump() | {"poll_period_s": 0.34}
    with pytest.raises(ValueError, match=r"poll_period_s 0\.34: fewer than 3 polls .* age, 1 s"):
        GpioProfile.model_validate(slow)
    slow = load_profile("gpio_emergency_input").model_dump() | {"poll_period_s": 0.17}
    with pytest.raises(ValueError, match=r"shortest maximum age, 0\.5 s"):
        GpioProfile.model_validate(slow)


def test_a_table_falls_into_the_parts_of_its_roles() -> None:
    whole = good()
    relays, loop = whole.of(Role.RELAYS), whole.of(Role.EMERGENCY_INPUT)
    assert relays.roles == (Role.RELAYS,)
    assert relays.signals == relays.required == {Signal.CONTACTOR_CLOSED}
    assert relays.points.keys() == {Point.CONTACTOR}
    assert relays.traits == {Point.CONTACTOR: PLAIN}
    assert loop.signals == {Signal.EMERGENCY_LOOP_CLOSED}
    assert (loop.points, loop.lacks, loop.max_age_s) == ({}, {}, None)
    assert whole.of(*whole.roles) == whole
    hardware = InverterHardware(charge_power_max_w=1, discharge_power_max_w=1)
    assert whole.bound(hardware) is whole


def test_what_the_table_leaves_open_the_site_says_and_may_say_otherwise() -> None:
    whole = good()
    assert whole.writes[0].line is None
    placed = whole.at(WHOLE)
    assert [row.line for row in (*placed.reads, *placed.writes)] == [6, "loop", 5]
    placed = whole.at(("contactor=GPIO17", "contactor_closed=27", "emergency_loop_closed=a=b"))
    assert [row.line for row in (*placed.reads, *placed.writes)] == [27, "a=b", "GPIO17"]
    assert placed.writes[0].drive == "open_drain"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((), "lines: contactor is missing; write [contactor=17]"),
        (("conductor=5", *WHOLE), "lines: conductor is none of contactor_closed, emergency_loop"),
        (("contactor=1", "contactor=2"), "lines: a name listed twice: contactor"),
        (("contactor=6",), "lines: the line listed twice: 6"),
        (("contactor=loop",), "lines: the line listed twice: loop"),
        (("contactor=65536",), "lines: contactor=65536: a line is a number from 0 to 65535, or"),
        ((f"contactor={'a' * 65}",), "a line is a number from 0 to 65535, or the name of one"),
    ],
)
def test_lines_that_do_not_fit_the_table_are_told(lines: tuple[str, ...], told: str) -> None:
    with pytest.raises(ValueError, match="lines") as error:
        good().at(lines)
    assert told in str(error.value)


def test_a_line_is_driven_to_0_or_1() -> None:
    (write,) = good().writes
    assert [write.kept(value) for value in (0.0, 1.0)] == [0.0, 1.0]
    for value in (0.5, 2.0, -1.0, math.nan):
        with pytest.raises(ValueError, match=f"{value:g} is neither 0 nor 1"):
            write.kept(value)


def test_tables_that_come_with_holdfast_pull_up_what_a_contact_pulls_down() -> None:
    for name in ("gpio_relays", "gpio_emergency_input"):
        profile = load_profile(name)
        assert isinstance(profile, GpioProfile)
        assert profile.confirmed is None, "nobody has run it on hardware"
        (read,) = profile.reads
        assert isinstance(read, GpioRead)
        assert (read.bias, read.active_low) == ("pull_up", True)


def test_the_grid_operators_contact_hangs_on_a_line_too() -> None:
    assert load_profile("gpio_grid_operator").roles == (Role.GRID_OPERATOR,)
