"""A BMS that broadcasts on CAN; python-can does the wire (slcan, socketcan, virtual)."""

import asyncio

from holdfast.core.commands import Write
from holdfast.core.data_store import DataStore
from holdfast.core.device_config import CanBus
from holdfast.core.errors import DeviceRefused
from holdfast.core.ports import CommsCounters
from holdfast.core.units import s_from_ns
from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.drivers.can_burst import GAP_NS, Burst, BurstCollector
from holdfast.devices.drivers.can_reader import CanReader
from holdfast.devices.profile import CanProfile


class CanBmsDriver:
    """One BMS on its bus. Counts as a read each complete burst; it is never written to."""

    def __init__(
        self, owner: str, profile: CanProfile, connection: CanBus, store: DataStore
    ) -> None:
        self.name = f"{owner}/{profile.role}"
        self.counters = CommsCounters()
        self._owner = owner
        self._profile = profile
        self._connection = connection
        self._store = store
        self._collector = BurstCollector(profile)
        self._timer: asyncio.TimerHandle | None = None
        self._reader: CanReader | None = None
        self._closed = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled or closed; a bus that fails is opened again and again."""
        backoff = Backoff()
        while not self._closed.is_set():
            self._reader = CanReader(
                self._connection,
                ids=frozenset(frame.id for frame in self._profile.frames),
                keep_alive_id=self._keep_alive_id,
                on_frame=self._on_frame,
                on_garbage=self._count,
            )
            reason = await self._reader.run()
            if self._closed.is_set():
                return
            self._count(reason)
            if self._reader.frames:
                backoff.reset()
            await asyncio.sleep(backoff.next_s())

    async def write(self, write: Write) -> None:
        """Raises DeviceRefused: nothing is written over CAN."""
        error = DeviceRefused(f"{self.name}: nothing is written over CAN, {write.point} neither")
        self._count(str(error))
        raise error

    async def close(self) -> None:
        """Let go of the bus; :meth:`run` ends by itself."""
        self._closed.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._reader is not None:
            self._reader.stop()

    @property
    def _keep_alive_id(self) -> int | None:
        return self._profile.keep_alive_id if self._connection.acts_as_inverter else None

    def _on_frame(self, frame_id: int, data: bytes, time_ns: int) -> None:
        try:
            ended = self._collector.add(frame_id, data, time_ns)
        except ValueError as error:
            self._count(str(error))
            return
        if ended is not None:
            self._commit(ended)
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(s_from_ns(GAP_NS), self._on_silence)

    def _on_silence(self) -> None:
        burst = self._collector.take()
        if burst is not None:
            self._commit(burst)

    def _commit(self, burst: Burst) -> None:
        for signal, value in burst.values.items():
            self._store.put(self._profile.role, self._owner, signal, value, burst.time_ns)
        self.counters.reads += 1

    def _count(self, reason: str) -> None:
        self.counters.errors += 1
        self.counters.last_error = f"{self._connection.channel}: {reason}"
