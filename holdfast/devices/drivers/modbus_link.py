"""A Modbus link is one TCP connection: one request at a time, a total deadline, no leftovers."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from holdfast.core.config.device import ModbusTcp
from holdfast.core.errors import DeviceRefused, DeviceUnreachable
from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.drivers.causes import cause_in_words
from holdfast.devices.drivers.link import PLAIN, CheckedAnswer, Manners
from holdfast.devices.drivers.modbus_pdu import describe, mismatch, refusal, transaction_ids
from holdfast.devices.drivers.sockets import forget_unsent, notice_half_open

# An absent device would fill the log twice a second; what fails is raised, counted and told here.
logging.getLogger("pymodbus").setLevel(logging.CRITICAL)


@contextmanager
def _keeping_cancellation() -> Iterator[None]:
    """Raises a cancellation that came together with the result: wait_for of Python 3.11, which the
    library uses, forgets it, and the task would never end."""
    task = asyncio.current_task()
    before = task.cancelling() if task is not None else 0
    yield
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


class _Opening:
    """Opens a connection for the library, which tells nobody why it could not."""

    def __init__(self, create: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self._create = create
        self.error: OSError | None = None
        """Holds the error; None after a failure means that it took too long."""

    async def __call__(self) -> Any:
        try:
            return await self._create()
        except OSError as error:
            self.error = error
            raise


class ModbusLink:
    """Rebuilds its connection by itself while :meth:`keep` runs.

    A request fails at once while there is no connection. After one without a proper
    answer the connection is dropped, so that a late reply meets nobody.
    """

    def __init__(
        self,
        connection: ModbusTcp,
        manners: Manners = PLAIN,
        on_first_answer: Callable[[], None] = lambda: None,
    ) -> None:
        """``on_first_answer`` is called at the first proper answer on each new connection."""
        self._connection = connection
        self._manners = manners
        self._free_s = 0.0
        """Before this time of the event loop's clock the device is to be left alone."""
        self._on_first_answer = on_first_answer
        self._client: AsyncModbusTcpClient | None = None
        self._ids = transaction_ids()
        self._backoff = Backoff()
        self._turn = asyncio.Lock()
        self._lost = asyncio.Event()
        self._retry = asyncio.Event()
        self._deadline: asyncio.Timeout | None = None
        self._cut = False
        self._answered = False
        self._closed = False
        self.connections = 0
        """Counts those that were made; what was found on one may be wrong on the next."""

    @property
    def connected(self) -> bool:
        """Says whether a request can be sent."""
        return self._client is not None

    async def keep(self, on_error: Callable[[DeviceUnreachable], None]) -> None:
        """Connects, and connects again whenever the connection is lost, until closed."""
        try:
            while not self._closed:
                try:
                    await self._connect()
                except DeviceUnreachable as error:
                    on_error(error)
                else:
                    if not self._closed and await self._until_lost():
                        self._backoff.reset()
                await self._wait(self._backoff.next_s())
        finally:
            self.drop()

    def retry_now(self) -> None:
        """Does not wait for the next try, if one is to come: the device is known to be there.

        One that is under way and fails is followed by another at once.
        """
        if not self.connected:
            self._backoff.reset()
            self._retry.set()

    async def request(self, request: ModbusPDU, *, is_safe: bool = False) -> CheckedAnswer:  # noqa: ARG002 - of all links
        """Sends ``request`` and returns its checked answer; nobody else is on this connection.

        Raises DeviceUnreachable without a connection or an answer in time, DeviceRefused
        for an exception or for an answer that does not belong to the request.
        """
        try:
            with _keeping_cancellation():
                async with asyncio.timeout(self._connection.timeout_s) as deadline, self._turn:
                    await self._until_free()
                    sent_ns = time.monotonic_ns()
                    answer = await self._exchange(request, deadline)
        except TimeoutError as error:
            waited_s = self._connection.timeout_s
            why = "the connection was lost" if self._cut else f"waited {waited_s:g} s"
            raise DeviceUnreachable(f"no answer to {describe(request)}: {why}") from error
        if reason := refusal(answer):
            raise DeviceRefused(f"{describe(request)} was answered with {reason}")
        return CheckedAnswer(pdu=answer, sent_ns=sent_ns)

    def close(self) -> None:
        """Lets go of the connection for good."""
        self._closed = True
        self.drop()

    def drop(self) -> None:
        """Ends the connection now; what was not yet delivered never will be."""
        client, self._client = self._client, None
        self._lost.set()
        if client is None:
            return
        transport = client.ctx.transport
        if isinstance(transport, asyncio.Transport):
            forget_unsent(transport.get_extra_info("socket"))
            transport.abort()
        client.close()

    async def _until_free(self) -> None:
        pause_s = self._free_s - asyncio.get_running_loop().time()
        if pause_s > 0.0:
            await asyncio.sleep(pause_s)

    def _leave_alone(self, pause_s: float) -> None:
        if pause_s:
            self._free_s = asyncio.get_running_loop().time() + pause_s

    async def _exchange(self, request: ModbusPDU, deadline: asyncio.Timeout) -> ModbusPDU:
        client = self._client
        if client is None:
            raise DeviceUnreachable(f"not connected, {describe(request)} was not sent")
        self._deadline = deadline
        client.ctx.next_tid = next(self._ids)
        in_step = False
        try:
            answer: ModbusPDU = await client.execute(False, request)  # noqa: FBT003 - positional in the library
            if reason := mismatch(request, answer):
                raise DeviceRefused(f"{describe(request)} was answered with {reason}")
            in_step = True
        except (ModbusException, OSError) as error:
            raise DeviceUnreachable(f"no answer to {describe(request)}: {error}") from error
        finally:
            self._deadline = None
            self._leave_alone(self._manners.pause_s)
            if not in_step:
                self.drop()
        if not self._answered:
            self._answered = True
            self._on_first_answer()
        return answer

    async def _wait(self, delay_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await self._retry.wait()
        self._retry.clear()

    async def _connect(self) -> None:
        # A client object that is used again would take the end of its former connection
        # for the end of the present one.
        client = AsyncModbusTcpClient(
            self._connection.host,
            port=self._connection.port,
            timeout=self._connection.timeout_s,
            retries=0,
            reconnect_delay=0,
            trace_connect=self._on_connection,
        )
        try:
            transport = await self._open(client)
            await self._until_it_listens()
        except BaseException:  # a cancellation that comes with the connection, too
            client.close()
            raise
        notice_half_open(transport.get_extra_info("socket"))
        self._lost.clear()
        self._retry.clear()
        self._cut = self._answered = False
        self.connections += 1
        self._client = client

    async def _open(self, client: AsyncModbusTcpClient) -> asyncio.Transport:
        opening = _Opening(client.ctx.call_create)
        client.ctx.call_create = opening
        try:
            with _keeping_cancellation():
                connected = await client.connect()
        except (ModbusException, OSError, ValueError) as error:
            raise DeviceUnreachable(cause_in_words(error)) from error
        if not connected:
            raise DeviceUnreachable(self._why_not(opening.error)) from opening.error
        transport = client.ctx.transport
        # One that is closed again before the library has noted it would count as connected.
        if not isinstance(transport, asyncio.Transport) or transport.is_closing():
            raise DeviceUnreachable("the device closed the connection as soon as it was made")
        return transport

    async def _until_it_listens(self) -> None:
        """Leaves a device alone that needs a while after each connection; meanwhile there is none.

        A request that waited for it would be told to have had no answer.
        """
        if self._manners.connect_pause_s == 0.0:
            return
        self._lost.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._manners.connect_pause_s):
                await self._lost.wait()
                raise DeviceUnreachable("the device closed the connection as soon as it was made")

    def _why_not(self, error: OSError | None) -> str:
        if error is not None:
            return cause_in_words(error)
        return f"no answer from this address within {self._connection.timeout_s:g} s"

    async def _until_lost(self) -> bool:
        """Waits for the end of the connection; True if it was of any use."""
        with suppress(TimeoutError):
            async with asyncio.timeout(Backoff.LONGEST_S):
                await self._lost.wait()
                return self._answered
        await self._lost.wait()
        return True

    def _on_connection(self, connected: bool) -> None:  # noqa: FBT001 - the library's signature
        if connected:
            return
        self._client = None
        self._cut = True
        self._lost.set()
        # The library would let the request wait for its whole time-out.
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())
