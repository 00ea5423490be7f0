"""Real clients read the plant's values; writes act at once; the process ends cleanly."""

import asyncio
import signal
import sys
import time
from pathlib import Path

import pytest
import yaml

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.simulation.net import free_port
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.site_server import SiteServer
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_content, example_site
from tests.simulation.wire_bench import (
    RELAYS,
    UNIT,
    Served,
    ask,
    client_of,
    link_of,
    modbus_of,
    read_all,
    read_enabled,
)


def served_by(role: Role) -> set[Role]:
    """The meter has a channel for PV."""
    return {Role.METER, Role.PV_METER} if role is Role.METER else {role}


@pytest.mark.parametrize(
    ("role", "profile", "device_id"),
    [
        (Role.METER, "generic_meter", 1),
        (Role.EMERGENCY_INPUT, "generic_emergency_input", 1),
        (Role.INVERTER, "generic_inverter", UNIT),
        (Role.RELAYS, "generic_relays", RELAYS),
    ],
)
async def test_a_real_client_reads_what_the_plant_tells(
    served: Served, role: Role, profile: str, device_id: int
) -> None:
    async with client_of(served.site, role) as client:
        read = await read_all(client, profile, device_id)
    told = {
        signal: value for who, _, signal, value in served.plant.samples() if who in served_by(role)
    }
    moving = {Signal.GRID_POWER_W, Signal.PV_POWER_W}
    assert read.keys() == told.keys()
    for name, value in told.items():
        assert read[name] == pytest.approx(value, abs=20 if name in moving else 1e-9)


async def test_a_modbus_bms_is_served_by_its_profile(tmp_path: Path) -> None:
    site = example_site(tmp_path, bms_on_can=False)
    plant = SitePlant.from_site(site, soc_pct=37)
    async with SiteServer(site, plant), client_of(site, Role.BMS) as client:
        assert not (await client.write_registers(200, [150, 0], device_id=1)).isError()
        read = await read_all(client, "generic_bms", 1)
    assert read[Signal.SOC_PCT] == 37
    assert read[Signal.CHARGE_POWER_READBACK_W] == 1500
    assert plant.units["battery"].bms.charge_power_w == 1500


async def test_a_write_acts_at_once_is_observed_and_reads_back(served: Served) -> None:
    inverter = served.plant.units["battery"].inverter
    async with client_of(served.site, Role.INVERTER) as client:
        before_ns = time.monotonic_ns()
        words = client.convert_to_registers(-1234, client.DATATYPE.INT32)
        await client.write_registers(2, words, device_id=UNIT)
        after_ns = time.monotonic_ns()
        assert inverter.setpoint_w == -1234
        single = await client.write_register(4, 1, device_id=UNIT)
        assert single.registers == [1]
        read = await read_all(client, "generic_inverter", UNIT)
        coil = await client.write_coil(0, True, device_id=RELAYS)
        assert coil.bits[0]
        assert (await client.read_coils(0, count=1, device_id=RELAYS)).bits[0]
    assert read[Signal.SETPOINT_READBACK_W] == -1234
    assert read[Signal.INVERTER_ENABLED] == 1
    assert served.plant.units["battery"].contactor.commanded
    assert [event[:4] for event in served.written] == [
        (Role.INVERTER, "battery", Point.SETPOINT_W, -1234),
        (Role.INVERTER, "battery", Point.ENABLE, 1),
        (Role.RELAYS, "battery", Point.CONTACTOR, 1),
    ]
    assert before_ns <= served.written[0][4] <= after_ns


def test_free_ports_never_repeat() -> None:
    ports = [free_port() for _ in range(500)]
    assert len(set(ports)) == 500


async def test_power_flows_in_real_time(served: Served) -> None:
    async with client_of(served.site, Role.INVERTER) as client:
        await client.write_coil(0, True, device_id=RELAYS)
        await client.write_registers(2, [0, 2000, 1], device_id=UNIT)
        began_s, before_s = time.monotonic(), served.plant.time_s
        await asyncio.sleep(1.2)
        read = await read_all(client, "generic_inverter", UNIT)
        passed_s, stepped_s = time.monotonic() - began_s, served.plant.time_s - before_s
    assert read[Signal.BATTERY_POWER_W] == pytest.approx(2000, abs=10)
    assert stepped_s == pytest.approx(passed_s, rel=0.1)


@pytest.mark.parametrize(
    ("address", "words"),
    [(8, [1]), (0, [0, 1]), (2, [0]), (3, [0]), (2, [0, 1, 1, 1, 1])],
    ids=["no register", "read only", "first half", "second half", "one too many"],
)
async def test_writes_beside_the_table_change_nothing(
    served: Served, address: int, words: list[int]
) -> None:
    async with client_of(served.site, Role.INVERTER) as client:
        answer = await client.write_registers(address, words, device_id=UNIT)
    assert answer.isError()
    assert answer.exception_code == 2
    assert served.written == []


async def test_other_device_ids_and_addresses_are_refused(served: Served) -> None:
    async with client_of(served.site, Role.INVERTER) as client:
        stranger = await client.read_holding_registers(0, count=1, device_id=77)
        assert stranger.exception_code == 0x0B
        beyond = await client.read_holding_registers(0, count=10, device_id=UNIT)
        assert beyond.exception_code == 2


async def test_several_requests_in_one_segment_are_all_answered(served: Served) -> None:
    connection = modbus_of(served.site, Role.INVERTER)
    reader, writer = await asyncio.open_connection(connection.host, connection.port)
    requests = [bytes.fromhex(f"000{number}0000000601030005000{1}") for number in range(1, 6)]
    writer.write(b"".join(requests))
    answers = await asyncio.wait_for(reader.readexactly(5 * 11), 60)
    assert [answers[place + 1] for place in range(0, 55, 11)] == [1, 2, 3, 4, 5]
    writer.write(requests[0][:7])
    await asyncio.sleep(0.02)
    writer.write(requests[0][7:])
    assert len(await asyncio.wait_for(reader.readexactly(11), 60)) == 11
    writer.close()
    await writer.wait_closed()


async def test_control_socket_tells_and_sets(served: Served) -> None:
    path = Path(served.site.state_dir) / "plant.sock"
    status = (await ask(path, {"get": "status"}))["status"]
    assert status["units"]["battery"]["soc_pct"] == 60
    assert status["units"]["battery"]["damage"] == {}
    assert (await ask(path, {"set": {"emergency_loop_closed": False}})) == {"ok": True}
    assert not served.plant.emergency_loop_closed
    wanted = {"unit": "battery", "role": "inverter", "kind": "exception", "value": 4}
    assert (await ask(path, {"fault": wanted}))["ok"]
    status = (await ask(path, {"get": "status"}))["status"]
    assert status["faults"] == {"battery/inverter": {"exception": 4}}
    assert (await ask(path, {"clear": {}}))["ok"]
    assert (await ask(path, {"get": "status"}))["status"]["faults"] == {}


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense",
        b"[]",
        {},
        {"get": "secrets"},
        {"set": {"no_such_thing": 1}},
        {"set": {"ambient_c": "warm"}},
        {"fault": {"unit": "battery", "role": "inverter", "kind": "no_such_kind"}},
        {"fault": {"unit": "no_such_unit", "role": "inverter", "kind": "slow"}},
        {"fault": {"unit": "battery", "role": "inverter", "kind": "slow", "value": -1}},
    ],
)
async def test_control_socket_refuses_nonsense_and_goes_on(
    served: Served, request_: object
) -> None:
    path = Path(served.site.state_dir) / "plant.sock"
    answer = await ask(path, request_)
    assert answer["ok"] is False
    assert answer["error"]
    assert (await ask(path, {"get": "status"}))["ok"]


async def test_nothing_is_left_behind_and_it_can_start_again(site: Site) -> None:
    for _ in range(2):
        async with SiteServer(site, SitePlant.from_site(site)):
            assert link_of(site).is_symlink()
            assert (Path(site.state_dir) / "plant.sock").is_socket()
        assert not link_of(site).is_symlink()
        assert not (Path(site.state_dir) / "plant.sock").exists()


async def test_a_file_in_the_way_of_the_serial_port_is_not_replaced(site: Site) -> None:
    link_of(site).write_text("mine")
    with pytest.raises(ConfigError, match="no link"):
        async with SiteServer(site, SitePlant.from_site(site)):
            pass
    assert link_of(site).read_text() == "mine"


def test_two_devices_with_one_id_are_refused(tmp_path: Path) -> None:
    content = example_content(tmp_path)
    content["storage"][0]["relays"]["connection"]["device_id"] = UNIT
    site = parse_site(yaml.safe_dump(content), folder=tmp_path)
    with pytest.raises(ConfigError, match="device id 1"):
        SiteServer(site, SitePlant.from_site(site))


async def test_the_command_line_serves_until_told_to_end(tmp_path: Path) -> None:
    content = example_content(tmp_path)
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(content))
    site = parse_site(yaml.safe_dump(content), folder=tmp_path)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "holdfast.simulation.servers.site_server",
        "--config",
        str(config),
        "--soc",
        "42",
        "--seed",
        "3",
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 60) == b"plant ready\n"
        status = (await ask(tmp_path / "state" / "plant.sock", {"get": "status"}))["status"]
        assert status["units"]["battery"]["soc_pct"] == 42
        async with client_of(site, Role.INVERTER) as client:
            assert not (await read_enabled(client)).isError()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert not link_of(site).is_symlink()
    assert not (tmp_path / "state" / "plant.sock").exists()
