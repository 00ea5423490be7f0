"""The BMS of one unit sends frames on a CAN adapter, again and again or when it is asked."""

import asyncio
import time

from holdfast.simulation.plant.storage import StoragePlant
from holdfast.simulation.servers.can_dialects import CanDialect
from holdfast.simulation.servers.protocol_faults import FaultSet, ProtocolFault
from holdfast.simulation.servers.pylontech import Frame
from holdfast.simulation.servers.slcan_adapter import SlcanAdapter


class CanBms:
    """Sends the pack's frames at its own pace, whoever listens, or answers whoever asks."""

    def __init__(
        self,
        *,
        unit: StoragePlant,
        dialect: CanDialect,
        address: int,
        channel: str,
        period_s: float,
        faults: FaultSet,
    ) -> None:
        self.adapter = SlcanAdapter(channel, on_frame=self._heard)
        self._unit, self._period_s, self._faults = unit, period_s, faults
        self._dialect, self._address = dialect, address
        self._frozen: list[Frame] | None = None

    async def run(self) -> None:
        """Sends a burst every period until cancelled, unless it has to be asked."""
        deadline_s = time.monotonic()
        while True:
            if self._dialect.asked_by is None:
                self.adapter.send(self._frames())
            deadline_s = max(deadline_s + self._period_s, time.monotonic())
            await asyncio.sleep(deadline_s - time.monotonic())

    def refresh(self) -> None:
        """A fault of the device has begun or ended."""
        if ProtocolFault.FROZEN not in self._faults:
            self._frozen = None
        elif self._frozen is None:
            self._frozen = self._told()

    def _heard(self, identifier: int, data: bytes) -> None:
        dialect = self._dialect
        if identifier == dialect.asked_by and data.startswith(dialect.asked_with):
            self.adapter.send(self._frames())

    def _frames(self) -> list[Frame]:
        faults = self._faults
        if ProtocolFault.CAN_SILENT in faults:
            return []
        frames = self._frozen or self._told()
        if ProtocolFault.CAN_SHORT in faults:
            return [(identifier, data[: len(data) // 2]) for identifier, data in frames]
        return frames

    def _told(self) -> list[Frame]:
        frames = self._dialect.frames(self._unit)
        return [(identifier | self._address, data) for identifier, data in frames]
