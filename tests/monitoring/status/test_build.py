"""The status: what was published is read back as it was, and nothing else passes for one."""

import asyncio
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.commands import Command, Point
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.monitoring.status.codec import decode_status, encode_status
from holdfast.monitoring.status.histogram import BOUNDS_S, Histogram
from tests.builders import LOAD, UNIT, device, load_content, room_content
from tests.monitoring.test_metrics import status_of
from tests.runtime.bench import LoopBench, site_in


async def test_a_status_survives_the_way(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    await bench.to_idle()
    bench.values[UNIT, Signal.CELL_VOLTAGE_MAX_V] = math.inf
    bench.values[UNIT, Signal.SOC_PCT] = 99.0
    status = await status_of(bench)
    assert status.findings
    assert decode_status(encode_status(status)) == status


async def test_in_boot_it_says_what_it_waits_for(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    bench.values[SITE, Signal.EMERGENCY_LOOP_CLOSED] = 1.0
    bench.values[SITE, Signal.WATCHDOG_ARMED] = 0.0
    del bench.values[UNIT, Signal.SOC_PCT]
    status = await status_of(bench)
    assert status.state is State.BOOT
    waits = " ".join(status.waits_for)
    assert "watchdog" in waits
    assert "soc_pct was never read" in waits
    assert status.value(UNIT, Signal.SOC_PCT) is None
    assert status.value("nowhere", Signal.SOC_PCT) is None


async def test_the_way_of_the_setpoint_is_told_layer_by_layer(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    await bench.to_idle()
    bench.values[SITE, Signal.GRID_POWER_W] = 9_000.0
    bench.sample()
    await bench.loop.command(Command.START)
    for _ in range(20):
        await asyncio.sleep(0.02)
        await bench.cycle()
    layers = (await status_of(bench)).quantities_of(QuantityName.BATTERY_POWER)[UNIT]
    # Asked for all that the grid lacks, permitted what the hardware can, ramped on the way there.
    assert (layers.asked or 0.0) < 0.0
    assert layers.permitted == pytest.approx(layers.low)
    assert (layers.permitted or 0.0) < (layers.ramped or 0.0) < 0.0
    assert layers.written is not None
    assert (layers.ramped or 0.0) <= layers.written <= 0.0


async def test_quality_and_age_are_told(tmp_path: Path) -> None:
    bench = LoopBench(tmp_path)
    bench.values[SITE, Signal.GRID_POWER_W] = math.nan
    status = await status_of(bench)
    grid = status.readings[SITE][Signal.GRID_POWER_W]
    assert (grid.quality, grid.value) == ("bad", None)
    soc = status.readings[UNIT][Signal.SOC_PCT]
    assert (soc.quality, soc.value, soc.unit) == ("good", 50.0, "%")
    assert soc.age_s is not None
    assert 0.0 <= soc.age_s < 5.0


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"[1]", b'{"site": "x"}', b"\xff"])
def test_what_is_no_status_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_status(content)


async def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    status = await status_of(LoopBench(tmp_path))
    layers = replace(status.quantities[0], measured=math.nan)
    content = encode_status(replace(status, quantities=(layers,)))
    assert b"NaN" not in content
    assert decode_status(content).quantities[0].measured is None


@given(st.lists(st.floats(0.0, 10.0), max_size=50))
def test_a_histogram_counts_each_duration_once_in_its_bucket(durations: list[float]) -> None:
    histogram = Histogram()
    for duration_s in durations:
        histogram.add(duration_s)
    status = histogram.status()
    assert sum(status.counts) == len(durations)
    assert status.sum_s == pytest.approx(sum(durations))
    assert status.max_s == max(durations, default=0.0)
    for index, bound_s in enumerate(BOUNDS_S):
        below = sum(status.counts[: index + 1])
        assert below == sum(duration_s <= bound_s for duration_s in durations)


async def test_all_quantities_are_told_and_survive_the_way(tmp_path: Path) -> None:
    site = site_in(
        tmp_path,
        loads=[load_content(without_plan="on")],
        rooms=[room_content(switch=device("generic_thermostat"))],
    )
    bench = LoopBench(tmp_path, site)
    bench.values["parlour", Signal.ROOM_TEMPERATURE_C] = 19.0
    setpoint = (Role.LOAD_SWITCH, Point.ROOM_SETPOINT_C, "parlour")
    switch = (Role.LOAD_SWITCH, Point.LOAD_ON, LOAD)
    await bench.cycle_until(lambda: 1.0 in bench.written(*switch))
    await bench.cycle_until(lambda: 20.0 in bench.written(*setpoint))
    status = await status_of(bench)
    assert decode_status(encode_status(status)) == status
    assert {(quantity.name, quantity.owner) for quantity in status.quantities} == {
        ("battery_power", UNIT),
        ("load", LOAD),
        ("load", "parlour"),
        ("room_setpoint", "parlour"),
    }
    # Planner and people find what switches show where all readings are.
    assert status.value(LOAD, Signal.LOAD_ON) == 1.0
    assert status.value("parlour", Signal.ROOM_TEMPERATURE_C) == 19.0
    dead = bench.drivers[LOAD, Role.LOAD_SWITCH]
    dead.fails = 1000
    dead.written.clear()
    bench.values[LOAD, Signal.LOAD_ON] = math.nan
    await bench.loop.command(Command.EMERGENCY_STOP)
    boiler = (await status_of(bench)).quantities_of(QuantityName.LOAD)[LOAD]
    assert (boiler.asked, boiler.high, boiler.limited_by) == (1.0, 0.0, "state_stopped")
    assert boiler.read_back is None
