"""Export costs, and the inverter throttles PV: from a plan's slot to the wire, and back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.plan import Plan
from holdfast.core.signals import Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.simulation.demo_site import with_table
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import LOAD_W, UNIT, Rig
from holdfast.testing.sites import example_content

GRID_LIMIT_W = 10_000.0
"""Of the example's grid connection."""
Slot = tuple[float, float, SlotMode, float | None]
"""Start and end in seconds from now, mode, export limit in W."""


def hybrid_rig(folder: Path) -> Rig:
    """A site whose inverter has PV behind it, and takes an export limit."""
    (unit,) = example_content(folder, bms_on_can=False)["storage"]
    unit["inverter"]["profile"] = "generic_hybrid"
    return Rig(folder, storage=[unit | {"operation": {"ramp_w_per_s": 20_000}}])


@pytest.fixture(scope="module")
def site_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Half full."""
    with hybrid_rig(tmp_path_factory.mktemp("hil")) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.to_running()
        yield rig


@pytest.fixture
def rig(site_rig: Rig) -> Iterator[Rig]:
    """RUNNING on the local rule, at night."""
    yield site_rig
    site_rig.set(pv_override_w=0.0)
    send(site_rig, (-1, 1, SlotMode.SELF_CONSUMPTION, None))  # the plan before must not go on
    site_rig.until(lambda: stored_w(site_rig) == GRID_LIMIT_W, "the grid's limit")
    assert site_rig.damage() == {}


def limited(*slots: Slot, expires_s: float = 60.0) -> Plan:
    plan = plan_of(*((start_s, end_s, 0.0) for start_s, end_s, _, _ in slots), expires_s=expires_s)
    return replace(
        plan,
        slots=tuple(
            replace(slot, mode=mode, export_limit_w=limit_w, reason="export costs")
            for slot, (_, _, mode, limit_w) in zip(plan.slots, slots, strict=True)
        ),
    )


def send(rig: Rig, *slots: Slot, expires_s: float = 60.0) -> None:
    reply = rig.send_plan(limited(*slots, expires_s=expires_s))
    assert reply.accepted, reply.reason


def until_grid(rig: Rig, power_w: float, within_s: float = 15.0) -> None:
    rig.until(
        lambda: abs(rig.plant()["grid_power_w"] - power_w) < 30.0,
        f"{power_w} W at the meter",
        within_s,
    )


def stored_w(rig: Rig) -> float:
    """What the inverter's register holds."""
    limit_w: float = rig.unit["export_limit_readback_w"]
    return limit_w


def test_a_full_battery_lets_no_more_be_exported_than_the_plan_says(tmp_path: Path) -> None:
    with hybrid_rig(tmp_path) as rig:
        rig.start_plant("--soc", "97")
        rig.start("watchdog", "controller")
        rig.to_running()
        assert stored_w(rig) == GRID_LIMIT_W
        rig.set(pv_override_w=4000.0)
        until_grid(rig, LOAD_W - 4000.0)
        send(
            rig, (-1, 8, SlotMode.SELF_CONSUMPTION, 100.0), (8, 60, SlotMode.SELF_CONSUMPTION, None)
        )
        until_grid(rig, -100.0, within_s=7.0)
        plant = rig.plant()
        assert plant["pv_power_w"] == pytest.approx(LOAD_W + 100.0, abs=30.0)
        assert stored_w(rig) == 100.0
        until_grid(rig, LOAD_W - 4000.0)  # the slot is over
        assert stored_w(rig) == GRID_LIMIT_W
        send(rig, (-1, 60, SlotMode.SELF_CONSUMPTION, 0.0), expires_s=6.0)
        until_grid(rig, 0.0, within_s=5.5)
        until_grid(rig, LOAD_W - 4000.0)  # the plan has expired
        assert stored_w(rig) == GRID_LIMIT_W
        assert rig.plant()["energies"]["pv_throttled_wh"] > 5.0
        assert rig.state is State.RUNNING
        assert rig.damage() == {}


def test_a_box_that_takes_a_limit_and_its_switch_throttles_too(tmp_path: Path) -> None:
    """A GoodWe has its limit switched off as it is delivered."""
    content = with_table(example_content(tmp_path, bms_on_can=False), "goodwe_et")
    with Rig(tmp_path, **content) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.to_running()
        rig.until(lambda: rig.value(Signal.EXPORT_LIMIT_READBACK_W) == GRID_LIMIT_W, "the grid's")
        rig.set(pv_override_w=4000.0)
        send(rig, (-1, 60, SlotMode.POWER, 100.0), expires_s=15.0)
        until_grid(rig, -100.0, within_s=30.0)
        limit = rig.quantity(QuantityName.EXPORT_LIMIT)
        assert limit is not None
        assert (limit.asked, limit.read_back) == (100.0, 100.0)
        rig.until(
            lambda: rig.value(Signal.EXPORT_LIMIT_READBACK_W) == GRID_LIMIT_W,
            "the grid's limit, once the plan has expired",
        )
        rig.until(lambda: abs(rig.plant()["pv_power_w"] - 4000.0) < 30.0, "all of the sun")
        assert rig.state is State.RUNNING
        assert rig.damage() == {}


def test_a_battery_that_follows_the_meter_charges_from_pv_that_is_throttled(rig: Rig) -> None:
    """By 100 W at a time. With a limit of 0 W there would be nothing to be seen."""
    rest_s, surplus_w = 10.0, 1000.0  # the throttle needs 4 s for it
    for limit_w in (0.0, 100.0):
        send(
            rig,
            (-1, rest_s, SlotMode.POWER, limit_w),
            (rest_s, 60, SlotMode.SELF_CONSUMPTION, limit_w),
        )
        rig.until_power(0.0, within_s=3.0)
        rig.set(pv_override_w=LOAD_W + surplus_w)
        until_grid(rig, -limit_w, within_s=rest_s)
        if limit_w == 0.0:
            rig.keeps(lambda: abs(rig.power_w) < 100.0, "at rest", rest_s + 5.0)
            rig.set(pv_override_w=0.0)
    rig.until_power(surplus_w, within_s=60.0)
    all_w = LOAD_W + surplus_w
    rig.until(lambda: abs(rig.plant()["pv_power_w"] - all_w) < 30.0, "all of the sun", 30.0)
    assert rig.state is State.RUNNING


def test_an_inverter_that_ignores_its_limit_is_logged_and_the_site_goes_on(rig: Rig) -> None:
    rig.fault("inverter", "ignore_export_limit")
    try:
        rig.set(pv_override_w=4000.0)
        send(rig, (-1, 60, SlotMode.POWER, 100.0), expires_s=15.0)
        rig.until(
            lambda: rig.findings().get("inverter_export_limit_ignored") == "log", "the finding"
        )
        assert stored_w(rig) == GRID_LIMIT_W
        assert rig.state is State.RUNNING
        status = rig.status
        assert status is not None
        assert status.latched_faults == ()
        assert (status.quantities_of(QuantityName.BATTERY_POWER)[UNIT].high or 0.0) > 1000.0
        rig.until(lambda: rig.findings() == {}, "it holds what is asked of it once more")
    finally:
        rig.clear()
