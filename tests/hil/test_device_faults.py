"""Devices that fail on their wire: at the start, in operation, and when they only pretend."""

from collections.abc import Iterable, Iterator

import pytest

from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import QuantityName
from holdfast.monitoring.status.comms import silent_devices
from holdfast.testing.rig import LOAD_W, Rig
from holdfast.testing.sites import example_content

BMS_BACK_S = 45.0
"""A BMS that was lost must be stable for 30 s; then its limits rise slowly."""
RAMP_S = 0.5
"""Lost data take the power to 0 W within this, once they are lost."""


@pytest.fixture(scope="module")
def booting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A plant and a watchdog; each test starts a controller."""
    with Rig(tmp_path_factory.mktemp("boot")) as rig:
        rig.start_plant()
        rig.start("watchdog")
        yield rig


def named(lines: Iterable[str], name: str, why: str) -> bool:
    """True if one of ``lines`` names the device and the reason."""
    return any(name in line and why in line for line in lines)


@pytest.mark.parametrize(
    ("role", "kind", "value", "why"),
    [
        ("inverter", "absent", None, "of device 1: waited 0.5 s"),
        ("bms", "slow", 2.0, "of device 1: waited 0.5 s"),
        ("meter", "exception", 2, "was answered with exception 2 (illegal data address)"),
        ("relays", "wrong_unit_id", None, "no answer to read discrete inputs at 1 of device 2"),
    ],
)
def test_a_site_with_a_broken_device_does_not_leave_boot_and_says_which(
    booting: Rig, role: str, kind: str, value: float | None, why: str
) -> None:
    rig = booting
    rig.clear()
    rig.fault(role, kind, value)
    rig.start("controller")
    try:
        rig.until(lambda: rig.status and len(rig.status.readings["battery"]) > 5, "some data")
        rig.keeps(lambda: rig.state is State.BOOT, "in BOOT", 0.5)
        status = rig.status
        assert status is not None
        signals = {
            "inverter": "setpoint_readback_w", "bms": "soc_pct", "meter": "grid_power_w",
            "relays": "contactor_closed", "emergency_input": "emergency_loop_closed",
        }  # fmt: skip
        found = [f for f in status.findings if f.row == f"{role}_data_missing"]
        assert found, status.findings
        assert "never read" in found[0].text
        assert any(found[0].text in reason for reason in status.waits_for)
        assert signals[role] in found[0].text or role in {"inverter", "bms", "meter"}
        name = f"{role if role == 'meter' else f'battery/{role}'} at 127.0.0.1:"
        log = rig.files.logs / "controller.log"
        rig.until(
            lambda: rig.status and named(silent_devices(rig.status), name, why), "its name and why"
        )
        rig.until(lambda: named(log.read_text().splitlines(), name, why), "a line in the log")
        assert named(rig.cli("explain").stdout.splitlines(), name, why)
        assert not rig.command(Command.START).accepted
        assert rig.is_safe
        # It is not lost for ever.
        rig.clear()
        rig.until_state(State.IDLE)
        assert rig.is_safe
    finally:
        rig.clear()
        rig.processes["controller"].end()
    assert rig.damage() == {}


@pytest.mark.parametrize(
    ("role", "kind", "value"),
    [
        ("inverter", "exception", 4),
        ("inverter", "slow", 3.0),
        ("meter", "wrong_unit_id", None),
        ("relays", "reset", None),
    ],
)
def test_a_device_that_is_lost_takes_the_power_to_zero_and_it_comes_back_by_itself(
    rig: Rig, role: str, kind: str, value: float | None
) -> None:
    rig.fault(role, kind, value)
    max_age_s = 1.0
    revert_s = 5.0 if role == "inverter" else 0.0  # then only its own timer can act
    rig.until(lambda: rig.power_w == 0.0, "0 W", max_age_s + RAMP_S + revert_s + 3.0)
    lost = f"{role}_data_lost"
    rig.until(lambda: rig.findings().get(lost) == "ramp_to_zero", "the finding", 1.0)
    assert rig.state is State.RUNNING
    rig.clear()
    rig.until_power(-LOAD_W, within_s=15.0)
    rig.until(lambda: lost not in rig.findings(), "the finding gone", 1.0)
    assert rig.state is State.RUNNING


def _refusals(rig: Rig) -> int:
    return 0 if rig.status is None else rig.status.comms["battery/inverter"].errors


@pytest.mark.parametrize("share_pct", [5.0, 20.0])
def test_an_inverter_that_is_busy_now_and_then_goes_on(rig: Rig, share_pct: float) -> None:
    """A refused answer is a missed poll: of a reading, of a command and of the watchdog's."""
    rig.until_power(-LOAD_W, within_s=15.0)
    before = _refusals(rig)
    rig.fault("inverter", "busy", share_pct)
    try:
        rig.until(lambda: _refusals(rig) >= before + 10, "refusals", 30.0)
        rig.keeps(lambda: not rig.findings(), "without a finding", 3.0)
        rig.until_power(-LOAD_W)
    finally:
        rig.clear()


def test_an_inverter_that_takes_its_time_runs_at_half_power(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Some answer in 0.6 to 1.5 s; site.yaml gives them the time."""
    folder = tmp_path_factory.mktemp("slow")
    content = example_content(folder, bms_on_can=False)
    unit = content["storage"][0]
    unit["operation"] = {"ramp_w_per_s": 20_000}
    unit["inverter"]["connection"]["timeout_s"] = 3.0
    unit["inverter_hardware"] |= {"revert_timeout_s": 15.0, "response_time_s": 8.0}
    with Rig(folder, storage=content["storage"]) as rig:
        rig.start_plant()
        rig.set(load_override_w=4000.0)
        rig.fault("inverter", "slow", 0.8)
        rig.start("watchdog", "controller")
        rig.until_running(lambda: -2600.0 < rig.power_w < -2400.0, "half of 5 kW")
        assert rig.findings() == {"inverter_data_old": "derate"}
        rig.keeps(lambda: rig.state is State.RUNNING, "RUNNING", 5.0)
        rig.until_power(-2500.0)
        rig.fault("inverter", "absent")
        rig.until(lambda: rig.power_w == 0.0, "0 W by its own timer", 25.0)
        assert rig.damage() == {}


def test_old_data_derate_before_they_are_lost(rig: Rig) -> None:
    # A BMS may be silent for 5 s; from half of that on only half is permitted.
    rig.set(load_override_w=4500.0)
    try:
        rig.until_power(-4500.0, within_s=30.0)  # what was lost before rises by 5 % a second
        rig.fault("bms", "absent")
        rig.until(lambda: rig.findings().get("bms_data_old") == "derate", "derating", 4.0)
        rig.until(lambda: -2600.0 < rig.power_w < -2000.0, "half of 5 kW", 2.0)
        power = rig.quantity(QuantityName.BATTERY_POWER)
        assert power is not None
        assert -2600.0 <= (power.low or 0.0) <= -2000.0
    finally:
        rig.clear()
        rig.set(load_override_w=LOAD_W)


def test_a_can_bus_that_falls_silent_derates_then_stops_then_comes_back(can_rig: Rig) -> None:
    can_rig.fault("bms", "can_silent")
    can_rig.until(lambda: can_rig.findings().get("bms_data_old") == "derate", "derating", 5.0)
    can_rig.until(lambda: can_rig.power_w == 0.0, "0 W", 8.0)
    can_rig.until(
        lambda: can_rig.findings().get("bms_data_lost") == "ramp_to_zero", "told in the status", 2.0
    )
    assert can_rig.state is State.RUNNING
    can_rig.clear()
    held = "over, not yet for long enough"
    can_rig.until(lambda: can_rig.status and held in str(can_rig.status.findings), "the hold", 5.0)
    assert can_rig.power_w == 0.0
    can_rig.until_power(-LOAD_W, within_s=BMS_BACK_S)


def test_half_frames_are_no_data(can_rig: Rig) -> None:
    before = can_rig.status
    assert before is not None
    can_rig.fault("bms", "can_short")
    can_rig.until(lambda: can_rig.findings().get("bms_data_old") == "derate", "derating", 5.0)
    after = can_rig.status
    assert after is not None
    assert after.comms["battery/bms"].errors > before.comms["battery/bms"].errors
    assert after.comms["battery/bms"].last_error


def test_an_inverter_that_ignores_setpoints_trips_and_stays_so_until_a_reset(rig: Rig) -> None:
    rig.fault("inverter", "ignore_setpoint")
    rig.set(load_override_w=1100.0)
    try:
        rig.until_state(State.ERROR, within_s=8.0)
        status = rig.status
        assert status is not None
        assert "battery/inverter_setpoint_ignored" in status.latched_faults
        # Its power stage is switched off by the enable, and the contactor is opened.
        rig.until(lambda: rig.is_safe, "0 W, contactor open", 5.0)
        assert not rig.command(Command.RESET).accepted
        assert not rig.command(Command.START).accepted
        rig.start("controller")
        rig.until_state(State.ERROR)
        rig.clear()
        rig.until(lambda: not rig.findings(), "that all is well")
        rig.keeps(lambda: rig.state is State.ERROR and rig.is_safe, "ERROR at rest", 0.3)
        rig.until(lambda: rig.command(Command.RESET).accepted, "a reset")
        rig.until_state(State.IDLE)
        assert rig.is_safe
    finally:
        rig.clear()
        rig.set(load_override_w=LOAD_W)


def test_a_welded_contactor_trips_and_is_not_believed_open(rig: Rig) -> None:
    try:
        rig.set(contactor_welded=True)
        assert rig.command(Command.STOP).accepted
        rig.until_state(State.ERROR, within_s=12.0)
        status = rig.status
        assert status is not None
        assert "battery/relays_contactor_stuck" in status.latched_faults
        assert rig.power_w == 0.0
    finally:
        rig.set(contactor_welded=False)


def test_the_site_works_again_after_all_of_this(rig: Rig) -> None:
    rig.until_power(-LOAD_W)
