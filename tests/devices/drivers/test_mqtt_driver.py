"""The MQTT driver at a real broker: what comes, what is old, what floods, what goes away."""

import asyncio
import gc
import json
import random
import time
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("aiomqtt")

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import MqttBroker
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.errors import ConfigError, DeviceRefused, DeviceUnreachable
from holdfast.core.reading import Bad, Good, Sample
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.devices.drivers import MqttDriver, backoff, mqtt, mqtt_link, open_driver
from holdfast.devices.json_path import MAX_BYTES
from holdfast.devices.load_safety_wrapper import LoadSafetyWrapper
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.profile import load_profile, parse_profile
from tests.builders import LOAD, load_permit_of
from tests.devices.drivers import mosquitto
from tests.devices.drivers.mosquitto import Broker, OldBroker

POWER = Signal.GRID_POWER_W
METER = """
name: x
protocol: mqtt
roles: [meter]
source: test
period_s: 0.5
availability: {topic: "{base}/lwt"}
reads:
  - topic: "{base}/power"
    values: [{signal: grid_power_w, json: p}]
  - topic: "{base}/volts"
    values: [{signal: grid_voltage_v}]
"""
SWITCH = """
name: x
protocol: mqtt
roles: [load_switch]
source: test
period_s: 20
availability: {topic: "{base}/lwt"}
reads:
  - topic: "{base}/state"
    values:
      - {signal: load_on, json: state, words: {ON: 1, OFF: 0}}
      - {signal: load_revert_readback_s, json: revert}
      - {signal: room_setpoint_readback_c, json: target}
writes:
  - {point: load_on, topic: "{base}/set", words: {ON: 1, OFF: 0}, readback: load_on}
  - {point: load_revert_s, topic: "{base}/revert", readback: load_revert_readback_s}
  - point: room_setpoint_c
    topic: "{base}/target"
    payload: '{"target": {value}}'
    step: 0.5
    readback: room_setpoint_readback_c
"""


class Bench:
    """A driver at a broker."""

    def __init__(self, text: str, port: int, owner: str, **connection: Any) -> None:
        profile = parse_profile(text, source="x.yaml")
        assert isinstance(profile, MqttProfile)
        self.store = DataStore(("battery",), ("boiler",))
        self.owner = owner
        found = MqttBroker(host="127.0.0.1", port=port, topic="home/it", **connection)
        driver = open_driver("it", dict.fromkeys(profile.roles, owner), profile, found, self.store)
        assert isinstance(driver, MqttDriver)
        self.driver = driver
        self.task = asyncio.create_task(driver.run())

    @property
    def why(self) -> str:
        return self.driver.counters.why_silent

    def sample(self, signal: Signal = POWER) -> Sample | None:
        return self.store.image()[self.owner].get(signal)

    def good(self, signal: Signal = POWER) -> float | None:
        sample = self.sample(signal)
        return sample.value if isinstance(sample, Good) else None

    async def end(self) -> None:
        await self.driver.close()
        await asyncio.wait_for(self.task, 30)


@pytest.fixture
def broker(tmp_path: Path) -> Any:
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
async def build(
    monkeypatch: pytest.MonkeyPatch, wait_until: Any
) -> AsyncIterator[Callable[..., Awaitable[Bench]]]:
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)
    benches: list[Bench] = []

    async def build(
        text: str = METER, *, port: int, owner: str = SITE, connected: bool = True, **options: Any
    ) -> Bench:
        benches.append(Bench(text, port, owner, **options))
        if connected:
            await wait_until(lambda: benches[-1].driver._link is not None)
        return benches[-1]

    yield build
    for one in benches:
        await one.end()


pytestmark = mosquitto.needed


async def test_values_of_each_message_come_with_the_time_it_came(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    meter = await build(port=broker.port)
    assert meter.driver.counters.where == f"127.0.0.1:{broker.port}, topic home/it"
    sent_ns = time.monotonic_ns()
    await broker.send("home/it/power", '{"p": -512.5}')
    await wait_until(lambda: meter.good() == -512.5)
    assert sent_ns < meter.sample().time_ns <= time.monotonic_ns()
    assert meter.sample(Signal.GRID_VOLTAGE_V) is None
    await broker.send("home/it/volts", "231.5")
    await wait_until(lambda: meter.good(Signal.GRID_VOLTAGE_V) == 231.5)
    assert meter.driver.counters.reads == 2
    assert meter.driver.counters.errors == 0


async def test_what_the_broker_had_kept_is_not_believed(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    await broker.send("home/it/power", '{"p": 100}', retain=True)
    meter = await build(port=broker.port)
    await wait_until(lambda: meter.why)
    assert meter.why == (
        "nothing new within 2 s: what came on home/it/power was kept by the broker"
    )
    assert meter.sample() is None
    await broker.send("home/it/power", '{"p": 200}', retain=True)
    await wait_until(lambda: meter.good() == 200.0)
    assert meter.why == ""


async def test_a_message_that_is_sent_again_is_as_old_as_it_says(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    text = METER.replace('topic: "{base}/power"', 'topic: "{base}/power"\n    time: t')
    meter = await build(text, port=broker.port)
    await broker.send("home/it/power", '{"p": 1, "t": 100}')
    await wait_until(lambda: "t has not moved yet" in meter.why)
    await broker.send("home/it/power", '{"p": 2, "t": 101}')
    await wait_until(lambda: meter.good() == 2.0)
    sampled_ns = meter.sample().time_ns
    await broker.send("home/it/power", '{"p": 3, "t": 40}')
    await wait_until(lambda: "home/it/power: it tells what was" in meter.why)
    assert meter.good() == 2.0
    assert meter.sample().time_ns == sampled_ns


async def test_a_broker_that_goes_away_and_comes_back_is_heard_again(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    meter = await build(port=broker.port)
    await broker.send("home/it/power", '{"p": 1}')
    await wait_until(lambda: meter.good() == 1.0)
    broker.stop()
    await wait_until(lambda: meter.why)
    await wait_until(lambda: meter.why == "connection refused")
    broker.start()
    await wait_until(lambda: meter.driver._link is not None)
    await broker.send("home/it/power", '{"p": 2}')
    await wait_until(lambda: meter.good() == 2.0)
    assert meter.why == ""


async def test_a_silent_device_is_told_with_its_topics(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    meter = await build(port=broker.port)
    await wait_until(lambda: meter.why)
    assert meter.why == "nothing came within 2 s on home/it/power, home/it/volts"


async def test_one_that_is_offline_counts_no_more_at_once(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    meter = await build(port=broker.port)
    await broker.send("home/it/power", '{"p": 1}')
    await wait_until(lambda: meter.good() == 1.0)
    await broker.send("home/it/lwt", "offline", retain=True)
    await wait_until(lambda: isinstance(meter.sample(), Bad))
    assert meter.sample().reason == meter.why == "it is offline, says home/it/lwt"
    assert meter.sample(Signal.GRID_VOLTAGE_V) is None, "it never told that"
    await broker.send("home/it/power", '{"p": 2}')
    await broker.send("home/it/lwt", "what?")
    await broker.send("home/it/lwt", b"\xff")
    await broker.send("home/it/lwt", "online")
    await broker.send("home/it/power", '{"p": 3}')
    await wait_until(lambda: meter.good() == 3.0)
    assert meter.why == ""


async def test_one_that_was_offline_before_we_came_is_told(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    await broker.send("home/it/lwt", "offline", retain=True)
    meter = await build(port=broker.port)
    await wait_until(lambda: meter.why == "it is offline, says home/it/lwt")


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ("{}", "home/it/power: p is not there, for grid_power_w"),
        ("on", "home/it/power: p is not there, for grid_power_w"),
        (b"\xff\xfe", "home/it/power: what came is no text"),
        (b"", "home/it/power: p is not there, for grid_power_w"),
    ],
)
async def test_a_message_that_is_none_is_told(
    broker: Broker, build: Any, wait_until: Any, payload: Any, why: str
) -> None:
    meter = await build(port=broker.port)
    await broker.send("home/it/power", payload)
    await wait_until(lambda: meter.why)
    assert meter.why == why


async def test_a_message_that_is_too_long_never_comes(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    meter = await build(port=broker.port)
    await broker.send("home/it/power", b" " * MAX_BYTES + b'{"p": 1}' + b" " * 1000)
    await broker.send("home/it/power", '{"p": 2}')
    await wait_until(lambda: meter.good() == 2.0)
    assert meter.driver.counters.errors == 0


async def test_a_flood_is_left_and_the_loop_goes_on(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    meter = await build(port=broker.port)
    late: list[float] = []

    async def tick() -> None:
        while True:
            due_s = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            late.append(time.monotonic() - due_s)

    ticking = asyncio.create_task(tick())
    async with broker.client() as client:
        for number in range(20 * mqtt.MAX_PER_S):
            await client.publish("home/it/power", json.dumps({"p": number}))
    await wait_until(lambda: "more than 50 messages a second" in meter.driver.counters.last_error)
    ticking.cancel()
    assert late
    await broker.send("home/it/power", '{"p": -1}')

    async def heard() -> None:
        while meter.good() != -1.0:
            await broker.send("home/it/power", '{"p": -1}')
            await asyncio.sleep(0.1)

    await asyncio.wait_for(heard(), 30)


async def test_a_topic_that_we_may_not_read_is_told(build: Any, wait_until: Any) -> None:
    old = OldBroker(grants=128)
    await old.start()
    meter = await build(port=old.port, connected=False)
    await wait_until(lambda: meter.why)
    assert meter.why == "the broker refuses topic home/it/power: Unspecified error"
    await meter.end()
    await old.stop()


async def test_a_password_comes_from_the_environment_or_a_file(
    tmp_path: Path, build: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = mosquitto.passwords(tmp_path, "holdfast", "s3cret and more")
    broker = Broker(tmp_path, "allow_anonymous false", f"password_file {file}")
    broker.start()
    secret = tmp_path / "secret"
    try:
        who = {"port": broker.port, "username": "holdfast", "connected": False}
        meter = await build(**who, password_env="MQTT_PASSWORD")
        other = await build(**who, password_file=str(secret))
        await wait_until(lambda: meter.why and other.why)
        assert meter.why == "password_env: MQTT_PASSWORD is not set"
        assert other.why.startswith("password_file: ")
        assert "No such file" in other.why
        monkeypatch.setenv("MQTT_PASSWORD", "wrong")
        secret.write_text("\n")
        await wait_until(lambda: meter.why.startswith("the broker refuses: "))
        assert meter.why == "the broker refuses: Not authorized"
        await wait_until(lambda: other.why.endswith("holds no password"))
        secret.write_bytes(b"\xff\xff")
        await asyncio.sleep(0.05)
        monkeypatch.setenv("MQTT_PASSWORD", "s3cret and more")
        secret.write_text("s3cret and more\n")
        await wait_until(lambda: meter.driver._link is not None)
        await wait_until(lambda: other.driver._link is not None)
    finally:
        broker.stop()


async def test_a_broker_that_does_not_greet_is_told(
    build: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_link, "CONNECT_S", 0.2)
    monkeypatch.setattr(backoff, "_LONGEST_S", 0.02)

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    registered = asyncio.get_running_loop()._selector.get_map()  # type: ignore[attr-defined]
    before = len(registered)
    meter = await build(port=port, connected=False)
    await wait_until(lambda: meter.driver.counters.tries > 4)
    assert meter.why == "the broker did not greet within 0.2 s"
    await meter.end()
    await wait_until(lambda: len(registered) == before)
    server.close()
    await asyncio.sleep(0.01)


GREETING, GRANTED = bytes([0x20, 3, 0, 0, 0]), bytes([0x90, 4, 0, 1, 0, 0])


@pytest.mark.parametrize("politely", [b"", GREETING, GREETING + GRANTED])
async def test_no_bytes_of_a_broker_end_the_driver_or_touch_the_loop(
    build: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch, politely: bytes
) -> None:
    """A descriptor that is left registered in the loop would be somebody else's soon."""
    monkeypatch.setattr(mqtt_link, "CONNECT_S", 0.1)
    monkeypatch.setattr(backoff, "_LONGEST_S", 0.02)
    dice, served = random.Random(7), [0]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served[0] += 1
        await reader.read(200)
        writer.write(politely + dice.randbytes(dice.randrange(1, 60)))
        await asyncio.sleep(0.05)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    selector = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
    before = len(selector.get_map())
    meter = await build(port=port, connected=False)
    await wait_until(lambda: served[0] > 15)
    assert not meter.task.done()
    assert meter.driver.counters.reads == 0
    await meter.end()
    await wait_until(lambda: len(selector.get_map()) == before)
    server.close()
    await asyncio.sleep(0.1)


async def test_a_broker_of_an_older_protocol_is_spoken_to_in_it(
    build: Any, wait_until: Any
) -> None:
    old = OldBroker()
    await old.start()
    switch = await build(SWITCH, port=old.port, owner="boiler")
    assert old.levels[:2] == [5, 4]
    await old.send("home/it/state", b'{"state": "ON", "revert": 60, "target": 20}')
    await wait_until(lambda: switch.good(Signal.LOAD_ON) == 1.0)
    await switch.driver.write(command(Point.LOAD_ON, 0.0))
    assert switch.driver.counters.writes == 1
    await switch.end()
    await old.stop()


@pytest.mark.parametrize("there", [True, False])
async def test_a_client_that_is_done_with_is_gone_without_the_collector(
    broker: Broker, build: Any, wait_until: Any, there: bool
) -> None:
    """The controller collects no old garbage, and a broker may be away for a week."""
    clients: list[weakref.ref[object]] = []
    new_client = mqtt_link.MqttLink._new_client

    async def noted(self: Any) -> Any:
        client = await new_client(self)
        clients.append(weakref.ref(client))
        return client

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mqtt_link.MqttLink, "_new_client", noted)
        meter = await build(port=broker.port)
        if not there:
            broker.stop()
        gc.disable()
        try:
            for _ in range(3):
                await wait_until(lambda: not there or meter.driver._link is not None)
                seen = len(clients)
                meter.driver._left = True
                await wait_until(lambda before=seen: len(clients) > before)
            await wait_until(lambda: all(client() is None for client in clients[:-1]))
        finally:
            gc.enable()


# Commands. ----------------------------------------------------------------------------------------


def command(point: Point, value: float, unit: str = "boiler") -> Write:
    return Write(unit=unit, role=Role.LOAD_SWITCH, point=point, value=value)


async def test_commands_are_sent_and_never_kept(broker: Broker, build: Any) -> None:
    switch = await build(SWITCH, port=broker.port, owner="boiler")
    async with broker.client() as device:
        await device.subscribe("home/it/#", qos=1)
        await switch.driver.write(command(Point.LOAD_REVERT_S, 60.0))
        await switch.driver.write(command(Point.LOAD_ON, 1.0))
        await switch.driver.write(command(Point.ROOM_SETPOINT_C, 21.5))
        seen = [await asyncio.wait_for(anext(device.messages), 30) for _ in range(3)]
    assert [(str(each.topic), each.payload, each.qos, each.retain) for each in seen] == [
        ("home/it/revert", b"60", 1, False),
        ("home/it/set", b"ON", 1, False),
        ("home/it/target", b'{"target": 21.5}', 1, False),
    ]
    assert switch.driver.counters.writes == 3
    async with broker.client() as later:
        await later.subscribe("home/it/#")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(later.messages), 0.3)


async def test_what_cannot_be_sent_is_refused(broker: Broker, build: Any, wait_until: Any) -> None:
    switch = await build(SWITCH, port=broker.port, owner="boiler")
    for write, why in (
        (command(Point.LOAD_ON, 0.5), "load_on: there is no word for 0.5"),
        (command(Point.LOAD_REVERT_S, float("nan")), "nan cannot be written"),
        (command(Point.ENABLE, 1.0), "its profile has no point enable"),
        (command(Point.LOAD_ON, 1.0, unit="other"), "is for another device"),
    ):
        with pytest.raises(DeviceRefused, match=why):
            await switch.driver.write(write)
        assert why in switch.driver.counters.last_error
    await broker.send("home/it/lwt", "offline")
    await wait_until(lambda: switch.why)
    with pytest.raises(DeviceUnreachable, match="it is offline, says home/it/lwt"):
        await switch.driver.write(command(Point.LOAD_ON, 1.0))
    assert switch.driver.counters.writes == 0


async def test_without_a_broker_a_command_fails_at_once_and_is_never_sent_late(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    switch = await build(SWITCH, port=broker.port, owner="boiler")
    broker.stop()
    await wait_until(lambda: switch.driver._link is None)
    began_s = time.monotonic()
    with pytest.raises(DeviceUnreachable, match="not connected, load_on not sent"):
        await switch.driver.write(command(Point.LOAD_ON, 1.0))
    assert time.monotonic() - began_s < 1.0
    broker.start()
    async with broker.client() as device:
        await device.subscribe("home/it/set", qos=1)
        await wait_until(lambda: switch.driver._link is not None)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(device.messages), 0.3)


async def test_a_broker_that_acknowledges_nothing_is_left(
    build: Any, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_link, "WRITE_S", 0.1)
    old = OldBroker()
    await old.start()
    switch = await build(SWITCH, port=old.port, owner="boiler")
    before = switch.driver._link

    async def nothing(_self: Any, topic: str, payload: str) -> None:
        await asyncio.sleep(0.05)
        raise DeviceUnreachable(f"topic {topic}: timed out")

    monkeypatch.setattr(mqtt_link.MqttLink, "publish", nothing)
    with pytest.raises(DeviceUnreachable, match="timed out"):
        await switch.driver.write(command(Point.LOAD_ON, 1.0))
    await wait_until(lambda: switch.driver._link not in (None, before))
    await switch.end()
    await old.stop()


class Relay:
    """A relay behind a broker, as the table mqtt_switch wants one."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.on, self.revert_s = False, 0.0
        self.heard: list[tuple[str, str]] = []

    async def run(self) -> None:
        await self._client.subscribe("home/it/set/#", qos=1)
        await self._tell()
        async for message in self._client.messages:
            name, text = str(message.topic).rpartition("/")[2], message.payload.decode()
            self.heard.append((name, text))
            if name == "on":
                self.on = json.loads(text)
            else:
                self.revert_s = float(text)
            await self._tell()

    async def _tell(self) -> None:
        state = {"on": self.on, "revert_s": self.revert_s}
        await self._client.publish("home/it/state", json.dumps(state), qos=1)


async def test_a_load_is_switched_on_and_is_seen_to_be(
    broker: Broker, build: Any, wait_until: Any
) -> None:
    table = load_profile("mqtt_switch")
    text = (files("holdfast.devices") / "profiles" / "mqtt_switch.yaml").read_text()
    boiler = await build(text, port=broker.port, owner=LOAD)
    wrapper, memory = LoadSafetyWrapper(LOAD, table.points, table.traits), {}
    async with broker.client() as client:
        relay = Relay(client)
        task = asyncio.create_task(relay.run())
        await wait_until(lambda: boiler.good(Signal.LOAD_ON) == 0.0)
        for on in (True, False):
            snapshot = freeze(boiler.store.image(), time.monotonic_ns())
            writes, memory, found = wrapper.decide(
                load_permit_of(), snapshot, memory, on=on, setpoint_c=None
            )
            assert found == ()
            for write in writes:
                await boiler.driver.write(write)
            await wait_until(lambda wanted=on: boiler.good(Signal.LOAD_ON) == float(wanted))
        assert boiler.good(Signal.LOAD_REVERT_READBACK_S) == 60.0
        task.cancel()
        await asyncio.wait([task])
    assert relay.heard == [("revert_s", "60"), ("on", "true"), ("on", "false")]


def test_without_the_library_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "aiomqtt", None)
    connection = MqttBroker(host="x", topic="y")
    profile = load_profile("mqtt_meter")
    with pytest.raises(ConfigError, match=r"site/meter: MQTT needs .* 'holdfast\[mqtt\]'"):
        open_driver("site/meter", {Role.METER: SITE}, profile, connection, DataStore(("b",)))


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(payload=st.binary(max_size=60) | st.sampled_from([b'{"p": 1e999}', b'{"p": [1]}', b"[]"]))
def test_no_message_makes_the_driver_raise(payload: bytes) -> None:
    profile = parse_profile(METER, source="x.yaml")
    assert isinstance(profile, MqttProfile)
    connection = MqttBroker(host="x", topic="home/it")
    driver = MqttDriver("it", {Role.METER: SITE}, profile, connection, DataStore(("battery",)))
    for topic in ("home/it/power", "home/it/volts", "home/it/lwt", "other"):
        for retain in (True, False):
            message = mqtt_message(topic, payload, retain=retain)
            driver._take(message, time.monotonic_ns())


def mqtt_message(topic: str, payload: bytes, *, retain: bool) -> Any:
    import aiomqtt

    return aiomqtt.Message(topic, payload, 0, retain, 1, None)
