"""What tables of all protocols say of themselves."""

import itertools

import pytest

from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.devices.device_table import check_roles
from holdfast.devices.profile import parse_profile
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


def test_of_several_signals_of_another_device_the_first_by_name_is_named() -> None:
    """A message that changes from run to run cannot be searched for."""
    others = [signal for signal in Signal if SIGNALS[signal].producer is Role.INVERTER]
    for pair in itertools.combinations(others, 2):
        with pytest.raises(ValueError, match=f"^{min(pair)} is produced by inverter, not by bms"):
            check_roles((Role.BMS,), {*pair, Signal.SOC_PCT})
