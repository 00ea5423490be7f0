"""A BMS broadcasts on CAN; python-can does the wire (slcan, socketcan, virtual)."""

import asyncio
import time
from collections.abc import Callable, Mapping

from holdfast.core.commands import Write
from holdfast.core.config.device import CanBus
from holdfast.core.data_store import DataStore, Told
from holdfast.core.errors import DeviceRefused
from holdfast.core.ports import CommsCounters
from holdfast.core.role import Role
from holdfast.core.units import s_from_ns
from holdfast.devices.can_frames import GAP_NS
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.drivers.can_burst import Burst, BurstCollector
from holdfast.devices.drivers.can_reader import CanReader
from holdfast.devices.drivers.can_twins import TwinWatch


class CanBmsDriver:
    """Serves one BMS on its bus. Counts as a read each complete burst; it is never written to."""

    def __init__(
        self,
        name: str,
        owners: Mapping[Role, str],
        profile: CanProfile,
        connection: CanBus,
        store: DataStore,
    ) -> None:
        self.name = name
        self.counters = CommsCounters(where=f"{connection.channel} ({connection.interface})")
        self._owners = owners
        self._profile = profile.at(connection.address)
        self._connection = connection
        self._store = store
        self._collector = BurstCollector(self._profile)
        self._twins = TwinWatch()
        self._timer: asyncio.TimerHandle | None = None
        self._reader: CanReader | None = None
        self._closed = asyncio.Event()

    async def run(self) -> None:
        """Listens until cancelled or closed; a bus that fails is opened again and again."""
        backoff = Backoff()
        while not self._closed.is_set():
            self._reader = CanReader(
                self._connection,
                self._profile,
                on_frame=self._on_frame,
                on_garbage=self.counters.failed,
            )
            reason = await self._reader.run()
            if self._closed.is_set():
                return
            self.counters.silent(reason)
            if self._reader.frames:
                backoff.reset()
            await asyncio.sleep(backoff.next_s())

    async def write(self, write: Write, _is_stale: Callable[[], bool] = lambda: False) -> None:
        """Raises DeviceRefused: nothing is written over CAN."""
        error = DeviceRefused(f"{self.name}: nothing is written over CAN, {write.point} neither")
        self.counters.failed(str(error))
        raise error

    async def close(self) -> None:
        """Lets go of the bus; :meth:`run` ends by itself."""
        self._closed.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._reader is not None:
            self._reader.stop()

    def _on_frame(self, frame_id: int, data: bytes, time_ns: int) -> None:
        try:
            ended = self._collector.add(frame_id, data, time_ns)
        except ValueError as error:
            self.counters.failed(str(error))
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
        twins = self._twins.saw(burst.values)
        if twins is not None:
            self.counters.silent(twins)
            return
        told = [
            Told(signal=signal, value=value, time_ns=burst.time_ns)
            for signal, value in burst.values.items()
        ]
        doubt = self._store.put_poll(self._owners, told)
        self.counters.took(doubt, time.monotonic_ns())
