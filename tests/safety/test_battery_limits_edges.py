"""Charge and discharge each have their own limit, their own derating and their own name."""

import pytest

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Stale
from holdfast.core.signals import Signal
from holdfast.safety.battery_limits import battery_limits, nameplate
from tests.builders import T0, UNIT, build_site, snapshot_of, unit_content

(LOPSIDED,) = build_site(
    unit_content(battery={"charge_current_max_a": 80, "discharge_current_max_a": 120})
).storage
CHARGE, DISCHARGE = Signal.CHARGE_CURRENT_LIMIT_A, Signal.DISCHARGE_CURRENT_LIMIT_A
VOLTAGE = Signal.PACK_VOLTAGE_V


def limits(values):
    return battery_limits(LOPSIDED, snapshot_of({VOLTAGE: 50.0, **values}))


def ends(envelope):
    return envelope.min_w, envelope.max_w


def test_each_direction_has_its_own_rated_current():
    envelope = limits({CHARGE: None, DISCHARGE: None})
    assert ends(envelope) == pytest.approx((-120 * 50 * 0.96, 80 * 50))
    assert (envelope.min_by, envelope.max_by) == ("battery_current_max", "battery_current_max")


def test_each_direction_is_narrowed_by_its_own_limit_of_the_bms_and_says_so():
    envelope = limits({CHARGE: 30.0, DISCHARGE: 40.0})
    assert ends(envelope) == pytest.approx((-40 * 50 * 0.96, 30 * 50))
    assert (envelope.min_by, envelope.max_by) == (
        "discharge_current_limit_a", "charge_current_limit_a",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("signal", "value", "low_a", "high_a", "low_by", "high_by"),
    [
        (
            Signal.CELL_TEMPERATURE_MIN_C, 5.0, 120, 40,
            "battery_current_max", "cell_temperature_charge_cold",
        ),
        (Signal.CELL_VOLTAGE_MIN_V, 2.9, 30, 80, "cell_voltage_discharge", "battery_current_max"),
    ],
)  # fmt: skip
def test_derating_takes_its_share_of_its_own_direction_only(
    signal, value, low_a, high_a, low_by, high_by
):
    envelope = limits({signal: value})
    assert ends(envelope) == pytest.approx((-low_a * 50 * 0.96, high_a * 50))
    assert (envelope.min_by, envelope.max_by) == (low_by, high_by)


def test_where_the_bms_and_the_data_sheet_say_the_same_the_data_sheet_is_named():
    envelope = limits({CHARGE: 80.0, DISCHARGE: 120.0})
    assert (envelope.min_by, envelope.max_by) == ("battery_current_max", "battery_current_max")


def test_a_limit_that_has_become_stale_still_narrows_while_the_voltage_is_known():
    """The frame with the limits is lost, the one with the voltage keeps coming."""
    fresh = snapshot_of({VOLTAGE: 50.0})
    old = {signal: Stale(value=10.0, time_ns=T0 - 1) for signal in (CHARGE, DISCHARGE)}
    readings = {**fresh.readings, UNIT: {**fresh.readings[UNIT], **old}}
    envelope = battery_limits(LOPSIDED, Snapshot(time_ns=T0, readings=readings))
    assert ends(envelope) == pytest.approx((-10 * 50 * 0.96, 10 * 50))


def test_what_site_yaml_permits_is_said_to_come_from_there():
    envelope = nameplate(LOPSIDED)
    assert (envelope.min_by, envelope.max_by) == ("site.yaml", "site.yaml")
