"""The HTTP driver in front of a server that may answer anything, late, in pieces, or not at all."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import HttpHost
from holdfast.core.data_store import DataStore
from holdfast.core.errors import ConfigError, DeviceRefused
from holdfast.core.reading import Bad, Good, Sample
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.drivers import HttpDriver, backoff, open_driver
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.json_path import MAX_BYTES
from holdfast.devices.profile import load_profile, parse_profile

POWER, PV = Signal.GRID_POWER_W, Signal.PV_POWER_W
TABLE = """
name: x
protocol: http
roles: [meter, pv_meter]
source: test
poll_period_s: 0.1
reads:
  - at: /meter?id=0
    values:
      - {signal: grid_power_w, json: p}
  - at: /pv
    values:
      - {signal: pv_power_w, json: p}
"""

Answering = Callable[[str], Awaitable[bytes]]


def http(body: bytes | str, status: str = "200 OK", *headers: str, length: int = 0) -> bytes:
    """An answer; ``length`` is promised beyond what comes."""
    content = body.encode() if isinstance(body, str) else body
    size = f"Content-Length: {len(content) + length}"
    return "\r\n".join([f"HTTP/1.1 {status}", size, *headers, "", ""]).encode() + content


class Meter:
    """A device on a free port, whose answers may be exchanged, and its driver."""

    def __init__(self, profile: HttpProfile, **connection: Any) -> None:
        self.profile = profile
        self.options = connection
        self.asked: list[str] = []
        self.headers: list[str] = []
        self.connections = 0
        self.bodies: dict[str, object] = {"/meter?id=0": {"p": 500}, "/pv": {"p": 100}}
        self.hook: Answering | None = None
        self.store = DataStore(("battery",))
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        await self.serve()
        connection = HttpHost(host="127.0.0.1", port=self.port, **self.options)
        driver = open_driver(
            "site/meter", dict.fromkeys(self.profile.roles, SITE), self.profile, connection,
            self.store,
        )  # fmt: skip
        assert isinstance(driver, HttpDriver)
        self.driver = driver
        self.task = asyncio.create_task(driver.run())

    async def serve(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop_serving(self) -> None:
        assert self._server is not None
        for listening in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listening.fileno())
        await asyncio.sleep(0.01)
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.sleep(0.01)

    async def end(self) -> None:
        await self.driver.close()
        await asyncio.wait_for(self.task, 30)
        await self.stop_serving()

    def sample(self, signal: Signal = POWER) -> Sample | None:
        return self.store.image()[SITE].get(signal)

    def good(self, signal: Signal = POWER) -> float | None:
        sample = self.sample(signal)
        return sample.value if isinstance(sample, Good) else None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split(" ")[1]
                self.asked.append(path)
                self.headers.append(head)
                if self.hook is not None:
                    writer.write(await self.hook(path))
                else:
                    writer.write(http(json.dumps(self.bodies.get(path, {}))))
        self._open.discard(writer)
        writer.close()


@pytest.fixture
async def meter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Awaitable[Meter]]]:
    monkeypatch.setattr(backoff, "_FIRST_S", 0.02)
    meters: list[Meter] = []

    async def build(text: str = TABLE, **connection: Any) -> Meter:
        profile = parse_profile(text, source="x.yaml")
        assert isinstance(profile, HttpProfile)
        meters.append(Meter(profile, **connection))
        await meters[-1].start()
        return meters[-1]

    yield build
    for one in meters:
        await one.end()


async def test_values_of_all_documents_come_each_with_the_time_it_was_asked(
    meter: Any, wait_until: Any
) -> None:
    began_ns = time.monotonic_ns()
    one = await meter(prefix="")
    await wait_until(lambda: one.driver.counters.reads >= 3)
    assert (one.good(), one.good(PV)) == (500.0, 100.0)
    assert began_ns < one.sample().time_ns < one.sample(PV).time_ns <= time.monotonic_ns()
    assert one.asked[:4] == ["/meter?id=0", "/pv", "/meter?id=0", "/pv"]
    assert one.connections == 1, "it stays connected"
    assert one.driver.counters.errors == 0
    assert one.driver.counters.where == f"127.0.0.1:{one.port}"
    assert "Accept-Encoding: identity" in one.headers[0]


async def test_polls_are_not_logged(
    meter: Any, wait_until: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        one = await meter()
        await wait_until(lambda: one.driver.counters.reads >= 2)
    assert [record.name for record in caplog.records if record.name.startswith("http")] == []


async def test_a_path_may_have_something_before_it(meter: Any, wait_until: Any) -> None:
    one = await meter(prefix="/house/meter-1")
    one.bodies = {"/house/meter-1/meter?id=0": {"p": 7}, "/house/meter-1/pv": {"p": 8}}
    await wait_until(lambda: one.good() == 7.0)
    assert one.driver.counters.where.endswith("/house/meter-1")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http("{}", "404 Not Found"), "/meter?id=0: HTTP 404"),
        (http("{}", "401 Unauthorized"), "/meter?id=0: HTTP 401"),
        (http("", "302 Found", "Location: http://127.0.0.1/x"), "/meter?id=0: HTTP 302"),
        (http("<html>"), "what came is no JSON: '<html>'"),
        (http("{}"), "p is not there, for grid_power_w"),
        (http("{}", "200 OK", "Content-Encoding: gzip"), "the answer is packed"),
        (http(b" " * (MAX_BYTES + 1)), f"the answer is larger than {MAX_BYTES} bytes"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "the answer is no HTTP ("),
        (http("{}", length=5), "no whole answer to /meter?id=0 within 0.2 s"),
        (b"", "no whole answer to /meter?id=0 within 0.2 s"),
    ],
)
async def test_an_answer_that_is_none_is_told_and_nothing_of_it_counts(
    meter: Any, wait_until: Any, answer: bytes, why: str
) -> None:
    one = await meter(timeout_s=0.2)

    async def wrong(_: str) -> bytes:
        return answer

    one.hook = wrong
    await wait_until(lambda: one.driver.counters.tries >= 2)
    assert why in one.driver.counters.why_silent
    one.hook = None
    await wait_until(lambda: one.driver.counters.why_silent == "")
    assert one.good() == 500.0


async def test_an_answer_that_trickles_has_failed_in_time(meter: Any, wait_until: Any) -> None:
    one = await meter(timeout_s=0.2)
    await wait_until(lambda: one.driver.counters.reads)
    before = one.driver.counters.errors

    async def slow(_: str) -> bytes:
        await asyncio.sleep(0.5)
        return http('{"p": 1}')

    one.hook = slow
    await wait_until(lambda: one.driver.counters.errors > before)
    assert "within 0.2 s" in one.driver.counters.why_silent
    assert one.good() == 500.0, "what it said last ages"


async def test_a_poll_counts_whole_or_not_at_all(meter: Any, wait_until: Any) -> None:
    one = await meter()
    await wait_until(lambda: one.driver.counters.reads)
    one.bodies = {"/meter?id=0": {"p": 999}, "/pv": {"x": 0}}
    await wait_until(lambda: one.driver.counters.tries)
    assert one.good() == 500.0


async def test_one_value_that_cannot_be_true_is_left_out_and_the_second_is_believed(
    meter: Any, wait_until: Any
) -> None:
    one = await meter()
    await wait_until(lambda: one.driver.counters.reads)
    seen: list[Sample] = []
    one.store.on_change(lambda _owner, _signal, sample: seen.append(sample))
    one.bodies["/meter?id=0"] = {"p": "broken"}
    await wait_until(lambda: isinstance(one.sample(), Bad))
    assert "a reading was left out" in one.driver.counters.last_error
    assert isinstance(one.sample(), Bad)
    assert one.sample().reason == "the device says that it is not available; p is 'broken'"


async def test_a_device_that_goes_and_comes_back_is_read_again(meter: Any, wait_until: Any) -> None:
    one = await meter()
    await wait_until(lambda: one.driver.counters.reads)
    await one.stop_serving()
    await wait_until(lambda: one.driver.counters.tries >= 2)
    assert one.driver.counters.why_silent in {
        "connection refused",
        "the device closed the connection",
    }
    one.bodies["/meter?id=0"] = {"p": 42}
    await one.serve()
    await wait_until(lambda: one.good() == 42.0)


async def test_a_name_that_nobody_knows_is_told(meter: Any, wait_until: Any) -> None:
    profile = parse_profile(TABLE, source="x.yaml")
    assert isinstance(profile, HttpProfile)
    connection = HttpHost(host="no-such-host.invalid", timeout_s=5.0)
    owners = dict.fromkeys(profile.roles, SITE)
    driver = HttpDriver("site/meter", owners, profile, connection, DataStore(("battery",)))
    task = asyncio.create_task(driver.run())
    await wait_until(lambda: driver.counters.why_silent)
    await driver.close()
    await task
    assert driver.counters.why_silent == "this host name is not known"


def test_what_can_be_no_address_is_refused() -> None:
    profile = load_profile("shelly_pro_3em")
    with pytest.raises(ConfigError, match="is no address"):
        open_driver(
            "it", {Role.METER: SITE}, profile, HttpHost(host="ä" * 70), DataStore(("battery",))
        )


async def test_a_meter_that_repeats_its_last_value_is_not_believed(
    meter: Any, wait_until: Any
) -> None:
    one = await meter(TABLE.replace("at: /meter?id=0", "at: /meter?id=0\n    time: t"))
    one.bodies["/meter?id=0"] = {"p": 1, "t": 1000}
    await wait_until(lambda: one.driver.counters.why_silent == "t has not moved yet")
    assert one.sample() is None
    one.bodies["/meter?id=0"] = {"p": 2, "t": 1001}
    await wait_until(lambda: one.good() == 2.0)
    sampled_ns = one.sample().time_ns
    await wait_until(lambda: "it tells what was" in one.driver.counters.why_silent)
    assert one.sample().time_ns == sampled_ns
    assert time.monotonic_ns() - sampled_ns > NS_PER_S


async def test_nothing_is_written(meter: Any) -> None:
    one = await meter()
    write = Write(unit=SITE, role=Role.METER, point=Point.LOAD_ON, value=1.0)
    with pytest.raises(DeviceRefused, match="nothing is written over HTTP, load_on neither"):
        await one.driver.write(write)
    assert one.driver.counters.errors == 1


async def test_one_that_is_cancelled_lets_go_of_its_connection(meter: Any, wait_until: Any) -> None:
    one = await meter()
    await wait_until(lambda: one.driver.counters.reads)
    one.task.cancel()
    await asyncio.wait([one.task])
    assert one.task.cancelled()
    await wait_until(lambda: not one._open)
    one.task = asyncio.create_task(asyncio.sleep(0))


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    answer=st.binary(max_size=60)
    | st.binary(max_size=60).map(http)
    | st.sampled_from([b'{"p":1}', b'{"p":1e999}', b'{"p":[]}', b"null"]).map(http)
)
def test_no_answer_makes_the_driver_raise(answer: bytes) -> None:
    async def run() -> None:
        profile = parse_profile(TABLE, source="x.yaml")
        assert isinstance(profile, HttpProfile)
        one = Meter(profile, timeout_s=0.05)

        async def any_answer(_: str) -> bytes:
            return answer

        one.hook = any_answer
        await one.start()
        for _ in range(1000):
            await asyncio.sleep(0.005)
            if one.driver.counters.errors or one.driver.counters.reads:
                break
        assert not one.task.done()
        await one.end()

    asyncio.run(run())
