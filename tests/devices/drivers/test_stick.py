"""A stick at a real broker: whose answer counts, what stays of a command, what goes away."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("aiomqtt")

from holdfast.core.config.device import ModbusMqtt
from holdfast.core.errors import ConfigError, DeviceRefused, DeviceUnreachable
from holdfast.devices.drivers import backoff, mqtt_link
from holdfast.devices.drivers.modbus_pdu import read_request, words_of, write_request
from holdfast.devices.drivers.stick import StickLink, StickWire
from holdfast.devices.register_image import WriteRequest
from tests.devices.drivers import mosquitto
from tests.devices.drivers.mosquitto import Broker, OldBroker

if TYPE_CHECKING:
    import aiomqtt

pytestmark = mosquitto.needed

READ = read_request("holding", 1044, 1, 1)
WRITE = write_request(
    WriteRequest(device_id=None, table="holding", address=1090, words=(40,), function="single"), 1
)
Hook = Callable[["Gateway", dict[str, Any]], list[dict[str, Any]]]


class Gateway:
    """A stick made by hand: ``hook`` makes its answers."""

    def __init__(self, broker: Broker, hook: Hook) -> None:
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.messages: list[aiomqtt.Message] = []
        self.value = 7
        self._broker, self._hook = broker, hook
        self._ready = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Gateway":
        self._task = asyncio.create_task(self._run())
        await asyncio.wait_for(self._ready.wait(), 30)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        import aiomqtt

        versions = aiomqtt.ProtocolVersion
        async with aiomqtt.Client("127.0.0.1", self._broker.port, protocol=versions.V5) as client:
            await client.subscribe("energy/solar/command/#", qos=1)
            self._ready.set()
            async for message in client.messages:
                asked = json.loads(bytes(message.payload))
                self.messages.append(message)
                self.heard.append((message.topic.value, asked))
                for answer in self._hook(self, asked):
                    # The real one lets the broker keep its answers.
                    await client.publish("energy/solar/result", json.dumps(answer), retain=True)


def good(gateway: Gateway, asked: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "correlationId": asked["correlationId"],
            "success": True,
            "message": "success",
            "value": gateway.value,
        }
    ]


def silent(_: Gateway, __: dict[str, Any]) -> list[dict[str, Any]]:
    return []


@pytest.fixture
def broker(tmp_path: Path) -> Any:
    broker = Broker(tmp_path)
    broker.start()
    yield broker
    broker.stop()


def place(port: int, **keys: Any) -> ModbusMqtt:
    return ModbusMqtt(host="127.0.0.1", port=port, **({"timeout_s": 5.0} | keys))


class Kept:
    """A link that is kept, and what went wrong with it."""

    def __init__(self, connection: ModbusMqtt) -> None:
        self.link = StickLink(connection)
        self.errors: list[str] = []
        self.task = asyncio.create_task(
            self.link.keep(lambda error: self.errors.append(str(error)))
        )


@pytest.fixture
async def keep(
    monkeypatch: pytest.MonkeyPatch, wait_until: Any
) -> AsyncIterator[Callable[..., Any]]:
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)
    all_kept: list[Kept] = []

    async def build(connection: ModbusMqtt) -> Kept:
        all_kept.append(Kept(connection))
        await wait_until(lambda: all_kept[-1].link.connected)
        return all_kept[-1]

    yield build
    for kept in all_kept:
        kept.link.close()
        await asyncio.wait_for(kept.task, 30)


async def test_a_register_is_asked_for_and_answered(broker: Broker, keep: Any) -> None:
    async with Gateway(broker, good) as gateway:
        link = (await keep(place(broker.port))).link
        answer = await link.request(READ)
        assert words_of(answer.pdu, 1) == [7]
        assert gateway.heard[0][0] == "energy/solar/command/modbus/get"
        gateway.value = 8
        later = await link.request(READ)
        assert (words_of(later.pdu, 1), later.sent_ns > answer.sent_ns) == ([8], True)


async def test_a_command_is_kept_by_nobody_and_expires(broker: Broker, keep: Any) -> None:
    async with Gateway(broker, good) as gateway:
        await (await keep(place(broker.port))).link.request(WRITE)
        (message,) = gateway.messages
        assert (message.retain, message.qos) == (False, 1)
        assert message.properties is not None
        assert 0 < message.properties.MessageExpiryInterval <= mqtt_link.EXPIRES_S
    heard: list[str] = []
    async with broker.client() as late:
        await late.subscribe("energy/solar/#")
        await late.publish("energy/solar/end", "")
        async for message in late.messages:
            if message.topic.value == "energy/solar/end":
                break
            heard.append(message.topic.value)
    assert heard == ["energy/solar/result"], "the stick's own answer, and no command"


async def test_only_the_answer_to_this_question_counts(broker: Broker, keep: Any) -> None:
    def confused(gateway: Gateway, asked: dict[str, Any]) -> list[dict[str, Any]]:
        right = good(gateway, asked)
        of_others = [{**right[0], "correlationId": other, "value": 99} for other in ("", "ha-1")]
        return [*of_others, {"success": True}, *right]

    await broker.send("energy/solar/result", '{"correlationId": "x"}', retain=True)
    async with Gateway(broker, confused):
        link = (await keep(place(broker.port))).link
        assert words_of((await link.request(READ)).pdu, 1) == [7]


async def test_an_answer_that_comes_late_is_none_to_the_next_question(
    broker: Broker, keep: Any
) -> None:
    unanswered: list[dict[str, Any]] = []

    def slow(gateway: Gateway, asked: dict[str, Any]) -> list[dict[str, Any]]:
        unanswered.append(asked)
        if len(unanswered) == 1:
            return []
        late = good(gateway, unanswered[0])
        late[0]["value"] = 1
        return [*late, *good(gateway, asked)]

    async with Gateway(broker, slow):
        link = (await keep(place(broker.port, timeout_s=0.3))).link
        with pytest.raises(DeviceUnreachable, match=r"no answer to read .* waited 0\.3 s"):
            await link.request(READ)
        assert link.connected, "the broker has done what it could"
        link._connection = place(broker.port)
        assert words_of((await link.request(READ)).pdu, 1) == [7]
        assert link.connections == 1


async def test_a_failure_is_a_refusal_and_no_lost_connection(broker: Broker, keep: Any) -> None:
    def failing(gateway: Gateway, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**good(gateway, asked)[0], "success": False, "message": "Failed to read"}]

    async with Gateway(broker, failing):
        kept = await keep(place(broker.port))
        with pytest.raises(DeviceRefused, match="Failed to read"):
            await kept.link.request(READ)
        assert (kept.link.connected, kept.errors) == (True, [])


async def test_what_no_stick_can_do_is_not_sent(broker: Broker, keep: Any) -> None:
    async with Gateway(broker, good) as gateway:
        link = (await keep(place(broker.port))).link
        with pytest.raises(DeviceRefused, match="has no command for that"):
            await link.request(read_request("holding", 1, 3, 1))
        await link.request(READ)
        assert len(gateway.heard) == 1


async def test_two_questions_at_once_wait_for_each_other(broker: Broker, keep: Any) -> None:
    async with Gateway(broker, good):
        link = (await keep(place(broker.port))).link
        answers = await asyncio.gather(*(link.request(READ) for _ in range(5)))
        assert [words_of(answer.pdu, 1) for answer in answers] == [[7]] * 5


async def test_a_broker_that_goes_away_and_comes_back_is_found_again(
    broker: Broker, keep: Any, wait_until: Any
) -> None:
    kept = await keep(place(broker.port))
    broker.stop()
    with pytest.raises(DeviceUnreachable):
        await kept.link.request(READ)
    await wait_until(lambda: kept.errors)
    with pytest.raises(DeviceUnreachable, match="not connected"):
        await kept.link.request(READ)
    broker.start()
    await wait_until(lambda: kept.link.connected)
    async with Gateway(broker, good):
        assert words_of((await kept.link.request(READ)).pdu, 1) == [7]
    assert kept.link.connections == 2


async def test_a_broker_that_refuses_the_topic_is_told_in_words(keep: Any, wait_until: Any) -> None:
    old = OldBroker(grants=128)
    await old.start()
    try:
        kept = Kept(place(old.port))
        await wait_until(lambda: kept.errors)
        assert "refuses topic energy/solar/result" in kept.errors[0]
        assert 5 in old.levels
        assert 4 in old.levels, "it was greeted in the older protocol, too"
        kept.link.close()
        await asyncio.wait_for(kept.task, 30)
    finally:
        await old.stop()


async def test_who_may_wait_asks_without_an_event_loop_of_his_own(broker: Broker) -> None:
    async with Gateway(broker, good) as gateway:
        wire = StickWire(place(broker.port))
        assert not wire.connected

        def talk() -> list[int]:
            wire.connect()
            wire.exchange(WRITE)
            return words_of(wire.exchange(READ), 1)

        assert await asyncio.to_thread(talk) == [7]
        assert [topic.rpartition("/")[2] for topic, _ in gateway.heard] == ["set", "get"]
        await asyncio.to_thread(wire.close)
        assert not wire.connected
        with pytest.raises(DeviceUnreachable, match="not connected"):
            wire.exchange(READ)


async def test_who_may_wait_waits_no_longer_than_he_said_and_connects_anew(broker: Broker) -> None:
    async with Gateway(broker, silent):
        wire = StickWire(place(broker.port, timeout_s=0.2))
        await asyncio.to_thread(wire.connect)
        with pytest.raises(DeviceUnreachable, match=r"topic energy/solar: no answer"):
            await asyncio.to_thread(wire.exchange, READ)
        assert not wire.connected
    async with Gateway(broker, good):
        wire = StickWire(place(broker.port))
        await asyncio.to_thread(wire.connect)
        assert words_of(await asyncio.to_thread(wire.exchange, READ), 1) == [7]
        await asyncio.to_thread(wire.close)


async def test_who_may_wait_is_told_of_a_failure_and_of_a_broker_that_is_not_there(
    broker: Broker,
) -> None:
    def failing(gateway: Gateway, asked: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**good(gateway, asked)[0], "success": False, "message": "busy"}]

    async with Gateway(broker, failing):
        wire = StickWire(place(broker.port))
        await asyncio.to_thread(wire.connect)
        with pytest.raises(DeviceRefused, match="busy"):
            await asyncio.to_thread(wire.exchange, READ)
        assert wire.connected
        await asyncio.to_thread(wire.close)
    broker.stop()
    with pytest.raises(DeviceUnreachable, match=r"cannot be connected to: connection refused"):
        await asyncio.to_thread(wire.connect)
    assert not wire.connected
    threads = [thread.name for thread in threading.enumerate()]
    assert not [name for name in threads if "paho" in name]


def test_without_the_library_it_is_said_which_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "aiomqtt", None)
    for kind in (StickLink, StickWire):
        with pytest.raises(ConfigError, match=r"holdfast\[mqtt\]"):
            kind(place(1883))
