"""A site with relays on lines: tried, read, and opened by a watchdog that waits its turn."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.core.commands import Point, Write
from holdfast.core.config.device import GpioChip
from holdfast.core.data_store import DataStore
from holdfast.core.role import Role
from holdfast.devices.drivers import open_driver
from holdfast.devices.profile import load_profile
from holdfast.runtime.device_check import try_devices
from holdfast.runtime.watchdog import Hand
from holdfast.runtime.watchdog_link import Link
from tests.builders import build_site, device, site_content, unit_content
from tests.cli.json_outputs import OUTPUTS, complaints, shape
from tests.devices.drivers.conftest import RawDevice, until
from tests.devices.drivers.gpio_bench import Held, StandIn, holder, is_output, put_in

CONTACTOR, FEEDBACK = 5, 6
LINES = ["contactor=5", "contactor_closed=6"]


@pytest.fixture
def chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    chip = StandIn(tmp_path)
    put_in(monkeypatch, tmp_path, chip)
    return chip


@pytest.fixture
async def inverter() -> AsyncIterator[RawDevice]:
    raw = RawDevice(registers={2: 0, 3: 2000, 4: 1})
    await raw.start()
    yield raw
    await raw.stop()


def on_lines(chip: StandIn) -> dict[str, Any]:
    connection = {"kind": "gpio", "chip": chip.path, "lines": LINES}
    return {"profile": "gpio_relays", "connection": connection}


def at(raw: RawDevice) -> dict[str, Any]:
    connection = {"kind": "modbus_tcp", "host": "127.0.0.1", "port": raw.port}
    return {"profile": "generic_inverter", "connection": connection}


def content(chip: StandIn, **unit: Any) -> dict[str, Any]:
    loop = {"kind": "gpio", "chip": "stand-in", "lines": ["emergency_loop_closed=loop"]}
    return site_content(
        unit_content(relays=on_lines(chip), **unit),
        emergency_input={"profile": "gpio_emergency_input", "connection": loop},
        authority="observe",
    )


async def test_lines_are_tried_and_nothing_is_driven(chip: StandIn) -> None:
    site = build_site(**content(chip))
    chip.wire(3, high=False)
    tried = {one.path: one for one in await try_devices(site, within_s=1.0)}
    assert tried["emergency_input"].answers
    assert tried["storage[0].relays"].answers
    assert not is_output(chip.path, CONTACTOR)
    assert [line.held for line in chip.lines] == [False] * 8


async def check(config: Path, *arguments: str) -> int:
    return await asyncio.to_thread(
        main, ["check", "--config", str(config), *arguments, "--within", "0.5"]
    )


@pytest.fixture
def config(tmp_path: Path, chip: StandIn) -> Path:
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(content(chip) | {"state_dir": str(tmp_path / "state")}))
    return path


async def test_a_check_says_what_relays_on_lines_are_worth(
    config: Path, chip: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    Held(chip.path).take(FEEDBACK)
    assert await check(config, "--connect") == 1
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    where = f"storage[0].relays: gpio_relays at {chip.path}: contactor_closed=6, contactor=5"
    assert told[told.index(where) + 1] == "NO ANSWER: line 6 is held by fan"
    assert "emergency_loop_closed 0" in told
    assert any(
        line.startswith("note: storage[0].relays: a controller that hangs keeps its lines until")
        for line in told
    )
    assert main(["check", "--config", str(config.with_name("other.yaml"))]) == 2


def read(config: Path, *arguments: str) -> int:
    return main(["devices", "read", *arguments, "--config", str(config)])


def test_lines_are_read_and_what_is_driven_is_left_as_it_is(
    config: Path, chip: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    chip.wire(FEEDBACK, high=False)
    chip.lines[CONTACTOR].driven = True
    assert read(config, "storage[0].relays") == 0
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        f"gpio_relays on {chip.path}",
        "what line kernel's name shows",
        "contactor_closed 6 - 1",
        "contactor 5 - left as it is, an output",
    ]
    assert chip.lines[CONTACTOR].driven
    assert read(config, "emergency_input", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["devices read, of GPIO lines"]), found)) == []
    assert found["chip"] == "stand-in"
    assert found["lines"] == [
        {
            "what": "emergency_loop_closed", "line": "loop", "name": "loop", "output": False,
            "holder": "", "value": 0.0, "problem": "",
        }
    ]  # fmt: skip


def test_a_line_that_cannot_be_read_is_told(
    config: Path, chip: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    Held(chip.path).take(FEEDBACK, CONTACTOR)
    assert read(config, "storage[0].relays") == 1
    told = capsys.readouterr().out
    assert "NOT TOLD: line 6 is held by fan" in told
    assert "left as it is, an input, held by fan" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--record", "x"], "--record keeps registers, and these are lines"),
        (["--table", "generic_relays"], "generic_relays speaks modbus, not gpio"),
        (["--table", "gpio_emergency_input"], "lines: contactor is none of emergency_loop_closed"),
    ],
)
def test_what_cannot_be_done_with_lines_is_told(
    config: Path, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read(config, "storage[0].relays", *arguments) == 2
    assert told in capsys.readouterr().err


async def test_a_watchdog_opens_once_the_controller_has_lost_its_lines_and_gives_them_back(
    chip: StandIn, inverter: RawDevice
) -> None:
    (unit,) = build_site(unit_content(relays=on_lines(chip), inverter=at(inverter))).storage
    driver = open_driver(
        "battery/relays", {Role.RELAYS: "battery"}, load_profile("gpio_relays"),
        GpioChip(chip=chip.path, lines=tuple(LINES)), DataStore(("battery",)),
    )  # fmt: skip
    close = Write(unit="battery", role=Role.RELAYS, point=Point.CONTACTOR, value=1.0)
    await driver.write(close)
    hand = Hand(unit)
    try:
        await until(lambda: hand.reaches_inverter)
        hand.take_to_zero()
        await until(lambda: inverter.registers[3] == inverter.registers[4] == 0)
        requests = len(inverter.requests)
        await until(lambda: len(inverter.requests) > requests + 10)
        assert chip.is_high(CONTACTOR), "a controller that hangs keeps its line"
        await driver.close()  # it was killed
        await until(lambda: not chip.is_high(CONTACTOR))
        assert holder(chip.path, CONTACTOR) == "holdfast watchdog"
        hand.release()
        await until(lambda: holder(chip.path, CONTACTOR) == "")
        assert not chip.is_high(CONTACTOR)
    finally:
        await asyncio.to_thread(hand.close)


async def test_a_watchdog_that_is_to_leave_sees_the_contactor_open(
    chip: StandIn, inverter: RawDevice
) -> None:
    chip.wire(FEEDBACK, high=True)
    (unit,) = build_site(unit_content(relays=on_lines(chip), inverter=at(inverter))).storage
    hand = Hand(unit)
    try:
        hand.leave()
        hand.take_to_zero()
        await until(lambda: hand.at_rest)
    finally:
        await asyncio.to_thread(hand.close)
    assert [line.held for line in chip.lines] == [False] * 8


def test_who_has_lines_waits_its_turn(chip: StandIn) -> None:
    (unit,) = build_site(unit_content(relays=on_lines(chip))).storage
    link = Link("relays", unit.relays, unit)
    assert link.waits_its_turn
    assert link.points == {Point.CONTACTOR}
    (other,) = build_site(unit_content(relays=device("generic_relays"))).storage
    assert not Link("relays", other.relays, other).waits_its_turn
