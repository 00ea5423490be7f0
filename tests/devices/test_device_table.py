"""What tables of all protocols say of themselves."""

import pytest

from holdfast.core.config.storage import InverterHardware
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.devices.profile import load_profile, parse_profile
from holdfast.safety.goals import Goal

TABLE = """
name: x
protocol: modbus
roles: [inverter]
source: test
poll_period_s: 0.1
reads:
  - {signal: battery_power_w, address: 0, type: int32}
"""


def test_who_found_it_right_and_what_it_guards_is_said_in_words() -> None:
    bare = parse_profile(TABLE, source="x.yaml")
    assert (bare.confirmed, bare.guards) == (None, {})
    told = parse_profile(TABLE + "confirmed: abc\nguards: {overcurrent: p 7}", source="x.yaml")
    assert (told.confirmed, told.guards) == ("abc", {Goal.OVERCURRENT: "p 7"})


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ("confirmed: me", "confirmed"),
        ("guards: {overcurrent: p7}", "guards.overcurrent"),
        ("guards: {overtime: never}", "guards.overtime"),
        (f"confirmed: {'x' * 301}", "confirmed"),
    ],
)
def test_less_than_a_word_and_an_unknown_goal_are_refused(more: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        parse_profile(TABLE + more, source="x.yaml")


def test_who_broadcasts_on_can_is_the_same_for_every_role_and_unit() -> None:
    profile = load_profile("pylontech_lv_can")
    assert profile.of(Role.BMS) is profile
    assert profile.lacks == {}
    assert profile.points == {}
    assert profile.traits == {}
    hardware = InverterHardware(charge_power_max_w=1, discharge_power_max_w=1)
    assert profile.bound(hardware) is profile
