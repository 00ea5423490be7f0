"""One controller to a device: a copied site.yaml steers no inverter of its neighbour."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.errors import AlreadyRunning
from holdfast.site.device_lock import _holder, _key, hold_devices, refuse_steered
from tests.builders import build_site, device, load_content, unit_content

HOLD = """
import sys, time
from holdfast.site.device_lock import hold_devices
from tests.builders import build_site, device, unit_content
unit = unit_content("first", inverter=device("generic_inverter", "inv-7"))
with hold_devices(build_site(unit), "controller"):
    print("held", flush=True)
    time.sleep(60)
"""


def site_at(host: str = "inv-1", **changes: Any) -> Any:
    return build_site(unit_content(inverter=device("generic_inverter", host)), **changes)


def test_another_site_with_the_same_inverter_is_refused_and_told_who_has_it() -> None:
    command = [sys.executable, "-c", HOLD, "--config", "/first/site.yaml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"
        said = (
            "the device at inv-7.:502, device 1 has a controller on this computer already: "
            f"process {first.pid} of /first/site.yaml$"
        )
        unit = unit_content("copy", inverter=device("generic_inverter", "INV-7."))
        copy = build_site(unit, state_dir="elsewhere")
        for _ in range(2):
            with pytest.raises(AlreadyRunning, match=said), hold_devices(copy, "controller"):
                pass
            with pytest.raises(AlreadyRunning, match=said):
                refuse_steered(copy, "watchdog", "controller")
        first.send_signal(signal.SIGKILL)
        first.wait()
    refuse_steered(copy, "controller")
    with hold_devices(copy, "controller"):
        pass


def test_a_watchdog_holds_what_its_controller_holds() -> None:
    site = site_at()
    with hold_devices(site, "controller"), hold_devices(site, "watchdog"):
        with pytest.raises(AlreadyRunning, match="has a watchdog"):
            refuse_steered(site, "watchdog")
        refuse_steered(site, "planner")


def test_sites_with_devices_of_their_own_run_beside_each_other() -> None:
    other = build_site(unit_content(**{
        key: device(f"generic_{key}", f"other-{key}") for key in ("bms", "inverter", "relays")
    }))  # fmt: skip
    with hold_devices(site_at(), "controller"), hold_devices(other, "controller"):
        pass


def test_who_only_observes_takes_nothing_from_anybody() -> None:
    observing = site_at(authority="observe")
    with hold_devices(site_at(), "controller"):
        refuse_steered(observing, "controller")
        with hold_devices(observing, "controller"):
            pass


def test_this_computer_has_two_names() -> None:
    with hold_devices(site_at("localhost"), "controller"):
        with pytest.raises(AlreadyRunning):
            refuse_steered(site_at("127.0.0.1"), "controller")
        with pytest.raises(AlreadyRunning):
            refuse_steered(site_at("LocalHost"), "controller")


def test_a_bus_is_one_by_whatever_link_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "ttyACM0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyACM0")

    def site_on(channel: Path) -> Any:
        bms = {
            "profile": "pylontech_lv_can",
            "connection": {"kind": "can", "interface": "slcan", "channel": str(channel)},
        }
        return build_site(unit_content(
            bms=bms, inverter=device("generic_inverter", channel.name),
            relays=device("generic_relays", channel.name),
        ))  # fmt: skip

    with (
        hold_devices(site_on(tmp_path / "ttyACM0"), "controller"),
        pytest.raises(AlreadyRunning, match=r"by-id has a controller"),
        hold_devices(site_on(tmp_path / "by-id"), "controller"),
    ):
        pass


def test_a_holder_whom_many_ask_is_still_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holdfast.site.device_lock._WAITING", 0)
    with hold_devices(site_at(), "controller"):
        for _ in range(4):
            with pytest.raises(AlreadyRunning, match=r"process \d+|another process"):
                refuse_steered(site_at(), "controller")
    assert _holder(_key("controller", "nobody's")) == "another process"


def test_a_switch_behind_a_broker_has_one_controller() -> None:
    def site_with(topic: str, tag: str, host: str = "broker") -> Any:
        connection = {"kind": "mqtt", "host": host, "topic": topic}
        switch = {"profile": "mqtt_switch", "connection": connection}
        unit = unit_content(**{
            key: device(f"generic_{key}", f"{key}-{tag}") for key in ("bms", "inverter", "relays")
        })  # fmt: skip
        return build_site(unit, loads=[load_content(switch=switch)])

    with hold_devices(site_with("a", "1"), "controller"):
        refuse_steered(site_with("b", "2"), "controller")
        with pytest.raises(AlreadyRunning, match=r"at broker\.:1883, topic a has a cont"):
            refuse_steered(site_with("a", "3", "BROKER."), "controller")


def test_lines_have_one_controller_by_whatever_name_their_chip_is_called() -> None:
    def site_on(chip: str, tag: str, *lines: str) -> Any:
        connection = {"kind": "gpio", "chip": chip, "lines": list(lines)}
        unit = unit_content(
            bms=device("generic_bms", tag), inverter=device("generic_inverter", tag)
        )
        unit["relays"] = {"none": "a test"}
        loop = {"profile": "gpio_emergency_input", "connection": connection}
        return build_site(unit, emergency_input=loop)

    with hold_devices(site_on("/dev/gpiochip0", "1", "emergency_loop_closed=4"), "controller"):
        refuse_steered(site_on("/dev/gpiochip0", "2", "emergency_loop_closed=5"), "controller")
        with pytest.raises(AlreadyRunning, match="gpiochip0: emergency_loop_closed=4 has a cont"):
            refuse_steered(site_on("gpiochip0", "3", "emergency_loop_closed=4"), "controller")


def on_line(port: Path, device_id: int) -> Any:
    inverter = {
        "profile": "generic_inverter",
        "connection": {"kind": "modbus_rtu", "port": str(port), "device_id": device_id},
    }
    other = f"other-{device_id}"
    return build_site(unit_content(
        bms=device("generic_bms", other), inverter=inverter, relays=device("generic_relays", other)
    ))  # fmt: skip


def test_a_serial_line_has_one_controller_for_all_its_devices(tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "by-id").symlink_to(tmp_path / "ttyUSB0")
    with (
        hold_devices(on_line(tmp_path / "ttyUSB0", 3), "controller"),
        pytest.raises(AlreadyRunning, match=r"by-id, device 4 has a controller"),
        hold_devices(on_line(tmp_path / "by-id", 4), "controller"),
    ):
        pass


def test_a_meter_on_a_serial_line_is_held_though_nothing_is_written_to_it() -> None:
    meter = {
        "profile": "generic_meter",
        "connection": {"kind": "modbus_rtu_tcp", "host": "localhost", "port": 4196},
    }
    first, second = (build_site(unit_content(**{
        key: device(f"generic_{key}", f"{number}-{key}") for key in ("bms", "inverter", "relays")
    }), meter=meter) for number in (1, 2))  # fmt: skip
    with (
        hold_devices(first, "controller"),
        pytest.raises(AlreadyRunning, match=r"localhost:4196, device 1 has a controller"),
        hold_devices(second, "controller"),
    ):
        pass


def test_a_meter_that_many_may_ask_is_nobodys() -> None:
    meter = {"profile": "shelly_pro_3em", "connection": {"kind": "http", "host": "meter"}}
    first, second = (build_site(unit_content(**{
        key: device(f"generic_{key}", f"{number}-{key}") for key in ("bms", "inverter", "relays")
    }), meter=meter) for number in (1, 2))  # fmt: skip
    with hold_devices(first, "controller"), hold_devices(second, "controller"):
        pass


def test_a_stick_has_one_controller_whatever_it_is_called() -> None:
    def growatt(host: str, topic: str = "energy/solar") -> Any:
        connection = {"kind": "modbus_mqtt", "host": host, "topic": topic}
        box = {"profile": "growatt_sph", "connection": connection}
        unit = unit_content(inverter=box, bms=box) | {"relays": {"none": "it has its own"}}
        return build_site(unit)

    with hold_devices(growatt("broker"), "controller"):
        refuse_steered(growatt("broker", "energy/other"), "controller")
        with pytest.raises(AlreadyRunning, match=r"at broker\.:1883, topic energy/solar has a con"):
            refuse_steered(growatt("BROKER."), "controller")
