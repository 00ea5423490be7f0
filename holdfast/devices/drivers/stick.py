"""A stick is between a Growatt inverter and a broker: asked on one topic, it answers on another.

Nothing of a conversation stays anywhere: no command is kept by the broker, one that came too late
to be passed on expires there, and each answer is known by the question that it belongs to.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from itertools import count
from types import TracebackType
from typing import Self

from pymodbus.pdu import ModbusPDU

from holdfast.core.config.device import ModbusMqtt
from holdfast.core.errors import DeviceError, DeviceRefused, DeviceUnreachable
from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.drivers.link import CheckedAnswer
from holdfast.devices.drivers.modbus_pdu import describe
from holdfast.devices.drivers.mqtt_link import MqttLink, OldBroker, check_library
from holdfast.devices.drivers.stick_words import answer_in, command_of, response_to

_LOOK_S = 1.0


def stick_name(connection: ModbusMqtt) -> str:
    """Tells where a stick is, in words."""
    return f"{connection.host}:{connection.port}, topic {connection.topic}"


class Stick:
    """Is in conversation with a stick as long as its block runs. One asks at a time."""

    def __init__(self, connection: ModbusMqtt) -> None:
        self._connection = connection
        self._stack = AsyncExitStack()
        self._link: MqttLink | None = None
        self._name = secrets.token_hex(6)
        """Others ask this stick, too, and hear all of its answers."""
        self._numbers = count()

    async def __aenter__(self) -> Self:
        """Connects to the broker. Raises DeviceError."""
        try:
            self._link = await self._open(v5=True)
        except OldBroker:
            self._link = await self._open(v5=False)
        await self._link.subscribe([f"{self._connection.topic}/result"])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hangs up."""
        self._link = None
        await self._stack.aclose()

    async def ask(self, request: ModbusPDU) -> ModbusPDU:
        """Returns the answer to ``request``, however long it takes.

        Raises DeviceRefused for a failure, and for what no stick can do; DeviceUnreachable without
        a broker.
        """
        if self._link is None:
            raise DeviceUnreachable(f"not connected, {describe(request)} was not sent")
        command = command_of(request)
        correlation = f"holdfast-{self._name}-{next(self._numbers)}"
        topic = f"{self._connection.topic}/command/{command.name}"
        await self._link.publish(topic, command.message(correlation))
        while True:
            message = await self._link.next(_LOOK_S)
            if message is None or message.retain or not isinstance(message.payload, bytes):
                continue
            answer = answer_in(message.payload)
            if answer is not None and answer.correlation == correlation:
                return response_to(request, answer)

    async def _open(self, *, v5: bool) -> MqttLink:
        return await self._stack.enter_async_context(MqttLink(self._connection, v5=v5))


class StickLink:
    """Rebuilds its connection by itself while :meth:`keep` runs.

    The broker answers for the stick as long as that is there, so a request without an answer says
    nothing of the connection, which stays: a late answer belongs to no later question.
    """

    def __init__(self, connection: ModbusMqtt) -> None:
        """Raises ConfigError if the library is not installed."""
        check_library(stick_name(connection))
        self._connection = connection
        self._stick: Stick | None = None
        self._turn = asyncio.Lock()
        self._lost = asyncio.Event()
        self._backoff = Backoff()
        self._closed = False
        self.connections = 0
        """Counts those that were made."""

    @property
    def connected(self) -> bool:
        """Says whether a request can be sent."""
        return self._stick is not None

    async def keep(self, on_error: Callable[[DeviceUnreachable], None]) -> None:
        """Connects, and connects again whenever the connection is lost, until closed."""
        while not self._closed:
            try:
                await self._live()
            except DeviceError as error:
                on_error(DeviceUnreachable(str(error)))
            if not self._closed:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._backoff.next_s()):
                        await self._lost.wait()

    async def request(self, request: ModbusPDU, *, is_safe: bool = False) -> CheckedAnswer:  # noqa: ARG002 - of all links
        """Sends ``request`` and returns its answer.

        Raises DeviceUnreachable without a connection or an answer in time, DeviceRefused for a
        failure, and for what no stick can do.
        """
        async with self._turn:
            stick = self._stick
            if stick is None:
                raise DeviceUnreachable(f"not connected, {describe(request)} was not sent")
            sent_ns = time.monotonic_ns()
            try:
                async with asyncio.timeout(self._connection.timeout_s):
                    answer = await stick.ask(request)
            except TimeoutError as error:
                raise unanswered(request, self._connection) from error
            except DeviceUnreachable:
                self._lost.set()
                raise
            self._backoff.reset()
            return CheckedAnswer(pdu=answer, sent_ns=sent_ns)

    def close(self) -> None:
        """Lets go of the connection for good."""
        self._closed = True
        self._lost.set()

    async def _live(self) -> None:
        """Lives one life of a connection. Raises DeviceError if there is none."""
        self._lost.clear()
        async with Stick(self._connection) as stick:
            self.connections += 1
            self._stick = stick
            try:
                if not self._closed:
                    await self._lost.wait()
            finally:
                self._stick = None
        self._lost.clear()


class StickWire:
    """Reaches a stick for who may wait: its event loop runs for as long as an exchange takes."""

    def __init__(self, connection: ModbusMqtt) -> None:
        """Raises ConfigError if the library is not installed."""
        self.name = stick_name(connection)
        check_library(self.name)
        self._connection = connection
        self._stick: Stick | None = None
        self._runner: asyncio.Runner | None = None

    @property
    def connected(self) -> bool:
        """Says whether it can be used."""
        return self._stick is not None

    def connect(self) -> None:
        """Connects anew. Raises DeviceUnreachable."""
        self.close()
        self._runner = asyncio.Runner()
        stick = Stick(self._connection)
        try:
            self._runner.run(stick.__aenter__())
        except DeviceError as error:
            self.close()
            raise DeviceUnreachable(f"{self.name}: cannot be connected to: {error}") from error
        self._stick = stick

    def close(self) -> None:
        """Lets go of it."""
        runner, self._runner = self._runner, None
        stick, self._stick = self._stick, None
        if runner is None:
            return
        if stick is not None:
            runner.run(stick.__aexit__(None, None, None))
        runner.close()

    def exchange(self, request: ModbusPDU) -> ModbusPDU:
        """Returns the answer. Raises DeviceError."""
        if self._runner is None or self._stick is None:
            raise DeviceUnreachable(f"{self.name}: not connected, {describe(request)} not sent")
        try:
            return self._runner.run(self._asked(self._stick, request))
        except DeviceRefused as error:
            raise DeviceRefused(f"{self.name}: {error}") from error
        except DeviceUnreachable as error:
            self.close()
            raise DeviceUnreachable(f"{self.name}: {error}") from error

    async def _asked(self, stick: Stick, request: ModbusPDU) -> ModbusPDU:
        try:
            async with asyncio.timeout(self._connection.timeout_s):
                return await stick.ask(request)
        except TimeoutError as error:
            raise unanswered(request, self._connection) from error


def unanswered(request: ModbusPDU, connection: ModbusMqtt) -> DeviceUnreachable:
    """Returns what to raise where no answer came in time."""
    waited = f"waited {connection.timeout_s:g} s"
    return DeviceUnreachable(f"no answer to {describe(request)}: {waited}")
