"""The BMS of one unit sends a burst of frames on a CAN adapter, again and again."""

import asyncio
import time

from holdfast.simulation.plant.storage import StoragePlant
from holdfast.simulation.servers.protocol_faults import FaultSet, ProtocolFault
from holdfast.simulation.servers.pylontech import Frame, burst
from holdfast.simulation.servers.slcan_adapter import SlcanAdapter


class CanBms:
    """Sends the pack's frames at its own pace, whoever listens."""

    def __init__(
        self, *, unit: StoragePlant, channel: str, period_s: float, faults: FaultSet
    ) -> None:
        self.adapter = SlcanAdapter(channel)
        self._unit, self._period_s, self._faults = unit, period_s, faults
        self._frozen: list[Frame] | None = None

    async def run(self) -> None:
        """Sends a burst every period until cancelled."""
        deadline_s = time.monotonic()
        while True:
            self.adapter.send(self._frames())
            deadline_s = max(deadline_s + self._period_s, time.monotonic())
            await asyncio.sleep(deadline_s - time.monotonic())

    def refresh(self) -> None:
        """A fault of the device has begun or ended."""
        if ProtocolFault.FROZEN not in self._faults:
            self._frozen = None
        elif self._frozen is None:
            self._frozen = burst(self._unit)

    def _frames(self) -> list[Frame]:
        faults = self._faults
        if ProtocolFault.CAN_SILENT in faults:
            return []
        frames = self._frozen or burst(self._unit)
        if ProtocolFault.CAN_SHORT in faults:
            return [(identifier, data[: len(data) // 2]) for identifier, data in frames]
        return frames
