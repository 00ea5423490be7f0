"""Tables of batteries on CAN: what holds for all of their rows, what they ask, their address."""

import pytest

from holdfast.core.config.storage import InverterHardware
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.profile import load_profile, parse_profile

HEAD = """
name: x
protocol: can
roles: [bms]
source: test
burst_period_s: 1
"""
FRAMES = """
frames:
  - id: 0x4210
    fields:
      - {signal: pack_voltage_v, byte: 0, type: uint16}
  - id: 0x4220
    byte_order: low_first
    extended: true
    fields:
      - {signal: soc_pct, byte: 0, type: uint16}
"""


def table(said="", frames=FRAMES):
    return parse_profile(f"{HEAD}{said}{frames}", source="x.yaml")


def test_what_a_table_says_holds_for_its_rows_but_for_those_that_say_otherwise():
    profile = table("extended: true\nbyte_order: high_first\nasks: [{id: 0x4200, data: [0]}]")
    assert [frame.extended for frame in profile.frames] == [True, True]
    assert [frame.byte_order for frame in profile.frames] == ["high_first", "low_first"]
    assert profile.frames[0].decode(b"\x01\x02") == {Signal.PACK_VOLTAGE_V: 0x102}
    assert profile.frames[1].decode(b"\x01\x02") == {Signal.SOC_PCT: 0x201}
    (ask,) = profile.asks
    assert (ask.id, ask.extended, ask.data, ask.every_s) == (0x4200, True, (0,), 1.0)


def test_a_table_that_says_nothing_is_little_endian_with_identifiers_of_eleven_bits():
    plain = table("", FRAMES.replace("0x4210", "0x421"))
    assert (plain.extended, plain.byte_order, plain.addressed) == (False, "low_first", False)
    assert [frame.extended for frame in plain.frames] == [False, True]
    assert plain.asks == ()


@pytest.mark.parametrize(
    ("said", "frames", "text"),
    [
        ("", FRAMES, r"line 9: frames\[0\].id: 0x4210 is more than 11 bits have"),
        ("extended: true\nasks: [{id: 0x20000000}]", FRAMES, r"line 8: asks\[0\].id"),
        ("asks: [{id: 0x4200}]", FRAMES, r"line 7: asks\[0\].id: 0x4200 is more than 11 bits"),
        ("keep_alive_id: 0x4200", FRAMES, "line 7: keep_alive_id: 0x4200 is more than 11 bits"),
        ("extended: maybe", FRAMES, "extended"),
        ("byte_order: mixed", FRAMES, "byte_order"),
        ("extended: true\naddressed: true", FRAMES.replace("4220", "4221"), "0x4221: in a table"),
        ("extended: true", "\nframes: none", r"frames: .*must be a list"),
        ("extended: true", "\nframes: [none]", r"frames\[0\]: .*must be a section"),
        ("extended: true\nasks: 1", FRAMES, r"asks: .*must be a list"),
    ],
)
def test_mistakes_are_told_with_their_line(said, frames, text):
    with pytest.raises(ConfigError, match=text):
        table(said, frames)


def test_what_is_no_section_is_refused():
    with pytest.raises(ConfigError):
        parse_profile("- protocol: can", source="x.yaml")
    with pytest.raises(ValueError, match=r"CanProfile.*input_value=1,"):
        CanProfile.model_validate(1)


@pytest.mark.parametrize("keep_alive_id", [0x305, 0x1FFF_FFFF])
def test_a_keep_alive_has_as_many_bits_as_the_table(keep_alive_id):
    profile = table(f"extended: true\nkeep_alive_id: {keep_alive_id}")
    assert profile.keep_alive_id == keep_alive_id
    assert table("extended: true\nkeep_alive_id: null").keep_alive_id is None


def test_the_rows_of_a_battery_have_its_address_in_their_identifiers():
    profile = table("extended: true\naddressed: true")
    assert [frame.id for frame in profile.at(0).frames] == [0x4210, 0x4220]
    assert [frame.id for frame in profile.at(3).frames] == [0x4213, 0x4223]
    assert profile.at(3).signals == profile.signals


def test_a_battery_without_an_address_has_none():
    profile = load_profile("pylontech_lv_can")
    assert profile.at(0) is profile
    with pytest.raises(ValueError, match="address 1: its batteries have none"):
        profile.at(1)


def test_a_table_is_the_same_for_every_role_and_inverter_and_is_sent_nothing():
    profile = load_profile("pylontech_lv_can")
    hardware = InverterHardware(charge_power_max_w=1, discharge_power_max_w=1)
    assert profile.of(Role.BMS) is profile.bound(hardware) is profile
    assert profile.points == profile.traits == profile.lacks == {}
