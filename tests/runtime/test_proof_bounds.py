"""When a proof has to end: by the limit table, by what devices say, and by what is not known."""

import math

import pytest

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import MISSING, Bad, Good, Reading, Stale
from holdfast.core.signals import SITE, Signal
from holdfast.runtime.commissioning.bounds import why_lost, why_stop
from holdfast.runtime.commissioning.judgement import Order, danger, left_s, settled_s
from holdfast.safety.limits import build_limits
from tests.builders import HEALTHY_UNIT, UNIT, build_site

LIMITS = build_limits(build_site())
HEALTHY_SITE = {Signal.EMERGENCY_LOOP_CLOSED: 1.0, Signal.GRID_POWER_W: 500.0}


def snapshot(**changes: float) -> Snapshot:
    values = {**HEALTHY_UNIT, **HEALTHY_SITE, **{Signal(k): v for k, v in changes.items()}}
    readings: dict[str, dict[Signal, Reading]] = {SITE: {}, UNIT: {}}
    for signal, value in values.items():
        owner = SITE if signal in HEALTHY_SITE else UNIT
        readings[owner][signal] = Good(value=value, time_ns=0)
    return Snapshot(time_ns=0, readings=readings)


def order(to_w: float, from_w: float = 0.0) -> Order:
    return Order(
        from_w=from_w, to_w=to_w, power_w=300.0, tolerance_w=60.0, step_w=1.0, written_ns=0
    )


def samples(*values: float) -> list[Good]:
    """One a second, from the command on."""
    return [Good(value=value, time_ns=each * 10**9) for each, value in enumerate(values)]


@pytest.mark.parametrize(
    ("signal", "value", "charging", "discharging"),
    [
        ("soc_pct", 50.0, False, False),
        ("soc_pct", 96.0, True, False),
        ("soc_pct", 9.0, False, True),
        ("cell_voltage_max_v", 3.61, True, False),
        ("cell_voltage_max_v", 3.66, True, True),
        ("cell_voltage_min_v", 2.75, False, True),
        ("cell_temperature_max_c", 56.0, True, True),
        ("cell_temperature_min_c", 0.5, True, False),
        ("charge_allowed", 0.0, True, False),
        ("discharge_allowed", 0.0, False, True),
        ("emergency_loop_closed", 0.0, True, True),
        ("bms_protection", 1.0, True, True),
        ("inverter_fault", 1.0, True, True),
        ("islanded", 1.0, True, True),
    ],
)
def test_a_value_ends_the_power_in_the_directions_that_it_forbids(
    signal: str, value: float, charging: bool, discharging: bool
) -> None:
    now = snapshot(**{signal: value})
    assert bool(why_stop(now, LIMITS, (1.0,))) is charging
    assert bool(why_stop(now, LIMITS, (-1.0,))) is discharging


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        (Good(value=1.0, time_ns=0), ""),
        (Stale(value=1.0, time_ns=0), "soc_pct is no longer told"),
        (Bad(reason="600 %", time_ns=0), "soc_pct cannot be true: 600 %"),
        (MISSING, "soc_pct was never told"),
    ],
)
def test_what_is_not_known_is_told(reading: Reading, told: str) -> None:
    now = Snapshot(time_ns=0, readings={UNIT: {Signal.SOC_PCT: reading}})
    assert why_lost(now, {UNIT: (Signal.SOC_PCT,)}) == told


@pytest.mark.parametrize(
    ("power_w", "asked", "told"),
    [
        (300.0, order(300.0), ""),
        (590.0, order(300.0), ""),
        (610.0, order(300.0), "wrong scale"),
        (-140.0, order(300.0), ""),
        (-160.0, order(300.0), "wrong sign"),
        (300.0, order(-300.0, 300.0), ""),
        (460.0, order(-300.0, 300.0), "wrong sign"),
        (460.0, order(0.0, 300.0), "wrong sign"),
        (math.nan, order(300.0), "wrong scale"),
    ],
)
def test_too_much_power_and_power_the_wrong_way_are_dangerous(
    power_w: float, asked: Order, told: str
) -> None:
    assert told in danger(power_w, asked)
    assert bool(told) is bool(danger(power_w, asked))


def test_a_power_is_there_once_it_stays_and_has_left_once_it_stays_away() -> None:
    assert settled_s(samples(0.0, 290.0, 0.0, 280.0, 310.0), order(300.0)) is None
    assert settled_s(samples(0.0, 290.0, 0.0, 280.0, 310.0, 300.0), order(300.0)) == 3.0
    assert left_s(samples(300.0, 0.0, 300.0, 10.0), order(300.0)) is None
    assert left_s(samples(300.0, 0.0, 300.0, 10.0, 0.0), order(300.0)) == 3.0
