"""Import is paid for, and the inverter switches its PV off: from a plan's slot to the wire.

And back on, whoever is gone by then.
"""

import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import LOAD_W, Rig
from tests.hil.test_export_limit import hybrid_rig, until_grid

PV_W = 4000.0


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Full, and in the sun."""
    with hybrid_rig(tmp_path_factory.mktemp("hil")) as site_rig:
        site_rig.start_plant("--soc", "97")
        site_rig.start("watchdog", "controller")
        site_rig.to_running()
        site_rig.set(pv_override_w=PV_W)
        until_grid(site_rig, LOAD_W - PV_W)
        yield site_rig


def send(rig: Rig, off_until_s: float) -> None:
    """PV is off at once and on from ``off_until_s`` on; the battery rests."""
    plan = plan_of((-1, off_until_s, 0.0), (off_until_s, 120, 0.0))
    slots = tuple(
        replace(slot, mode=SlotMode.HOLD, pv_on=on, reason="importing pays")
        for slot, on in zip(plan.slots, (False, True), strict=True)
    )
    reply = rig.send_plan(replace(plan, slots=slots))
    assert reply.accepted, reply.reason


def is_on(rig: Rig) -> bool:
    """What the inverter's register holds."""
    return bool(rig.unit["pv_on"])


def test_pv_is_off_while_the_slot_lasts_and_the_site_imports(rig: Rig) -> None:
    send(rig, 12.0)
    until_grid(rig, LOAD_W, within_s=11.0)
    assert not is_on(rig)
    assert rig.plant()["pv_power_w"] == pytest.approx(0.0, abs=30.0)
    switch = rig.quantity(QuantityName.PV_SWITCH)
    assert switch is not None
    assert (switch.asked, switch.written, switch.read_back) == (0.0, 0.0, 0.0)
    until_grid(rig, LOAD_W - PV_W, within_s=20.0)
    assert is_on(rig)
    assert rig.state is State.RUNNING
    assert rig.damage() == {}


def test_an_inverter_that_ignores_its_switch_is_logged_and_the_site_goes_on(rig: Rig) -> None:
    rig.fault("inverter", "ignore_pv_switch")
    try:
        send(rig, 10.0)
        rig.until(lambda: rig.findings().get("inverter_pv_switch_ignored") == "log", "the finding")
        assert is_on(rig)
        assert rig.state is State.RUNNING
        rig.until(lambda: "inverter_pv_switch_ignored" not in rig.findings(), "its end", 20.0)
    finally:
        rig.clear()


def test_when_the_controller_is_killed_the_watchdog_lets_pv_through_again(rig: Rig) -> None:
    """It repeats 0 W, so that the inverter's own timer never runs out."""
    send(rig, 100.0)
    rig.until(lambda: not is_on(rig), "PV off")
    rig.processes["controller"].signal(signal.SIGKILL)
    rig.processes["controller"].wait()
    rig.until(lambda: is_on(rig), "PV on by the watchdog", 5.0)
    rig.set(pv_override_w=0.0)
    rig.start("controller")
    rig.to_running()
    rig.set(pv_override_w=PV_W)


def test_when_nobody_is_left_the_inverters_own_timer_lets_pv_through_again(rig: Rig) -> None:
    send(rig, 100.0)
    rig.until(lambda: not is_on(rig), "PV off")
    for name in ("watchdog", "controller"):
        rig.processes[name].signal(signal.SIGKILL)
        rig.processes[name].wait()
    rig.until(lambda: is_on(rig), "PV on by the revert timer", 15.0)
