"""Sites whose devices are on a serial line, behind a transparent gateway, on HTTP, at a broker.

They do what they do on Modbus TCP, and what each of these links can do to them ends as promised.
"""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.commands import Command
from holdfast.core.plan import PlannedLoad
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.status.comms import silent_devices
from holdfast.simulation.net import free_port
from holdfast.testing.rig import LOAD_W, Rig
from holdfast.testing.sites import example_content
from tests.devices.drivers import mosquitto
from tests.devices.drivers.mosquitto import Broker
from tests.hil.test_loads import BOILER_W, SILENT, is_on, plan_with

pytestmark = mosquitto.needed

REVERT_S = 5.0
"""The inverter's own timer."""
LOOP_S = 3.0
"""What is lost takes the power to zero within so long after that, on a busy computer too."""
ON_THE_LINE = (("battery", "inverter"), ("battery", "relays"), ("site", "pv_meter"))


# ------------------------------------------------------------------ sites


def serial_site(folder: Path, broker: Broker) -> dict[str, Any]:
    """Inverter, relay and PV's meter on one line, the meter on HTTP, a boiler at a broker."""

    def on_line(profile: str, device_id: int) -> dict[str, Any]:
        port = str(folder / "adapter")
        connection = {"kind": "modbus_rtu", "port": port, "device_id": device_id}
        return {"profile": profile, "connection": connection}

    meter = {"kind": "http", "host": "127.0.0.1", "port": free_port()}
    switch = {"profile": quick(folder), "connection": at(broker, "house/boiler")}
    content = example_content(folder, bms_on_can=False)
    content["storage"][0] |= {
        "inverter": on_line("generic_inverter", 1),
        "relays": on_line("generic_relays", 2),
        "operation": {"ramp_w_per_s": 20_000},
    }
    return content | {
        "pv_meter": on_line("eastron_sdm120_pv", 3),
        "meter": {"profile": "shelly_pro_3em", "connection": meter},
        "loads": [{"name": "boiler", "power_w": BOILER_W, "energy_wh": 4000, "switch": switch}],
    }


def gateway_site(folder: Path, broker: Broker) -> dict[str, Any]:
    """Inverter and relay behind a gateway that hands bytes on, the meter at a broker."""
    port = free_port()
    content = example_content(folder, bms_on_can=False)
    unit = content["storage"][0]
    for device_id, role in enumerate(("inverter", "relays"), start=1):
        unit[role]["connection"] = {
            "kind": "modbus_rtu_tcp", "host": "127.0.0.1", "port": port, "device_id": device_id,
        }  # fmt: skip
    unit["operation"] = {"ramp_w_per_s": 20_000}
    return content | {
        "meter": {"profile": "mqtt_meter", "connection": at(broker, "house/meter")},
        "pv_meter": {"none": "a test"},
    }


def at(broker: Broker, topic: str) -> dict[str, Any]:
    return {"kind": "mqtt", "host": "127.0.0.1", "port": broker.port, "topic": topic}


def quick(folder: Path) -> str:
    """A table of one's own: a switch that tells how it is every two seconds."""
    table = (files("holdfast.devices") / "profiles" / "mqtt_switch.yaml").read_text()
    (folder / "switch.yaml").write_text(table.replace("period_s: 20", "period_s: 2"))
    return "./switch.yaml"


@contextmanager
def broker_in(folder: Path) -> Iterator[Broker]:
    broker = Broker(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, Broker]]:
    folder = tmp_path_factory.mktemp("serial")
    with broker_in(folder) as broker, Rig(folder, **serial_site(folder, broker)) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        yield rig, broker


@pytest.fixture
def rig(serial: tuple[Rig, Broker]) -> Iterator[Rig]:
    serial[0].to_running()
    yield serial[0]
    assert serial[0].damage() == {}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Rig, Broker]]:
    """Its meter has not come yet; what it said long ago the broker has kept."""
    folder = tmp_path_factory.mktemp("gateway")
    with broker_in(folder) as broker, Rig(folder, **gateway_site(folder, broker)) as rig:
        rig.start_plant()
        rig.fault("meter", "absent")
        kept = '{"grid_power_w": 4000, "time": 1700000000}'
        asyncio.run(broker.send("house/meter", kept, retain=True))
        rig.start("watchdog", "controller")
        yield rig, broker


@pytest.fixture
def behind(gateway: tuple[Rig, Broker]) -> Iterator[Rig]:
    gateway[0].to_running()
    yield gateway[0]
    assert gateway[0].damage() == {}


# ------------------------------------------------------------------ what is seen


def until_told(rig: Rig, name: str, where: str, why: str) -> None:
    """The status names the device, where it is, and why it is silent."""

    def told() -> bool:
        lines = silent_devices(rig.status) if rig.status else ()
        return any(line.startswith(f"{name} at {where}") and why in line for line in lines)

    rig.until(told, f"{name} at {where}: {why}")


def until_lost(rig: Rig, role: str, within_s: float, row: str = "data_lost") -> None:
    """It goes to 0 W and says for what."""
    rig.until(lambda: rig.power_w == 0.0, "0 W", within_s)
    lost = f"{role}_{row}"
    rig.until(lambda: rig.findings().get(lost) == "ramp_to_zero", lost)
    assert rig.state is State.RUNNING


def until_halved(rig: Rig) -> None:
    """A meter whose values are late leaves half of the power, and no less."""
    rig.until(lambda: -2600.0 < rig.power_w < -2400.0, "half of 5 kW")
    rig.until(lambda: rig.findings().get("meter_data_old") == "derate", "derating")


def seen_w(rig: Rig, signal_: Signal) -> float | None:
    """What the controller reads of the site."""
    return None if rig.status is None else rig.status.value(SITE, signal_)


def unplug(rig: Rig) -> None:
    """Pulls the adapter out, with all that is behind it."""
    for owner, role in ON_THE_LINE:
        rig.fault(role, "absent", of=owner)


# ------------------------------------------------------------------ on one serial line


def test_a_site_on_a_serial_line_carries_the_house_through_sun_and_cloud(rig: Rig) -> None:
    try:
        rig.set(load_override_w=3000.0, pv_override_w=1000.0)
        rig.until_power(-2000.0)
        rig.until(
            lambda: (
                rig.status and abs((rig.status.value("site", Signal.PV_POWER_W) or 0) - 1000) < 5
            ),
            "the sun seen by the meter on the line",
        )
        rig.set(pv_override_w=4500.0)
        rig.until_power(1500.0)
        rig.keeps(lambda: rig.state is State.RUNNING, "RUNNING", 1.0)
    finally:
        rig.set(load_override_w=LOAD_W, pv_override_w=0.0)


def test_an_emergency_stop_ends_at_zero_on_the_line(rig: Rig) -> None:
    rig.command(Command.EMERGENCY_STOP)
    rig.until_state(State.STOPPED)
    rig.until(lambda: rig.is_safe, "0 W, contactor open", REVERT_S)
    rig.keeps(lambda: rig.is_safe, "at rest", 0.5)
    assert rig.command(Command.RESET).accepted


def test_a_meter_whose_server_hangs_halves_the_power_and_then_ends_it(rig: Rig) -> None:
    rig.set(load_override_w=4000.0)
    try:
        rig.until_power(-4000.0)
        rig.fault("meter", "slow", 60.0)
        until_halved(rig)
        until_lost(rig, "meter", 3.0 + LOOP_S)
        port = rig.site.meter.connection.port
        why = "no whole answer to /rpc/EM.GetStatus?id=0 within 0.8 s"
        until_told(rig, "meter", f"127.0.0.1:{port}", why)
    finally:
        rig.clear()
        rig.set(load_override_w=LOAD_W)
    rig.until_power(-LOAD_W)


def test_an_adapter_that_is_pulled_out_and_put_back(rig: Rig) -> None:
    """Only the inverter's own timer can act; and what was wanted before is wanted no more."""
    unplug(rig)
    until_lost(rig, "inverter", REVERT_S + LOOP_S)
    until_told(rig, "battery/inverter", f"{rig.folder}/adapter, device 1", "there is no such")
    rig.set(load_override_w=0.0)
    rig.until(lambda: seen_w(rig, Signal.GRID_POWER_W) == 0.0, "no load seen")
    try:
        rig.clear()
        rig.until(lambda: "inverter_data_lost" not in rig.findings(), "the finding gone")
        rig.keeps(lambda: abs(rig.power_w) < 50.0, "at 0 W", 1.0)
    finally:
        rig.set(load_override_w=LOAD_W)
    rig.until_power(-LOAD_W)


def test_the_watchdog_takes_the_line_when_the_controller_is_killed_and_gives_it_back(
    rig: Rig,
) -> None:
    rig.processes["controller"].signal(signal.SIGKILL)
    rig.until(lambda: rig.is_safe, "0 W, and the relay on the line open", REVERT_S)
    # Its own timer does not open the relay.
    rig.start("controller")
    rig.until_state(State.IDLE)
    assert rig.is_safe


def test_a_boiler_at_a_broker_that_ends_goes_off_by_itself_and_is_not_switched_by_the_past(
    serial: tuple[Rig, Broker], rig: Rig
) -> None:
    broker = serial[1]
    wanted = PlannedLoad(name="boiler", power_w=BOILER_W)
    rig.until(lambda: SILENT not in rig.findings(), "the boiler heard")
    assert rig.send_plan(plan_with(-1, 100, wanted)).accepted
    rig.until(lambda: is_on(rig), "the boiler on")
    rig.until_power(-LOAD_W - BOILER_W)
    assert asyncio.run(kept_by(broker, "house/boiler/set/#")) == []
    broker.stop()
    rig.set(load_switch_silence_s=60.0)
    rig.until(lambda: not is_on(rig), "off by its own timer")
    rig.until(lambda: rig.findings().get(SILENT) == "log", "told")
    where = f"127.0.0.1:{broker.port}, topic house/boiler"
    until_told(rig, "boiler/load_switch", where, "connection refused")
    rig.until_power(-LOAD_W)  # nothing of the battery rests on it
    assert rig.send_plan(plan_with(-1, 100)).accepted
    broker.start()
    rig.until(lambda: SILENT not in rig.findings(), "heard again")
    rig.keeps(lambda: not is_on(rig), "off", 1.0)


async def kept_by(broker: Broker, topics: str) -> list[str]:
    """What somebody hears at once who comes later: it stands before the answer to a question."""
    heard = []
    async with broker.client() as client:
        await client.subscribe(topics)
        await client.subscribe("end")
        await client.publish("end", b"")
        async for message in client.messages:
            if message.topic.value == "end":
                break
            heard.append(message.topic.value)
    return heard


# ------------------------------------------------------------------ behind a gateway


def test_what_a_broker_kept_of_a_meter_starts_no_site(gateway: tuple[Rig, Broker]) -> None:
    rig, broker = gateway
    where = f"127.0.0.1:{broker.port}, topic house/meter"
    until_told(rig, "meter", where, "was kept by the broker")
    assert rig.state is State.BOOT
    assert seen_w(rig, Signal.GRID_POWER_W) is None
    rig.clear()
    rig.until_state(State.IDLE)


def test_a_site_behind_a_transparent_gateway_carries_the_house(behind: Rig) -> None:
    """A meter that tells once a second leaves half of the power, as it is always somewhat late."""
    behind.set(load_override_w=2000.0)
    try:
        behind.until_power(-2000.0)
    finally:
        behind.set(load_override_w=LOAD_W)


def test_an_emergency_stop_ends_at_zero_behind_the_gateway(behind: Rig) -> None:
    behind.command(Command.EMERGENCY_STOP)
    behind.until_state(State.STOPPED)
    behind.until(lambda: behind.is_safe, "0 W, contactor open", REVERT_S)
    assert behind.command(Command.RESET).accepted


def test_a_meter_whose_broker_hangs_leaves_half_of_the_power_ends_it_and_comes_back(
    gateway: tuple[Rig, Broker], behind: Rig
) -> None:
    broker = gateway[1]
    behind.set(load_override_w=4000.0)
    try:
        until_halved(behind)
        broker.signal(signal.SIGSTOP)
        until_lost(behind, "meter", 5.0 + LOOP_S)
        where = f"127.0.0.1:{broker.port}, topic house/meter"
        until_told(behind, "meter", where, "nothing came within 2 s on house/meter")
    finally:
        broker.signal(signal.SIGCONT)
        behind.set(load_override_w=LOAD_W)
    behind.until_power(-LOAD_W)


def test_a_meter_whose_broker_ends_counts_no_more_and_comes_back(
    gateway: tuple[Rig, Broker], behind: Rig
) -> None:
    """The broker's last word is that the meter is gone: nobody waits until its values are old."""
    broker = gateway[1]
    broker.stop()
    try:
        until_lost(behind, "meter", 5.0 + LOOP_S, row="data_bad")
        where = f"127.0.0.1:{broker.port}, topic house/meter"
        until_told(behind, "meter", where, "connection refused")
    finally:
        broker.start()
    behind.until_power(-LOAD_W)


def test_a_gateway_that_is_gone_and_the_inverter_that_is_left_alone(behind: Rig) -> None:
    for role in ("inverter", "relays"):
        behind.fault(role, "absent")
    until_lost(behind, "inverter", REVERT_S + LOOP_S)
    port = behind.site.storage[0].inverter.connection.port
    where = f"127.0.0.1:{port}, device 1"
    until_told(behind, "battery/inverter", where, "connection refused")
    behind.clear()
    behind.until_power(-LOAD_W)


def test_a_controller_that_hangs_keeps_the_line_until_it_is_killed(behind: Rig) -> None:
    """Two masters would take each other's answers: until then the inverter's own timer counts."""
    controller = behind.processes["controller"]
    controller.signal(signal.SIGSTOP)
    behind.until(lambda: behind.power_w == 0.0, "0 W", REVERT_S + LOOP_S)
    assert behind.is_connected
    controller.signal(signal.SIGKILL)  # as the supervisor does
    behind.until(lambda: behind.is_safe, "the relay opened by the watchdog", REVERT_S)
    behind.start("controller")
    behind.until_state(State.IDLE)
