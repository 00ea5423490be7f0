"""A whole site with a precharge: healthy it starts without inrush, and each fault ends safely.

In one process with the plant for each fault, and once over real Modbus.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.core.commands import Command
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.devices.contactor.memory import Phase, Wear
from holdfast.devices.contactor.precharge import PrechargeSequence
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.plant.damage import DamageKind
from holdfast.simulation.plant.storage import StoragePlant
from holdfast.site.site_file import parse_site
from holdfast.testing.rig import UNIT, Rig
from holdfast.testing.sites import example_content

START = datetime(2026, 1, 15, 0, 0, tzinfo=UTC)


def content_in(folder: Path, *, on_can: bool = False) -> dict[str, Any]:
    content = example_content(folder, bms_on_can=on_can)
    content["storage"][0]["relays"]["profile"] = "precharge_relays"
    return content


def simulation_of(folder: Path, *, step_s: float = 0.02, on_can: bool = False) -> Simulation:
    site = parse_site(yaml.safe_dump(content_in(folder, on_can=on_can)), folder=folder)
    plant = SitePlant.from_site(site, soc_pct=60.0)
    plant.household.load_override_w, plant.household.pv_override_w = 800.0, 0.0
    return Simulation(site, plant, start=START, step_s=step_s)


def unit_of(simulation: Simulation) -> StoragePlant:
    return simulation.plant.units[UNIT]


def run(simulation: Simulation, seconds: float) -> None:
    """Let time pass; a site that is ready is told to start."""
    for _ in range(round(seconds / simulation._step_s)):
        idle = simulation.state.machine is State.IDLE
        simulation.step((Command.START,) if idle else ())


def relays_of(simulation: Simulation) -> Any:
    return simulation.state.units[UNIT].relays


@pytest.mark.parametrize("on_can", [False, True], ids=["modbus", "can"])
@pytest.mark.parametrize("step_s", [0.02, 0.1, 1.0])
def test_a_healthy_site_delivers_power_and_its_contactor_took_no_inrush(
    tmp_path: Path, step_s: float, on_can: bool
) -> None:
    simulation = simulation_of(tmp_path, step_s=step_s, on_can=on_can)
    run(simulation, 12.0)
    assert simulation.state.machine is State.RUNNING
    assert unit_of(simulation).inverter.power_w == pytest.approx(-800.0, abs=30.0)
    assert simulation.plant.damage_counts == {}
    assert relays_of(simulation).wear == Wear(closings=1)
    assert simulation.state.findings == ()


def test_no_power_is_enabled_before_the_precharge_is_over(tmp_path: Path) -> None:
    simulation = simulation_of(tmp_path)
    while relays_of(simulation).phase is not Phase.CLOSED if simulation.state.units else True:
        run(simulation, 0.02)
        assert not unit_of(simulation).inverter.enabled
        assert simulation.now_ns < 1e15 + 20e9
    run(simulation, 0.5)
    assert unit_of(simulation).inverter.enabled


def test_a_site_that_is_stopped_starts_again_when_its_link_has_fallen(tmp_path: Path) -> None:
    simulation = simulation_of(tmp_path)
    run(simulation, 5.0)
    simulation.step((Command.STOP,))
    run(simulation, 15.0)
    assert simulation.state.machine is State.RUNNING
    assert relays_of(simulation).wear == Wear(closings=2)
    assert unit_of(simulation).inverter.power_w == pytest.approx(-800.0, abs=30.0)
    assert simulation.plant.damage_counts == {}


# What can be wrong with it. ---------------------------------------------------------------------


def _resistor_open(unit: StoragePlant) -> None:
    assert unit.link is not None
    unit.link.resistor_ohm = math.inf


def _resistor_bridged(unit: StoragePlant) -> None:
    assert unit.link is not None
    unit.link.resistor_ohm = 0.0


def _shorted(unit: StoragePlant) -> None:
    assert unit.link is not None
    unit.link.load_ohm = 0.0


def _loaded(unit: StoragePlant) -> None:
    assert unit.link is not None
    unit.link.load_ohm = 100.0


def _no_inverter(unit: StoragePlant) -> None:
    assert unit.link is not None
    unit.link.capacitance_f = 1e-6


def _welded_and_silent(unit: StoragePlant) -> None:
    unit.contactor.closed = unit.contactor.welded = True
    unit.contactor.feedback_stuck = False


def _stuck_open(unit: StoragePlant) -> None:
    unit.contactor.stuck_open = True


def _feedback_stuck_open(unit: StoragePlant) -> None:
    unit.contactor.feedback_stuck = False


def _feedback_stuck_closed(unit: StoragePlant) -> None:
    unit.contactor.feedback_stuck = True


FAULTS: dict[str, tuple[Callable[[StoragePlant], None], str, str]] = {
    # id: (what is done to the plant before the start, the finding, a part of its text)
    "resistor open": (_resistor_open, "precharge_failed", "too slow"),
    "resistor bridged": (_resistor_bridged, "precharge_failed", "too quick"),
    "link shorted": (_shorted, "precharge_failed", "too slow"),
    "link loaded": (_loaded, "precharge_failed", "too slow"),
    "no inverter": (_no_inverter, "precharge_failed", "too quick"),
    "welded, feedback silent": (_welded_and_silent, "contactor_welded", "the link stays charged"),
    "stuck open": (_stuck_open, "contactor_stuck", "not closed 5 s after"),
    "feedback stuck open": (_feedback_stuck_open, "contactor_stuck", "not closed 5 s after"),
    "feedback stuck closed": (_feedback_stuck_closed, "contactor_stuck", "is to be 0, reads 1"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_ends_in_its_finding_and_without_damage(tmp_path: Path, fault: str) -> None:
    prepare, row, text = FAULTS[fault]
    simulation = simulation_of(tmp_path, step_s=0.05)
    unit = unit_of(simulation)
    prepare(unit)
    said = set()
    # A link that was filled at once has to be empty before that can be seen again.
    for _ in range(2000 if fault == "resistor bridged" else 400):
        run(simulation, 0.05)
        said |= {found.text for found in simulation.state.findings if found.row == f"relays_{row}"}
        assert unit.inverter.power_w == 0.0
    assert simulation.state.machine is State.ERROR
    assert simulation.state.latches.faults == (f"{UNIT}/relays_{row}",)
    assert any(text in words for words in said), said
    assert simulation.plant.damage_counts == {}
    assert not unit.contactor.commanded
    assert unit.link is not None
    assert not unit.link.relay.commanded


def test_a_weld_in_operation_is_found_after_the_stop_and_keeps_the_site_in_error(
    tmp_path: Path,
) -> None:
    simulation = simulation_of(tmp_path)
    run(simulation, 5.0)
    _welded_and_silent(unit_of(simulation))
    run(simulation, 15.0)  # the feedback is lost: dropped; later the link tells more
    assert simulation.state.machine is State.ERROR
    assert f"{UNIT}/relays_contactor_dropped" in simulation.state.latches.faults
    run(simulation, 15.0)
    assert f"{UNIT}/relays_contactor_welded" in simulation.state.latches.faults
    simulation.step((Command.RESET,))
    assert simulation.state.machine is State.ERROR
    assert unit_of(simulation).inverter.power_w == 0.0


def test_a_precharge_that_was_repaired_is_tried_again_after_a_reset(tmp_path: Path) -> None:
    simulation = simulation_of(tmp_path)
    _resistor_open(unit_of(simulation))
    run(simulation, 16.0)
    assert simulation.state.machine is State.ERROR
    link = unit_of(simulation).link
    assert link is not None
    link.resistor_ohm = 20.0
    simulation.step((Command.RESET,))
    assert simulation.state.machine is State.ERROR  # locked out for 10 s
    run(simulation, 10.0)
    simulation.step((Command.RESET,))
    run(simulation, 10.0)
    assert simulation.state.machine is State.RUNNING
    assert simulation.plant.damage_counts == {}


@pytest.mark.parametrize("fault", ["none", "resistor open", "link shorted", "link loaded"])
def test_without_the_check_of_the_precharge_the_contactor_is_damaged(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PrechargeSequence, "_is_complete", lambda *_: True)
    simulation = simulation_of(tmp_path)
    if fault != "none":
        FAULTS[fault][0](unit_of(simulation))
    run(simulation, 5.0)
    assert DamageKind.CONTACTOR_INRUSH in simulation.plant.damage_counts[UNIT]


# Over real Modbus. ------------------------------------------------------------------------------


def test_a_real_site_precharges_runs_and_locks_out_when_the_resistor_is_burnt(
    tmp_path: Path,
) -> None:
    with Rig(tmp_path) as rig:
        content = yaml.safe_load(rig.config.read_text())
        content["storage"][0]["relays"]["profile"] = "precharge_relays"
        rig.config.write_text(yaml.safe_dump(content, sort_keys=False))
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.to_running()
        assert rig.damage() == {}
        assert rig.unit[Signal.PRECHARGE_CLOSED] == 0.0
        rig.set(precharge_resistor_ohm=1e9)
        assert rig.command(Command.STOP).accepted
        rig.until_state(State.IDLE)
        rig.until(lambda: rig.command(Command.START).accepted, "a start")
        # The link is still half charged; three tries of two seconds, three seconds apart.
        rig.until_state(State.ERROR, within_s=30.0)
        status = rig.status
        assert status is not None
        assert f"{UNIT}/relays_precharge_failed" in status.latched_faults
        assert rig.is_safe
        assert rig.unit[Signal.PRECHARGE_CLOSED] == 0.0
        assert rig.damage() == {}
