"""A site whose contactor and emergency loop hang on lines of a chip that the kernel simulates.

Left out where ``HOLDFAST_GPIO_CHIP`` names none (tests/devices/drivers/gpio_bench.py says how to
make one): few kernels have it.
"""

import os
import signal
import threading
from collections.abc import Iterator
from importlib import resources

import pytest
import yaml

from holdfast.core.commands import Point
from holdfast.core.config.device import ModbusTcp
from holdfast.core.errors import DeviceError
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.devices.drivers import SyncModbusWriter
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import load_profile
from holdfast.testing.rig import Rig
from tests.devices.drivers.gpio_bench import LOOP, Simulated, holder

CONTACTOR, FEEDBACK = 5, 6


class Cabinet:
    """Wires the lines of the chip to the contactor of the plant, which is behind Modbus."""

    def __init__(self, chip: Simulated, relays: ModbusTcp) -> None:
        self.chip = chip
        profile = load_profile("generic_relays")
        assert isinstance(profile, ModbusProfile)
        self._relays = SyncModbusWriter(profile, relays)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self._relays.close()

    def _run(self) -> None:
        while not self._end.wait(0.01):
            try:
                if not self._relays.connected:
                    self._relays.connect()
                self._relays.write(Point.CONTACTOR, float(self.chip.is_high(CONTACTOR)))
                closed = self._relays.read(Signal.CONTACTOR_CLOSED) == 1.0
            except DeviceError:
                continue
            self.chip.wire(FEEDBACK, high=not closed)


@pytest.fixture(scope="module")
def cabinet(
    gpio_chip: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Rig, Simulated]]:
    """Controller and watchdog on lines; the plant does not know."""
    folder = tmp_path_factory.mktemp("gpio")
    chip = Simulated(gpio_chip)
    with Rig(folder, cycle={"period_ms": 100}) as rig:
        rig.start_plant()
        content = yaml.safe_load(rig.config.read_text())
        unit = content["storage"][0]
        wired = Cabinet(chip, ModbusTcp.model_validate(unit["relays"]["connection"]))
        try:
            own = folder / "relays.yaml"
            tables = resources.files("holdfast.devices") / "profiles"
            text = (tables / "gpio_relays.yaml").read_text(encoding="utf-8")
            own.write_text(f"{text}confirmed: by this test\n")
            lines = [f"contactor={CONTACTOR}", f"contactor_closed={FEEDBACK}"]
            unit["relays"] = {
                "profile": str(own),
                "connection": {"kind": "gpio", "chip": gpio_chip, "lines": lines},
            }
            loop = ["emergency_loop_closed=loop"]
            content["emergency_input"] = {
                "profile": "gpio_emergency_input",
                "connection": {"kind": "gpio", "chip": gpio_chip, "lines": loop},
            }
            rig.config.write_text(yaml.safe_dump(content))
            rig.start("watchdog", "controller")
            yield rig, chip
        finally:
            wired.close()


def to_running(rig: Rig, chip: Simulated) -> None:
    chip.wire(LOOP, high=False)
    rig.to_running()
    assert chip.is_high(CONTACTOR)
    assert holder(chip.path, CONTACTOR) == "holdfast battery/relays"


def test_a_loop_that_opens_stops_the_site_and_opens_the_contactor(
    cabinet: tuple[Rig, Simulated],
) -> None:
    rig, chip = cabinet
    to_running(rig, chip)
    chip.wire(LOOP, high=True)
    rig.until_state(State.STOPPED)
    rig.until(lambda: rig.is_safe, "the contactor open")
    assert not chip.is_high(CONTACTOR)
    assert rig.damage() == {}


def test_a_controller_that_hangs_keeps_its_contactor_until_it_is_killed(
    cabinet: tuple[Rig, Simulated],
) -> None:
    rig, chip = cabinet
    to_running(rig, chip)
    pid = rig.processes["controller"].pid
    os.kill(pid, signal.SIGSTOP)
    rig.until(lambda: rig.power_w == 0.0, "0 W by the watchdog")
    assert chip.is_high(CONTACTOR)
    os.kill(pid, signal.SIGKILL)
    rig.until(lambda: holder(chip.path, CONTACTOR) == "holdfast watchdog", "the line its own")
    rig.until(lambda: rig.is_safe, "the contactor open")
    assert not chip.is_high(CONTACTOR)
    rig.start("controller")
    to_running(rig, chip)
    assert rig.damage() == {}
