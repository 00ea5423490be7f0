"""check --connect: each device is tried; what it tells is printed, or why it does not answer."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli import check_devices
from holdfast.cli.check_devices import report_devices
from holdfast.cli.main import main
from holdfast.core.ports import CommsCounters
from holdfast.core.reading import MISSING, Bad, Good
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.limit_write import NO_LIMIT_W
from holdfast.monitoring.status.comms import comms_status
from holdfast.runtime.device_check import Tried
from holdfast.simulation.net import free_port
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.simulation.servers.site_server import SiteServer
from holdfast.site import examination
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.site.site_lock import hold_lock
from holdfast.testing.sites import example_content
from tests.builders import build_site


class Bench:
    """A simulated site, and the command on its configuration."""

    def __init__(self, folder: Path, *, bms_on_can: bool = False) -> None:
        self.config = folder / "site.yaml"
        self.content: dict[str, Any] = example_content(folder, bms_on_can=bms_on_can)
        self.save()
        self.site = load_site(self.config)
        SiteFiles.of(self.site).create()
        self.written: list[tuple[object, ...]] = []
        self.server = SiteServer(
            self.site,
            SitePlant.from_site(self.site, soc_pct=60),
            on_write=lambda *event: self.written.append(event),
        )

    def save(self) -> None:
        self.config.write_text(yaml.safe_dump(self.content))

    async def check(self, *options: str) -> int:
        arguments = ["check", "--connect", "--config", str(self.config), *options]
        return await asyncio.to_thread(main, arguments)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    async with bench.server:
        yield bench


async def test_every_device_tells_what_it_reads_and_nothing_is_written(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await bench.check() == 0
    shown = capsys.readouterr().out
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert "soc_pct 60 %" in lines
    assert "contactor_closed 0" in lines
    assert "emergency_loop_closed 1" in lines
    assert "5 of 5 devices tell what the site needs; nothing was written" in lines
    assert bench.written == []


async def test_a_meter_over_http_and_a_switch_behind_a_broker_are_tried_as_well(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("aiomqtt")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"active_power_w": -321, "active_voltage_l1_v": 229.5}'
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        )
        writer.write(body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    http = {"kind": "http", "host": "127.0.0.1", "port": port}
    mqtt = {"kind": "mqtt", "host": "127.0.0.1", "port": free_port(), "topic": "house/boiler"}
    load = {"name": "boiler", "power_w": 2000, "energy_wh": 4000}
    bench.content |= {
        "meter": {"profile": "homewizard_p1", "connection": http},
        "pv_meter": {"none": "no PV here"},
        "loads": [load | {"switch": {"profile": "mqtt_switch", "connection": mqtt}}],
    }
    bench.save()
    assert await bench.check("--within", "2") == 1
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "grid_power_w -321 W" in lines
    assert f"meter: homewizard_p1 at 127.0.0.1:{port}" in lines
    at = lines.index(
        f"loads[0].switch: mqtt_switch at 127.0.0.1:{mqtt['port']}, topic house/boiler"
    )
    assert lines[at + 1] == "NO ANSWER: connection refused"
    server.close()


async def test_the_same_for_programs(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert await bench.check("--json") == 0
    content = json.loads(capsys.readouterr().out)
    (bms,) = [one for one in content["devices"] if one["path"] == "storage[0].bms"]
    assert bms["answers"] is True
    assert bms["lacking"] == []
    assert bms["readings"]["soc_pct"] == {"value": 60.0, "unit": "%"}
    assert bms["comms"]["reads"] >= 1


MQTT_METER = {
    "meter": {
        "profile": "mqtt_meter",
        "connection": {"kind": "mqtt", "host": "127.0.0.1", "topic": "house"},
    },
    "pv_meter": {"none": "no PV here"},
}
ON_A_LINE = {
    "emergency_input": {
        "profile": "gpio_emergency_input",
        "connection": {"kind": "gpio", "chip": "gpiochip0", "lines": ["emergency_loop_closed=4"]},
    }
}
STICK = {"kind": "modbus_mqtt", "host": "127.0.0.1"}


@pytest.mark.parametrize(
    ("package", "changes", "told"),
    [
        ("aiomqtt", MQTT_METER, "meter: mqtt needs another package: pip install 'holdfast[mqtt]'"),
        ("gpiod", ON_A_LINE, "emergency_input: gpio needs another package"),
        ("aiomqtt", {}, "storage[0].inverter: modbus_mqtt needs another package"),
    ],
)
def test_a_package_that_a_device_needs_is_asked_for_before_anything_starts(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    changes: dict[str, Any],
    told: str,
) -> None:
    """Else the site is said to be right, and its controller ends again and again."""
    monkeypatch.setattr(examination, "find_spec", lambda name: None if name == package else name)
    content = example_content(tmp_path) | {"authority": "observe"} | changes
    if not changes:
        (unit,) = content["storage"]
        unit["inverter"] = {"profile": "growatt_sph", "connection": STICK}
        unit["relays"] = {"none": "it has one of its own"}
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(content))
    assert main(["check", "--config", str(tmp_path / "site.yaml")]) == 2
    assert told in capsys.readouterr().err


def test_each_device_is_named_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A meter that has a channel for PV is one device."""
    (tmp_path / "site.yaml").write_text(yaml.safe_dump(example_content(tmp_path)))
    assert main(["check", "--config", str(tmp_path / "site.yaml")]) == 0
    assert capsys.readouterr().out.count("meter: generic_meter at") == 1


async def test_a_battery_on_can(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = Bench(tmp_path, bms_on_can=True)
    async with bench.server:
        assert await bench.check("--within", "30") == 0
    assert f"pylontech_lv_can at {tmp_path}/can_battery (slcan)" in capsys.readouterr().out


async def test_an_inverter_that_nobody_commands_yet_tells_all_that_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(tmp_path)
    unit = bench.content["storage"][0]
    unit["inverter"]["profile"] = "huawei_sun2000"
    unit["relays"] = {"none": "it has one of its own"}
    bench.content["authority"] = "observe"
    bench.save()
    bench.site = load_site(bench.config)
    plant = SitePlant.from_site(bench.site, soc_pct=60)
    async with SiteServer(bench.site, plant):
        assert await bench.check() == 0
    shown = capsys.readouterr().out
    assert "device_mode" in shown
    assert "own_rule" in shown
    assert "NOT PLAUSIBLE" not in shown


async def test_each_device_that_does_not_answer_is_told_with_the_reason(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    bench.content["meter"]["connection"]["port"] = port
    bench.content["storage"][0]["inverter"]["connection"]["device_id"] = 9
    bench.save()
    await bench.server.set_fault("battery", Role.BMS, ProtocolFault.EXCEPTION)
    assert await bench.check("--within", "2") == 1
    shown = capsys.readouterr().out
    assert f"meter: generic_meter at 127.0.0.1:{port}, device 1\n" in shown
    assert "NO ANSWER: connection refused\n" in shown
    inverter = shown[shown.index("storage[0].inverter: ") :].splitlines()[1]
    assert "of device 9" in inverter
    bms = shown[shown.index("storage[0].bms: ") :].splitlines()[1]
    assert "NO ANSWER: read " in bms
    assert "exception 4 (device failure)" in bms
    assert "2 of 5 devices tell what the site needs" in shown


def test_what_cannot_be_and_what_is_not_told_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = CommsCounters(where="here", errors=3, last_error="exception 2")
    counters.heard(0)
    tried = Tried(
        path="meter",
        profile="generic_meter",
        comms=comms_status(counters, 0),
        readings={
            Signal.GRID_POWER_W: MISSING,
            Signal.GRID_FREQUENCY_HZ: Bad(reason="0.05 Hz is not within 40 to 70", time_ns=0),
            Signal.PV_POWER_W: MISSING,
        },
        lacking=(Signal.GRID_POWER_W, Signal.GRID_FREQUENCY_HZ),
    )

    async def try_devices(*_: object) -> tuple[Tried, ...]:
        return (tried,)

    monkeypatch.setattr(check_devices, "try_devices", try_devices)
    report = report_devices(build_site(state_dir=str(tmp_path)), 1.0)
    assert not report.answered
    assert [" ".join(line.split()) for line in report.lines] == [
        "meter: generic_meter at here",
        "grid_power_w NOT TOLD, and needed",
        "grid_frequency_hz NOT PLAUSIBLE: 0.05 Hz is not within 40 to 70",
        "pv_power_w not told",
        "3 errors, the last one: exception 2",
        "0 of 1 devices tell what the site needs; nothing was written",
    ]


@pytest.mark.parametrize(
    ("held_w", "shown", "warned"),
    [
        (5000.0, "5000 W", True),
        (0.0, "0 W", True),
        (17_000.0, "17000 W", False),
        (NO_LIMIT_W, "none in force", False),
        (-1.0, "-1 W", False),
    ],
)
def test_an_export_limit_that_would_be_raised_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held_w: float, shown: str, warned: bool
) -> None:
    counters = CommsCounters(where="here")
    counters.heard(0)
    limit = Signal.EXPORT_LIMIT_READBACK_W
    tried = Tried(
        path="hybrid",
        profile="goodwe_et",
        comms=comms_status(counters, 0),
        readings={limit: Good(value=held_w, time_ns=0)},
        lacking=(),
    )

    async def try_devices(*_: object) -> tuple[Tried, ...]:
        return (tried,)

    monkeypatch.setattr(check_devices, "try_devices", try_devices)
    site = build_site(state_dir=str(tmp_path))
    grid = site.grid.model_copy(update={"export_max_w": 17_000.0})
    report = report_devices(site.model_copy(update={"grid": grid}), 1.0)
    assert f"export_limit_readback_w {shown}" in " ".join(report.lines[1].split())
    warning = (
        f"hybrid lets the site export {held_w:g} W at most, and would be told "
        f"grid.export_max_w, 17000 W: write {held_w:g} there if it may export no more"
    )
    assert (warning in report.lines) is warned


async def test_while_the_site_runs_nothing_is_tried(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    with hold_lock(SiteFiles.of(bench.site), "controller"):
        assert await bench.check() == 2
    told = capsys.readouterr()
    assert "a controller already runs in " in told.err
    assert "`holdfast status --json` tells what it reads" in told.err
    assert told.out == ""


@pytest.mark.parametrize("within", ["0", "-1", "nan", "601"])
async def test_a_wait_that_makes_no_sense_is_refused(
    bench: Bench, within: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await bench.check(f"--within={within}") == 2
    assert "--within" in capsys.readouterr().err
