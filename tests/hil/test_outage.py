"""The grid goes away while a maker's box is told something: the house stays lit, and nothing of
what was told remains in force."""

import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.device_mode import ON_ISLAND, number_of
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.simulation.demo_site import with_table
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import LOAD_W, Rig
from holdfast.testing.sites import example_content

RESTRICTED_AT_MOST_S = 60.0
SERVES = {number_of(mode) for mode in ON_ISLAND}
SMALL_LOAD_W = 19.0


@pytest.fixture(params=["foxess_h3", "goodwe_et"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    content = with_table(example_content(tmp_path, bms_on_can=False), request.param)
    content["storage"][0]["operation"] = {"ramp_w_per_s": 20_000}
    with Rig(tmp_path, **content) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.to_running()
        yield rig
        assert rig.damage() == {}


def tell(rig: Rig, power_w: float, export_limit_w: float | None = None) -> None:
    plan = plan_of((-10, 600, power_w))
    slots = tuple(replace(slot, export_limit_w=export_limit_w) for slot in plan.slots)
    reply = rig.send_plan(replace(plan, slots=slots))
    assert reply.accepted, reply.reason
    rig.until_power(power_w)


def serves_its_house(rig: Rig) -> bool:
    """The house takes all of its load, from the battery alone."""
    return abs(rig.power_w + LOAD_W) < 50.0 and rig.value(Signal.DEVICE_MODE) in SERVES


@pytest.mark.parametrize(
    ("power_w", "export_limit_w"),
    [(0.0, None), (1500.0, None), (0.0, 0.0)],
    ids=["hold", "forced charge", "export limit 0"],
)
def test_a_house_stays_lit_whatever_was_told_and_comes_back_quietly(
    rig: Rig, power_w: float, export_limit_w: float | None
) -> None:
    tell(rig, power_w, export_limit_w)
    rig.set(islanded=True)
    rig.until(lambda: serves_its_house(rig), "the house served", RESTRICTED_AT_MOST_S)
    assert rig.findings().keys().isdisjoint({"setpoint_ignored", "second_writer"})
    rig.keeps(lambda: serves_its_house(rig), "the house served", 5.0)
    status = rig.status
    assert status is not None
    assert status.request_reason == "an island: its load decides the power"

    rig.set(islanded=False)
    rig.until(lambda: rig.power_w == 0.0, "0 W", 5.0)
    status = rig.status
    assert status is not None
    assert status.request_reason == "the grid is back: a minute of quiet first"
    rig.keeps(lambda: rig.state is State.RUNNING and rig.power_w == 0.0, "quiet", 5.0)


def test_a_small_load_is_no_outage(rig: Rig) -> None:
    tell(rig, 0.0)
    rig.set(load_override_w=SMALL_LOAD_W)
    rig.until(lambda: rig.power_w == 0.0, "hold")
    rig.keeps(lambda: rig.value(Signal.ISLANDED) != 1.0 and rig.power_w == 0.0, "hold", 5.0)
    assert rig.value(Signal.DEVICE_MODE) == 0.0
    tell(rig, 1000.0)


def test_a_house_that_is_served_stays_so_without_the_controller(rig: Rig) -> None:
    tell(rig, 0.0)
    rig.set(islanded=True)
    rig.until(lambda: serves_its_house(rig), "the house served", RESTRICTED_AT_MOST_S)
    rig.processes["controller"].signal(signal.SIGKILL)
    end_s = time.monotonic() + 5.0
    while time.monotonic() < end_s:
        assert abs(rig.power_w + LOAD_W) < 50.0
        time.sleep(0.05)
    rig.set(islanded=False)
    rig.until(lambda: rig.power_w == 0.0, "0 W by the watchdog", 5.0)
