"""Tables of devices behind a broker: what they send, what they are sent, what is refused."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.commands import Point
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices import mqtt_profile
from holdfast.devices.json_path import Document, parse_document
from holdfast.devices.json_rows import Message, Unfit
from holdfast.devices.mqtt_profile import MqttProfile, MqttWrite
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.profile import load_profile, parse_profile

GOOD = """
name: x
protocol: mqtt
roles: [load_switch, pv_meter]
source: test
period_s: 0.5
reads:
  - topic: "{base}/state"
    values:
      - {signal: load_on, json: state, words: {ON: 1, OFF: 0}}
      - {signal: room_setpoint_readback_c, json: target}
  - topic: pv/power
    values: [{signal: pv_power_w}]
writes:
  - {point: load_on, topic: "{base}/set", words: {ON: 1, OFF: 0}, readback: load_on}
  - point: room_setpoint_c
    topic: "{base}/target"
    payload: '{"target": {value}}'
    step: 0.5
    readback: room_setpoint_readback_c
"""

BAD = [
    ("roles: [load_switch, pv_meter]", "roles: [load_switch, bms]", "a bms does not speak mqtt"),
    ("period_s: 0.5", "period_s: 0.67", "leaves fewer than 1.5 of them in the shortest maximum"),
    ("period_s: 0.5", "period_s: 0", "period_s"),
    ("period_s: 0.5", "period_s: 0.5\nmax_age_s: 2", "max_age_s: the usual age holds for a load_"),
    ("topic: pv/power", "topic: '{base}/state'", "topic listed twice: {base}/state"),
    ("topic: pv/power", "topic: pv/+", "topic"),
    ("topic: pv/power", "topic: pv/#", "topic"),
    ("signal: pv_power_w", "signal: load_on", "signal listed twice: load_on"),
    ("point: room_setpoint_c", "point: load_on", "point listed twice: load_on"),
    ("point: room_setpoint_c", "point: enable", "enable is taken by inverter, not by load_switch"),
    ("readback: load_on", "readback: load_revert_readback_s", "readback load_revert_readback_s"),
    (", readback: load_on", "", "readback"),
    ('{"target": {value}}', '{"target": 1}', "the value has no place in it, {value}"),
    ("{ON: 1, OFF: 0}, readback", "{ON: 1}, readback", "there is no word for 0"),
    ("step: 0.5", "step: 0.5\n    scale: 0", "scale 0 makes every value 0"),
    ("step: 0.5", "step: -1", "step"),
    ("step: 0.5", "retain: true", "retain"),
    ("source: test", "source: test\navailability: {topic: a, json: 'a b'}", "is no path"),
]


def table(name: str) -> MqttProfile:
    profile = load_profile(name)
    assert isinstance(profile, MqttProfile)
    return profile


def good() -> MqttProfile:
    profile = parse_profile(GOOD, source="x.yaml")
    assert isinstance(profile, MqttProfile)
    return profile


def sent(name: str, content: Any) -> dict[Signal, float] | str:
    parsed = parse_document(json.dumps(content).encode())
    assert isinstance(parsed, Document)
    match table(name).reads[0].read(parsed):
        case Message(values=values):
            return dict(values)
        case Unfit(why=why):
            return why


@pytest.mark.parametrize(("right", "wrong", "told"), BAD, ids=[row[1][:40] for row in BAD])
def test_a_table_that_is_wrong_is_refused(right: str, wrong: str, told: str) -> None:
    assert right in GOOD
    with pytest.raises(ConfigError) as error:
        parse_profile(GOOD.replace(right, wrong, 1), source="x.yaml")
    assert told in str(error.value)


READS = GOOD[GOOD.index("reads:") : GOOD.index("writes:")]


def documents(count: int) -> str:
    """A table of so many messages, each with a signal of its own."""
    rows = [f"  - {{topic: t{n}, values: [{{signal: load_on, json: a}}]}}" for n in range(count)]
    return "reads: []" if not rows else "\n".join(["reads:", *rows])


@pytest.mark.parametrize(
    ("right", "fits", "beyond", "told"),
    [
        ("period_s: 0.5", "period_s: 0.66", "period_s: 0.67", "leaves fewer than 1.5"),
        ("pv/power", "t" * 300, "t" * 301, r"topic: .*at most 300 characters"),
        (
            '{"target": {value}}',
            f"{'p' * 993}{{value}}",
            f"{'p' * 994}{{value}}",
            "payload: .*1000",
        ),
        ("step: 0.5", "step: 0", "step: -0.1", "step: .*at least 0"),
        ("step: 0.5", "step: 0.1", "step: .inf", "step: .*finite"),
    ],
)
def test_a_table_has_its_bounds(right: str, fits: str, beyond: str, told: str) -> None:
    assert right in GOOD
    parse_profile(GOOD.replace(right, fits, 1), source="x.yaml")
    with pytest.raises(ConfigError, match=told):
        parse_profile(GOOD.replace(right, beyond, 1), source="x.yaml")


SLOW = GOOD.replace("[load_switch, pv_meter]", "[load_switch]").replace(
    "  - topic: pv/power\n    values: [{signal: pv_power_w}]\n", ""
)


@pytest.mark.parametrize(("period_s", "fits"), [(0.01, True), (40, True), (41, False), (61, False)])
def test_a_switch_may_tell_itself_rarely(period_s: float, fits: bool) -> None:
    text = SLOW.replace("period_s: 0.5", f"period_s: {period_s}")
    if fits:
        parse_profile(text, source="x.yaml")
        return
    with pytest.raises(ConfigError, match="leaves fewer" if period_s <= 60 else "must be at most"):
        parse_profile(text, source="x.yaml")


@pytest.mark.parametrize(("count", "wrong"), [(0, "at least 1"), (20, None), (21, "at most 20")])
def test_a_device_sends_one_message_to_twenty(count: int, wrong: str | None) -> None:
    with pytest.raises(ConfigError) as error:
        parse_profile(GOOD.replace(READS, f"{documents(count)}\n"), source="x.yaml")
    told = str(error.value)
    assert (wrong or "signal listed twice") in told
    assert ("reads: " in told) is bool(wrong)


def test_who_says_whether_a_device_is_there_says_online_or_offline_unless_told_otherwise() -> None:
    text = GOOD.replace("source: test", "source: test\navailability: {topic: a}")
    profile = parse_profile(text, source="x.yaml")
    assert isinstance(profile, MqttProfile)
    there = profile.availability
    assert there is not None
    assert (there.path, there.online, there.offline) == ("", "online", "offline")


def test_a_table_falls_into_the_parts_of_its_roles() -> None:
    whole = good()
    switch, pv = whole.of(Role.LOAD_SWITCH), whole.of(Role.PV_METER)
    assert switch.points.keys() == {Point.LOAD_ON, Point.ROOM_SETPOINT_C}
    assert [document.topic for document in switch.reads] == ["{base}/state"]
    assert (switch.roles, pv.roles) == ((Role.LOAD_SWITCH,), (Role.PV_METER,))
    assert (pv.points, pv.signals) == ({}, {Signal.PV_POWER_W})
    assert whole.of(*whole.roles) == whole
    assert switch.traits == {
        Point.LOAD_ON: PointTraits(),
        Point.ROOM_SETPOINT_C: PointTraits(step=0.5),
    }


def test_a_command_is_a_word_or_a_number_in_its_place() -> None:
    points = good().points
    assert points[Point.LOAD_ON].message(1.0) == "ON"
    assert points[Point.LOAD_ON].message(0.0) == "OFF"
    assert points[Point.ROOM_SETPOINT_C].message(21.5) == '{"target": 21.5}'
    assert points[Point.ROOM_SETPOINT_C].message(7.0) == '{"target": 7}'
    with pytest.raises(ValueError, match=r"there is no word for 0\.5"):
        points[Point.LOAD_ON].message(0.5)


def write(**keys: Any) -> MqttWrite:
    row = {"point": "load_revert_s", "topic": "x", "readback": "load_revert_readback_s"}
    return MqttWrite.model_validate(row | keys)


def test_what_is_sent_times_the_scale_is_the_value() -> None:
    assert write(scale=60).message(120.0) == "2"
    assert write(scale=0.1).message(0.0) == "0"
    assert write(words={"never": 0, "minute": 60}, payload="go {value}").message(60.0) == (
        "go minute"
    )


def test_what_is_kept_is_in_steps() -> None:
    assert write(step=60).kept(119.0) == 60.0
    assert write().kept(119.5) == 119.5


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_not_sent(value: float) -> None:
    for row in (write(), write(words={"x": 0})):
        with pytest.raises(ValueError, match="cannot be written"):
            row.message(value)
        with pytest.raises(ValueError, match="cannot be written"):
            row.kept(value)


@given(value=st.floats(-1e6, 1e6))
def test_what_is_sent_is_the_value_again(value: float) -> None:
    assert float(write(scale=2).message(value)) * 2 == pytest.approx(value, rel=1e-9, abs=1e-300)


def test_a_tasmota_meter() -> None:
    energy = {"Power": -152, "Voltage": 231}
    assert sent("tasmota_meter", {"Time": "2026-02-03T10:11:12", "ENERGY": energy}) == {
        Signal.GRID_POWER_W: -152.0,
        Signal.GRID_VOLTAGE_V: 231.0,
    }
    missing = sent("tasmota_meter", {"Time": "2026-02-03T10:11:12", "Switch1": "ON"})
    assert missing == "ENERGY.Power is not there, for grid_power_w"
    assert table("tasmota_meter").lost_s(Signal.GRID_POWER_W) == 15.0


@pytest.mark.parametrize(
    ("name", "pv", "from_grid", "to_grid"),
    [
        ("growatt_sph_mqtt", "InputPower", "ACPowerToUserTotal", "ACPowerToGridTotal"),
        ("growatt_mod_mqtt", "PVTotalPower", "TotalForwardPower", "TotalReversePower"),
    ],
)
def test_the_meter_of_a_growatt_as_its_stick_sends_it(
    name: str, pv: str, from_grid: str, to_grid: str
) -> None:
    told = {"InverterStatus": 1, pv: 2500.5, from_grid: 0, to_grid: 812.3, "GridFrequency": 50.01}
    assert sent(name, told) == {
        Signal.GRID_POWER_W: -812.3,
        Signal.PV_POWER_W: 2500.5,
        Signal.GRID_FREQUENCY_HZ: 50.01,
    }
    assert sent(name, {pv: 0, from_grid: 350, to_grid: 0}) == {
        Signal.GRID_POWER_W: 350.0, Signal.PV_POWER_W: 0.0,
    }  # fmt: skip
    assert sent(name, {"InverterStatus": -1}) == f"{from_grid} is not there, for grid_power_w"
    assert table(name).lost_s(Signal.GRID_POWER_W) == 12.0


def test_a_meter_of_our_own_format() -> None:
    assert sent("mqtt_meter", {"grid_power_w": 10, "time": 5}) == {Signal.GRID_POWER_W: 10.0}
    assert sent("mqtt_meter", {"grid_power_w": 10}) == "time is no time"


def test_a_switch_and_a_thermostat_of_our_own_format() -> None:
    assert sent("mqtt_switch", {"on": True, "revert_s": 60}) == {
        Signal.LOAD_ON: 1.0,
        Signal.LOAD_REVERT_READBACK_S: 60.0,
    }
    state = {"on": False, "temperature_c": 20.5, "setpoint_c": 7}
    assert sent("mqtt_thermostat", state) == {
        Signal.LOAD_ON: 0.0,
        Signal.ROOM_TEMPERATURE_C: 20.5,
        Signal.ROOM_SETPOINT_READBACK_C: 7.0,
    }
    points = table("mqtt_switch").points
    assert points[Point.LOAD_ON].message(1.0) == "true"
    assert points[Point.LOAD_REVERT_S].message(60.0) == "60"
    assert table("mqtt_thermostat").points[Point.ROOM_SETPOINT_C].message(20.5) == "20.5"


def test_the_place_of_the_own_topic_and_of_the_value_are_written_as_they_are_documented() -> None:
    assert (mqtt_profile.BASE, mqtt_profile.VALUE) == ("{base}", "{value}")
