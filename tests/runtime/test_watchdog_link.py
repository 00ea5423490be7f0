"""By what the watchdog sees that an inverter answers."""

import pytest

from holdfast.core.signals import Signal
from holdfast.runtime.watchdog_link import Link
from tests.simulation.makers.bench import site_of


@pytest.mark.parametrize(
    ("table", "seen_by"),
    [
        ("foxess_h3", Signal.SETPOINT_READBACK_W),
        ("generic_integrated", Signal.SETPOINT_READBACK_W),
        ("sma_sunny_island", Signal.BATTERY_POWER_W),
    ],
)
def test_one_that_does_not_show_its_setpoint_is_seen_by_its_power(
    table: str, seen_by: Signal
) -> None:
    (unit,) = site_of(table).storage
    assert Link("inverter", unit.inverter, unit).seen_by is seen_by
