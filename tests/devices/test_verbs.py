"""What a device is told in verbs: what is sent, in which order, and what it shows afterwards."""

import math
import struct
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from holdfast.core.commands import Point
from holdfast.core.config.storage import InverterHardware
from holdfast.core.errors import ConfigError
from holdfast.core.signals import Signal
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import parse_profile
from holdfast.devices.register_image import NOTHING_SHOWN, LastShown
from holdfast.devices.scaled import ScaledStep
from holdfast.devices.stepped_write import SteppedWrite
from holdfast.devices.verb_step import Verb, VerbStep
from holdfast.devices.verbs import VerbWrite

HARDWARE = InverterHardware(
    charge_power_max_w=4000, discharge_power_max_w=5000, revert_timeout_s=30
)
HEAD = """
name: told_in_verbs
protocol: modbus
roles: [inverter]
source: these tests
poll_period_s: 0.1
reads:
  - {signal: battery_power_w, address: 900, type: int32}
"""
PV_ROW = "  - {signal: pv_power_w, address: 902, type: uint16}\n"
SOC_ROW = "  - {signal: soc_pct, address: 901, type: uint16}\n"
VERBS = """
writes:
  - point: setpoint_w
    readback: setpoint_readback_w
    verbs:
      charge:
        - {address: 10, type: uint16, value: timeout}
        - {address: 11, type: uint16, value: 1, stored: true}
        - {address: 12, type: int16, value: power, of_rated: true, scale: 0.01}
      discharge:
        - {address: 10, type: uint16, value: timeout}
        - {address: 11, type: uint16, value: 2, stored: true}
        - {address: 12, type: int16, value: power, of_rated: true, scale: -0.01}
      idle:
        - {address: 12, type: int16, value: 0}
        - {address: 11, type: uint16, value: 0, stored: true}
      release:
        - {address: 11, type: uint16, value: 9}
"""


@cache
def table(verbs: str = VERBS) -> ModbusProfile:
    head = HEAD
    if "soc" in verbs:
        head = head.replace("[inverter]", "[inverter, bms]") + SOC_ROW
    if "ac_power" in verbs:
        head = head.replace("[inverter]", "[inverter, pv_meter]") + PV_ROW
    profile = parse_profile(head + verbs, source="verbs.yaml")
    assert isinstance(profile, ModbusProfile)
    return profile.bound(HARDWARE)


def verb(text: str = VERBS):
    write, *_ = table(text).writes
    return write


def sent(value, shown=NOTHING_SHOWN, text=VERBS):
    requests = verb(text).requests(value, shown)
    return [(request.address, list(request.words)) for request in requests]


def image(**registers):
    return {(None, "holding", int(name[1:])): word for name, word in registers.items()}


def after(value, start=None, text=VERBS):
    """The registers of a device that was told ``value``."""
    held = dict(start or dict.fromkeys(verb(text).places, 0))
    for request in verb(text).requests(value, NOTHING_SHOWN):
        held |= dict(zip(request.places, request.words, strict=True))
    return held


def test_each_verb_is_its_writes_in_their_order():
    assert sent(2000.0) == [(10, [30]), (11, [1]), (12, [50])]
    assert sent(-2500.0) == [(10, [30]), (11, [2]), (12, [50])]
    assert sent(0.0) == [(12, [0]), (11, [0])]
    assert sent(-0.0) == [(12, [0]), (11, [0])]
    released = verb().release(NOTHING_SHOWN)
    assert [(request.address, request.words) for request in released] == [(11, (9,))]
    assert verb().is_released(image(r11=9, r12=7))
    assert not verb().is_released(image(r11=1))
    assert not verb().is_released({})


def test_a_share_of_the_rated_power_is_that_of_its_direction_and_never_more():
    assert sent(1999.0)[-1] == (12, [49])
    assert sent(-2549.0)[-1] == (12, [50])
    assert verb().resolution == 50.0
    assert verb().kept(-2549.0) == -2500.0


def test_a_power_that_is_told_as_a_float_has_no_steps_to_be_kept_in():
    whole = "type: int16, value: power, of_rated: true, scale:"
    text = VERBS.replace(whole, "type: float32, function: multiple, value: power, scale:")
    assert verb(text).resolution == 0.0
    assert verb(text).kept(-2549.5) == -2549.5


@given(power_w=st.floats(-5000, 4000))
def test_what_it_was_told_is_what_it_shows_within_a_step(power_w):
    shown_w = verb().value(after(power_w))
    assert abs(shown_w - power_w) <= 50.0
    assert abs(shown_w) <= abs(power_w) + 1e-9
    assert shown_w * power_w >= 0.0


def test_what_is_stored_is_written_only_where_the_device_shows_something_else():
    held = LastShown(image=after(2000.0), told={})
    assert sent(1000.0, held) == [(10, [30]), (12, [25])]
    assert sent(-1000.0, held) == [(10, [30]), (11, [2]), (12, [20])]
    assert sent(1000.0, LastShown(image={}, told={})) == [(10, [30]), (11, [1]), (12, [25])]


@pytest.mark.parametrize(
    ("registers", "shown_w"),
    [
        ({"r10": 30, "r11": 1, "r12": 50}, 2000.0),
        ({"r10": 99, "r11": 2, "r12": 50}, -2500.0),  # the timer is read by itself
        ({"r10": 0, "r11": 0, "r12": 0}, 0.0),
        ({"r10": 0, "r11": 1, "r12": 0}, 0.0),
        ({"r10": 0, "r11": 2, "r12": 0}, 0.0),
        ({"r10": 0, "r11": 2, "r12": 0x10000 - 50}, math.nan),  # discharging below zero
        ({"r10": 0, "r11": 0, "r12": 50}, math.nan),  # half way to idle, or somebody else
        ({"r10": 0, "r11": 9, "r12": 0}, math.nan),  # its own rule
        ({"r10": 0, "r11": 7, "r12": 0}, math.nan),
        ({"r10": 0, "r11": 1, "r12": 0x10000 - 50}, math.nan),  # charging below zero
    ],
)
def test_what_it_shows_is_the_verb_whose_writes_it_holds(registers, shown_w):
    assert verb().value(image(**registers)) == pytest.approx(shown_w, nan_ok=True)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_never_sent(value):
    with pytest.raises(ValueError, match="cannot be written"):
        sent(value)


def test_what_does_not_fit_the_register_is_refused_before_anything_is_sent():
    with pytest.raises(ValueError, match="does not fit int16"):
        sent(4e6)


JOINED = VERBS.replace(
    "- {address: 11, type: uint16, value: 2, stored: true}\n"
    "        - {address: 12, type: int16, value: power, of_rated: true, scale: -0.01}",
    "- {address: 11, type: uint16, value: 2, function: multiple}\n"
    "        - {address: 12, type: int16, value: power, of_rated: true, scale: -0.01, "
    "function: multiple, joined: true}",
)


def test_what_is_joined_goes_out_in_one_request():
    assert sent(-2500.0, text=JOINED) == [(10, [30]), (11, [2, 50])]


def test_what_is_joined_is_left_out_only_if_all_of_it_is_stored_and_there():
    text = JOINED.replace("value: 2, function", "value: 2, stored: true, function")
    held = LastShown(image=image(r11=2, r12=50), told={})
    for stored_too, power_w, words in (
        (False, -2500.0, [[2, 50]]), (True, -2500.0, []), (True, -2000.0, [[2, 40]]),
    ):  # fmt: skip
        row = text.replace("joined: true", "joined: true, stored: true") if stored_too else text
        assert [sent_words for _, sent_words in sent(power_w, held, row)[1:]] == words


SOC = VERBS.replace(
    "- {address: 11, type: uint16, value: 0, stored: true}",
    "- {address: 13, type: uint16, value: soc}\n"
    "        - {address: 11, type: uint16, value: 0, stored: true}",
)


def test_a_state_of_charge_is_that_which_the_device_showed_last():
    held = LastShown(image={}, told={Signal.SOC_PCT: 57.9})
    assert sent(0.0, held, SOC) == [(12, [0]), (13, [57]), (11, [0])]
    assert verb(SOC).rests_on == {Signal.SOC_PCT}
    assert verb().rests_on == frozenset()
    with pytest.raises(ValueError, match="soc_pct is not known, on which this command rests"):
        sent(0.0, NOTHING_SHOWN, SOC)
    # Whatever it is by now, that is idle.
    assert verb(SOC).value(image(r10=0, r11=0, r12=0, r13=99)) == 0.0


def test_a_register_that_is_written_twice_shows_what_came_last():
    twice = VERBS.replace(
        "      idle:\n", "      idle:\n        - {address: 11, type: uint16, value: 5}\n"
    )
    assert sent(0.0, text=twice) == [(11, [5]), (12, [0]), (11, [0])]
    assert verb(twice).value(image(r10=0, r11=0, r12=0)) == 0.0


def test_a_register_that_is_written_twice_in_a_row_shows_what_came_last_too():
    twice = VERBS.replace(
        "- {address: 11, type: uint16, value: 0, stored: true}",
        "- {address: 11, type: uint16, value: 5}\n"
        "        - {address: 11, type: uint16, value: 0, stored: true}",
    )
    assert sent(0.0, text=twice) == [(12, [0]), (11, [5]), (11, [0])]
    assert verb(twice).value(image(r10=0, r11=0, r12=0)) == 0.0


ONE_REGISTER = """
writes:
  - point: setpoint_w
    readback: setpoint_readback_w
    verbs:
      charge: &signed
        - {address: 12, type: int16, value: power}
        - {address: 13, type: int16, value: power}
      discharge: *signed
      idle: *signed
"""


def test_one_signed_register_tells_the_verbs_apart_and_may_be_told_twice():
    for power_w, word in ((2000.0, 2000), (-2000.0, 0x10000 - 2000), (0.0, 0)):
        assert sent(power_w, text=ONE_REGISTER) == [(12, [word]), (13, [word])]
        assert verb(ONE_REGISTER).value(image(r12=word, r13=word)) == power_w
    with pytest.raises(ConfigError, match="shows charge shows release as well"):
        table(f"{ONE_REGISTER}      release: [{{address: 14, type: uint16, value: 0}}]\n")


def test_what_the_device_does_not_show_is_not_looked_for():
    hidden = VERBS.replace(
        "- {address: 12, type: int16, value: 0}",
        "- {address: 12, type: int16, value: 0}\n"
        "        - {address: 14, type: uint16, value: 3, shown: false}",
    )
    assert sent(0.0, text=hidden) == [(12, [0]), (14, [3]), (11, [0])]
    assert verb(hidden).value(image(r10=0, r11=0, r12=0, r14=8)) == 0.0
    places = [place for block in table(hidden).blocks() for place in block.places]
    assert (None, "holding", 14) not in places


BLIND = VERBS.replace("stored: true", "shown: false").replace("value: timeout}", "value: timeout, "
        "shown: false}").replace("0.01}", "0.01, shown: false}").replace("value: 0}", "value: 0, "
        "shown: false}").replace("value: 9}", "value: 9, shown: false}")  # fmt: skip


def test_of_a_device_that_shows_nothing_counts_what_it_has_acknowledged():
    assert verb(BLIND).runs == ()
    places = [place for block in table(BLIND).blocks() for place in block.places]
    assert not set(places).intersection(verb(BLIND).places)
    assert verb(BLIND).value(after(2000.0, text=BLIND)) == 2000.0
    assert verb(BLIND).value(after(0.0, text=BLIND)) == 0.0


def test_before_it_has_acknowledged_all_of_a_verb_nobody_knows_what_it_holds():
    assert math.isnan(verb(BLIND).value({}))
    assert math.isnan(verb(BLIND).value(image(r10=30, r11=1)))
    (measured,) = (row for row in table(BLIND).reads if row.signal is Signal.BATTERY_POWER_W)
    polled = dict.fromkeys(measured.places, 0)
    told = {
        each.signal: each for each in table(BLIND).told(polled, dict.fromkeys(measured.places, 7))
    }
    assert math.isnan(told[Signal.SETPOINT_READBACK_W].value)
    assert told[Signal.SETPOINT_READBACK_W].time_ns == 7


def test_verbs_that_are_never_shown_are_told_apart_all_the_same():
    with pytest.raises(ConfigError, match="shows idle shows release as well"):
        table(BLIND.replace("value: 9", "value: 0"))


TWICE = VERBS.replace(
    "- {address: 12, type: int16, value: power, of_rated: true, scale: 0.01}",
    "- {address: 12, type: int16, value: power, of_rated: true, scale: 0.01}\n"
    "        - {address: 13, type: int16, value: power, of_rated: true, scale: 0.01}",
)


def test_a_device_that_takes_the_least_and_the_most_power_is_told_it_twice():
    assert sent(2000.0, text=TWICE)[2:] == [(12, [50]), (13, [50])]
    assert verb(TWICE).value(image(r10=0, r11=1, r12=50, r13=50)) == 2000.0


def test_two_powers_that_do_not_agree_are_none_of_ours():
    assert math.isnan(verb(TWICE).value(image(r10=0, r11=1, r12=50, r13=49)))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (VERBS.replace("      idle:", "      rest:"), "must be 'charge', 'discharge', 'idle'"),
        (VERBS[: VERBS.index("      idle:")], "idle must be told, too"),
        (
            "\nwrites:\n  - {point: setpoint_w, readback: setpoint_readback_w, verbs: {}}",
            "verbs: charge and discharge and idle must be told, too",
        ),
        (VERBS[: VERBS.index("      release:")] + "      release: []", "release: needs at least 1"),
        (VERBS.replace("value: 9", "value: 0"), "a device that shows idle shows release as well"),
        (VERBS.replace("value: 9", "value: 2.5"), "uint16 with scale 1 is never 2.5"),
        (VERBS.replace("value: 9", "value: 70000"), "70000 does not fit uint16"),
        (VERBS.replace("value: 9", "value: full"), "one of power, ac_power, soc, timeout"),
        (VERBS.replace("value: 9", "value: power"), "release has 1 powers; 0 would be right"),
        (VERBS.replace("value: 9", "value: 9, of_rated: true"), "of_rated: only a power"),
        (VERBS.replace("value: 9", "value: 9, stored: true, shown: false"), "stored: whether"),
        (VERBS.replace("value: 9", "value: 9, joined: true"), "joined: registers that go out tog"),
        (
            VERBS.replace("value: 9", "value: 9, joined: true, function: multiple"),
            "joined at 11 follows no register",
        ),
        (
            VERBS.replace("value: timeout}", "value: timeout, joined: true, function: multiple}"),
            "verbs: charge: what is joined at 10 follows no register",
        ),
        (VERBS.replace("{address: 12, type: int16, value: 0}", "{address: 12, type: int32, "
                       "value: 0}"), "int32 takes two registers"),
        (VERBS.replace("  - point: setpoint_w", "  - point: enable"), "setpoint_w"),
        (VERBS.replace("    readback: setpoint_readback_w\n", ""), "readback: is missing"),
    ],
)  # fmt: skip
def test_verbs_that_cannot_be_are_refused_with_their_line(text, named):
    with pytest.raises(ConfigError) as error:
        table(text)
    assert named in str(error.value)
    assert "line " in str(error.value)


def test_a_table_that_stands_for_no_unit_does_not_know_its_timer():
    profile = parse_profile(HEAD + VERBS, source="verbs.yaml")
    with pytest.raises(ValueError, match="the table stands for no unit"):
        profile.writes[0].requests(100.0, NOTHING_SHOWN)
    assert (profile.writes[0].step, profile.writes[0].step_of_rated) == (0.0, 0.0)


def test_what_is_read_covers_all_that_the_verbs_write():
    places = {place for block in table().blocks() for place in block.places}
    assert {(None, "holding", address) for address in (10, 11, 12)} <= places
    assert verb().places <= places


def test_more_than_the_whole_of_what_it_is_rated_for_is_no_share_of_it():
    assert sent(4000.0)[-1] == (12, [100])
    assert sent(-5000.0)[-1] == (12, [100])
    for power_w, rated in ((4001.0, "4000"), (-5001.0, "5000")):
        with pytest.raises(ValueError, match=f"more than the {rated} W it is rated for"):
            sent(power_w)


IDLES_BY_SHARE = VERBS.replace(
    "{address: 12, type: int16, value: 0}",
    "{address: 12, type: int16, value: power, of_rated: true, scale: -0.01}",
)


def test_a_device_that_idles_by_a_share_is_told_none():
    assert sent(0.0, text=IDLES_BY_SHARE) == [(12, [0]), (11, [0])]
    assert verb(IDLES_BY_SHARE).value(image(r10=0, r11=0, r12=0)) == 0.0


def test_what_idles_at_the_ac_side_gives_a_share_of_what_it_gives_at_most():
    idle = IDLES_BY_SHARE.index("      idle:")
    text = IDLES_BY_SHARE[:idle] + IDLES_BY_SHARE[idle:].replace("power,", "ac_power,")
    for pv_w, share in ((2500.0, 50), (5000.0, 100), (5049.0, 100)):
        held = LastShown(image={}, told={Signal.PV_POWER_W: pv_w})
        assert sent(0.0, held, text)[0] == (12, [share])
    with pytest.raises(ValueError, match="more than the 5000 W it is rated for"):
        sent(0.0, LastShown(image={}, told={Signal.PV_POWER_W: 5051.0}), text)


def test_what_has_to_be_known_for_a_command_is_read_though_the_command_is_not_shown():
    power = {"address": 12, "type": "int16", "function": "multiple", "value": "power"}
    mode = {"address": 11, "type": "uint16"}
    row = VerbWrite(
        point="setpoint_w",
        readback="setpoint_readback_w",
        verbs={
            one: (
                ScaledStep.model_validate({**power, "scale_from": 20, "shown": False}),
                VerbStep.model_validate({**mode, "value": number}),
            )
            for number, one in enumerate((Verb.CHARGE, Verb.DISCHARGE, Verb.IDLE))
        },
    )
    assert {place[2] for run in row.basis for place in run} == {20}
    assert {place[2] for run in row.runs for place in run} == {11, 20}


def test_only_what_is_told_its_timer_sets_it():
    assert verb().sets_timer
    assert not verb(VERBS.replace("value: timeout", "value: 7")).sets_timer


AC_SIDE = VERBS.replace("power, of_rated: true, scale: 0.01", "ac_power, scale: 10").replace(
    "power, of_rated: true, scale: -0.01", "ac_power, scale: -10"
)


def test_what_flows_at_the_ac_side_is_the_setpoint_less_what_pv_gives():
    held = LastShown(image={}, told={Signal.PV_POWER_W: 600.0})
    assert sent(2000.0, held, AC_SIDE)[-1] == (12, [140])
    assert sent(-1000.0, held, AC_SIDE)[-1] == (12, [160])
    with pytest.raises(ValueError, match="pv_power_w is not known"):
        sent(2000.0, NOTHING_SHOWN, AC_SIDE)
    shows = image(r10=30, r11=1, r12=140)
    assert verb(AC_SIDE).value(shows, 600.0) == 2000.0
    assert verb(AC_SIDE).value(shows) == 1400.0
    assert verb(AC_SIDE).rests_on == {Signal.PV_POWER_W}


@pytest.mark.parametrize(("table", "type_"), [("holding", "uint16"), ("coil", "bool")])
def test_a_verb_writes_registers_and_coils(table, type_):
    for function in ("single", "multiple"):
        step = VerbStep(table=table, address=1, type=type_, value=1, function=function)
        assert (step.table, step.function) == (table, function)
    plain = VerbStep(address=1, type="uint16", value=1)
    assert (plain.table, plain.function) == ("holding", "single")
    for other in ("input", "discrete"):
        with pytest.raises(ValidationError, match=r"(?m)^table$"):
            VerbStep(table=other, address=1, type=type_, value=1)


def test_a_number_of_two_registers_is_there_when_both_are():
    step = VerbStep(address=10, type="uint32", function="multiple", value=0x1_0002)
    assert step.value == 65538.0
    assert step.holds(image(r10=1, r11=2), (1, 2))
    for other in (image(r10=1, r11=3), image(r10=0, r11=2), image(r10=1)):
        assert not step.holds(other, (1, 2))


NO_TIMER = VERBS.replace("        - {address: 10, type: uint16, value: timeout}\n", "")
FORGETS_NOTHING = HEAD.replace(
    "reads:", "lacks: {revert_timeout_readback_s: it forgets nothing}\nreads:"
)


@pytest.mark.parametrize(
    ("key", "fitting", "beyond"),
    [
        ("step", [0, 0.5], [-0.5, ".inf"]),
        ("step_of_rated", [0, 0.5, 0.99], [-0.1, 1, ".inf", ".nan"]),
        ("writes_per_day", [1], [0]),
        ("refresh_s", [0.5, 60], [0, 60.5]),
    ],
)
def test_a_setpoint_says_what_it_may_and_nothing_beyond(key, fitting, beyond):
    def read(value):
        text = NO_TIMER.replace("    verbs:", f"    {key}: {value}\n    verbs:")
        return parse_profile(FORGETS_NOTHING + text, source="x.yaml").writes[0]

    for value in fitting:
        assert getattr(read(value), key) == value
    for value in beyond:
        with pytest.raises(ConfigError, match=rf"{key}: "):
            read(value)


def test_a_coarse_step_is_a_share_of_the_larger_rated_power():
    no_steps = VERBS.replace("of_rated: true, scale: 0.01", "scale: 1").replace(
        "of_rated: true, scale: -0.01", "scale: -1"
    )
    write, *_ = table(no_steps.replace("    verbs:", "    step_of_rated: 0.02\n    verbs:")).writes
    assert write.step == 100.0, "of 5000 W"
    coarser = no_steps.replace("    verbs:", "    step: 150\n    step_of_rated: 0.02\n    verbs:")
    assert table(coarser).writes[0].step == 150.0


def at_ac_side(power_w, pv_w, grain="10"):
    """The words, and the battery power in W, of a box whose AC side is kept in steps."""
    text = AC_SIDE.replace("scale: 10", f"scale: {grain}").replace("scale: -10", f"scale: -{grain}")
    held = LastShown(image={}, told={Signal.PV_POWER_W: pv_w})
    row = verb(text)
    shown = dict.fromkeys(row.places, 0)
    for request in row.requests(power_w, held):
        shown |= dict(zip(request.places, request.words, strict=True))
    return shown[None, "holding", 12], row.value(shown, pv_w)


@given(power_w=st.floats(-4000, 4000), pv_w=st.floats(0, 6000))
def test_whatever_the_sun_gives_the_battery_never_does_more_than_was_permitted(power_w, pv_w):
    _, shown_w = at_ac_side(power_w, pv_w)
    if power_w == 0.0:
        return  # this box idles with 0 at its AC side
    assert abs(shown_w) <= abs(power_w) + 1e-6
    # Less than a step of 0 W at the battery is shown as 0 W.
    assert abs(shown_w - power_w) < (20.0 if shown_w == 0.0 else 10.0) + 1e-6


@pytest.mark.parametrize(
    ("power_w", "pv_w", "raw", "shown_w"),
    [
        (1000.0, 1500.0, -50, 1000.0),
        (1000.0, 1505.0, -51, 995.0),
        (1000.0, 495.0, 50, 995.0),
        (-1000.0, 495.0, 149, -995.0),
        (-1000.0, 500.0, 150, -1000.0),
        (5.0, 2.0, 0, 0.0),
        (-5.0, 2.0, 0, 0.0),
    ],
)
def test_of_a_step_at_the_ac_side_only_whole_ones_are_told(power_w, pv_w, raw, shown_w):
    word, found_w = at_ac_side(power_w, pv_w)
    signed = word - 0x10000 if word & 0x8000 else word
    assert (abs(signed), found_w) == (abs(raw), shown_w)


def test_a_hair_less_than_a_step_is_one():
    """0.3 / 0.1 is a hair below 3, and 0.7 - 0.4 one below 0.3."""
    assert at_ac_side(0.3, 0.0, "0.1")[0] == 3
    assert at_ac_side(-0.3, 0.0, "0.1")[0] == 3
    assert at_ac_side(0.7, 0.4, "0.1")[0] == 3


def test_one_step_is_a_power_and_less_than_one_is_what_the_sun_has_left_of_none():
    row = verb(AC_SIDE)
    assert row.value(image(r10=30, r11=1, r12=1)) == 10.0
    assert row.value(image(r10=30, r11=1, r12=0), 9.9) == 0.0
    assert row.value(image(r10=30, r11=1, r12=0), 10.0) == 10.0


def test_an_ac_side_without_steps_is_told_what_it_is():
    whole = "type: float32, function: multiple, value: ac_power, scale: -1"
    text = VERBS.replace("type: int16, value: power, of_rated: true, scale: 0.01", whole)
    text = text.replace("type: int16, value: power, of_rated: true, scale: -0.01", whole)
    held = LastShown(image={}, told={Signal.PV_POWER_W: 0.25})
    (*_, request) = verb(text).requests(1000.5, held)
    assert struct.unpack(">f", struct.pack(">HH", *request.words)) == (-1000.25,)


PHASES = TWICE.replace(
    "      discharge:",
    "        - {address: 14, type: int16, value: power, scale: 40}\n      discharge:",
)


def test_a_power_of_three_phases_is_the_whole_on_each_and_they_have_to_agree():
    assert sent(2000.0, text=PHASES)[-1] == (14, [50])
    shown = dict.fromkeys(verb(PHASES).places, 0) | image(r10=0, r11=1, r12=50, r13=50, r14=50)
    assert verb(PHASES).value(shown) == 2000.0
    assert math.isnan(verb(PHASES).value(shown | image(r14=49)))


def test_a_fourth_power_would_be_one_too_many():
    row = "        - {address: 15, type: int16, value: power, scale: 40}\n"
    four = PHASES.replace("      discharge:", f"{row}      discharge:")
    with pytest.raises(ConfigError, match="charge has 4 powers; 1 or 2 or 3 would be right"):
        table(four)


def with_powers(name: str, count: int) -> str:
    """A table in which one verb has so many powers, and each a constant of its own."""
    rows = VERBS[: VERBS.index("      charge:")]
    powers = {"charge": 1, "discharge": 1, "idle": 0, "release": 0} | {name: count}
    for constant, (each, times) in enumerate(powers.items()):
        rows += f"      {each}:\n        - {{address: 11, type: uint16, value: {constant}}}\n"
        for index in range(times):
            rows += f"        - {{address: {20 + index}, type: int16, value: power}}\n"
    return rows


@pytest.mark.parametrize("name", ["charge", "discharge", "idle"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_verb_has_its_power_up_to_three_times(name, count):
    assert len(verb(with_powers(name, count)).verbs[Verb(name)]) > count


@pytest.mark.parametrize(
    ("name", "count", "right"),
    [
        ("charge", 0, "1 or 2 or 3"),
        ("charge", 4, "1 or 2 or 3"),
        ("discharge", 0, "1 or 2 or 3"),
        ("discharge", 4, "1 or 2 or 3"),
        ("idle", 4, "0 or 1 or 2 or 3"),
        ("release", 1, "0"),
    ],
)
def test_a_verb_with_another_number_of_powers_is_refused(name, count, right):
    with pytest.raises(ConfigError) as error:
        table(with_powers(name, count))
    assert f"{name} has {count} powers; {right} would be right" in str(error.value)


def test_a_hair_is_a_billionth_of_a_step():
    assert at_ac_side(10.0 * (1.0 - 1.05e-9), 0.0)[0] == 0
    assert at_ac_side(10.0 * (1.0 - 0.95e-9), 0.0)[0] == 1
    assert at_ac_side(-10.0 * (1.0 - 1.05e-9), 0.0)[0] == 0
    assert at_ac_side(-10.0 * (1.0 - 0.95e-9), 0.0)[0] == 1


def test_a_box_that_rests_at_its_ac_side_is_told_no_more_than_the_sun_gives():
    text = AC_SIDE.replace("type: int16, value: 0}", "type: int16, value: ac_power, scale: -10}")
    for pv_w, raw in ((495.0, 49), (500.0, 50)):
        held = LastShown(image={}, told={Signal.PV_POWER_W: pv_w})
        assert sent(0.0, held, text)[0] == (12, [raw])


def test_the_smallest_power_is_rounded_as_any_other():
    assert at_ac_side(1.0, 0.05, "0.1")[0] == 9
    assert at_ac_side(-1.0, -0.05, "0.1")[0] == 9


def test_what_the_sun_gives_is_nothing_to_a_box_that_is_told_its_batterys_power():
    assert verb().value(image(r10=30, r11=1, r12=50), 600.0) == 2000.0


# ---------------------------------------------------------------------- all or nothing

WHOLE = """
writes:
  - point: setpoint_w
    readback: setpoint_readback_w
    whole: true
    verbs:
      charge:
        - {address: 10, type: uint16, value: timeout}
        - {address: 11, type: uint16, value: 1}
      discharge:
        - {address: 10, type: uint16, value: timeout}
        - {address: 11, type: uint16, value: 2}
      idle:
        - {address: 11, type: uint16, value: 3}
      release:
        - {address: 11, type: uint16, value: 0}
"""


def whole_row() -> VerbWrite:
    row = table(WHOLE).points[Point.SETPOINT_W]
    assert isinstance(row, VerbWrite)
    return row


@pytest.mark.parametrize(
    ("power_w", "mode", "kept_w"),
    [
        (4000.0, 1, 4000.0),
        (9000.0, 1, 4000.0),
        (3999.0, 3, 0.0),
        (0.0, 3, 0.0),
        (-4999.0, 3, 0.0),
        (-5000.0, 2, -5000.0),
        (-9000.0, 2, -5000.0),
    ],
)
def test_a_device_of_modes_alone_does_all_or_nothing_and_never_more(power_w, mode, kept_w):
    row = whole_row()
    requests = row.requests(power_w, NOTHING_SHOWN)
    assert requests[-1].words == (mode,)
    image = {
        place: word for one in requests for place, word in zip(one.places, one.words, strict=True)
    }
    assert row.value(image) == row.kept(power_w) == kept_w
    traits = table(WHOLE).traits[Point.SETPOINT_W]
    assert traits.kept(power_w) == kept_w
    assert (traits.whole_w, traits.step) == ((4000.0, 5000.0), 4000.0)


def test_of_a_device_of_modes_alone_its_own_rule_is_no_command():
    row = whole_row()
    assert math.isnan(row.value({(None, "holding", 11): 0}))
    assert math.isnan(row.value({(None, "holding", 11): 9}))


def test_what_is_no_number_is_not_written_to_a_device_of_modes_alone():
    for power_w in (math.nan, math.inf, -math.inf):
        with pytest.raises(ValueError, match="cannot be written"):
            whole_row().requests(power_w, NOTHING_SHOWN)


def test_without_a_unit_nobody_knows_with_how_much_it_does_it():
    profile = parse_profile(HEAD + WHOLE, source="verbs.yaml")
    assert isinstance(profile, ModbusProfile)
    row = profile.points[Point.SETPOINT_W]
    assert isinstance(row, VerbWrite)
    with pytest.raises(ValueError, match="rated powers are not known"):
        row.requests(4000.0, NOTHING_SHOWN)
    for mode in (1, 2):
        assert math.isnan(row.value({(None, "holding", 11): mode}))
    assert row.value({(None, "holding", 11): 3}) == 0.0
    assert (row.whole_w, row.resolution) == (None, 0.0)


def test_one_that_takes_a_power_has_no_whole():
    row = table(VERBS).points[Point.SETPOINT_W]
    assert isinstance(row, VerbWrite)
    assert row.whole_w is None
    assert table(VERBS).traits[Point.SETPOINT_W].whole_w is None


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("value: 1}", "value: power}", "charge has 1 powers; 0 would be right"),
        ("value: 3}", "value: power}", "idle has 1 powers; 0 would be right"),
        ("value: 2}", "value: 1}", "shows charge shows discharge as well"),
        ("value: 3}", "value: 2}", "shows discharge shows idle as well"),
        ("    whole: true\n", "", "charge has 0 powers; 1 or 2 or 3 would be right"),
    ],
)
def test_modes_that_cannot_be_told_apart_or_take_a_power_are_refused(old, new, complaint):
    assert WHOLE.count(old) == 1
    with pytest.raises(ConfigError, match=complaint):
        table(WHOLE.replace(old, new))


# ---------------------------------------------------------------------- steps, rated powers, signs


def of(text: str, **hardware: float) -> VerbWrite:
    """The setpoint of a table, of a unit with other rated powers."""
    profile = parse_profile(HEAD + text, source="verbs.yaml")
    assert isinstance(profile, ModbusProfile)
    row = profile.bound(HARDWARE.model_copy(update=hardware)).points[Point.SETPOINT_W]
    assert isinstance(row, VerbWrite)
    return row


IN_WATTS = VERBS.replace("of_rated: true, scale: 0.01", "scale: 1").replace(
    "of_rated: true, scale: -0.01", "scale: 1"
)


def test_a_power_is_kept_in_the_coarser_of_register_and_step():
    fine = IN_WATTS.replace("    verbs:", "    step: 50\n    verbs:")
    assert (of(IN_WATTS).kept(1234.5), of(fine).kept(1234.5), of(fine).kept(-99.0)) == (
        1234.0, 1200.0, -50.0,
    )  # fmt: skip


@pytest.mark.parametrize(("charge_w", "discharge_w"), [(6000.0, 5000.0), (4000.0, 6000.0)])
def test_a_step_of_the_rated_power_is_one_of_the_larger(charge_w, discharge_w):
    text = IN_WATTS.replace("    verbs:", "    step_of_rated: 0.02\n    verbs:")
    row = of(text, charge_power_max_w=charge_w, discharge_power_max_w=discharge_w)
    assert row.step == 120.0


def test_a_share_is_one_of_the_rated_power_however_often_that_is_told():
    row = of(VERBS)
    again = row.bound(charge_w=4000.0, discharge_w=5000.0, revert_s=30.0)
    assert again.requests(1000.0, NOTHING_SHOWN) == row.requests(1000.0, NOTHING_SHOWN)


@pytest.mark.parametrize(("mode", "word"), [(1, 0xFFFF), (2, 1)])
def test_a_direction_that_shows_the_least_of_the_other_is_none_of_ours(mode, word):
    assert math.isnan(of(IN_WATTS).value(shown_words(mode, word)))
    assert of(IN_WATTS).value(shown_words(mode, 0)) == 0.0


def shown_words(mode: int, word: int) -> dict[tuple[None, str, int], int]:
    return {(None, "holding", 11): mode, (None, "holding", 12): word}


def test_what_is_told_in_lists_says_in_which():
    with pytest.raises(TypeError, match="abstract"):
        SteppedWrite()
