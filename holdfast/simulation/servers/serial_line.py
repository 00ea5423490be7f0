"""A serial line carries Modbus RTU to simulated devices, on a pseudo-terminal.

It takes as long as a real one does: a request and its answer are on the wire for each of their
bytes.
"""

import asyncio
from pathlib import Path

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU

from holdfast.core.config.device import ModbusRtu
from holdfast.simulation.servers.modbus_desk import Devices, ModbusDesk, all_absent
from holdfast.simulation.servers.pseudo_terminal import PseudoTerminal

_BITS_PER_BYTE = 11
_WHOLE_S = 0.5
"""What came so long ago is no part of what comes now."""


class SerialLine:
    """Has several devices on two wires, behind one adapter."""

    def __init__(self, connection: ModbusRtu, devices: Devices) -> None:
        self.devices = devices
        self._byte_s = _BITS_PER_BYTE / connection.baudrate
        self._terminal = PseudoTerminal(Path(connection.port), self._hear)
        framer = FramerRTU(DecodePDU(is_server=True))
        self._desk = ModbusDesk(devices, framer, self, knows_absent=False)
        self._heard, self._heard_s = b"", 0.0

    async def refresh(self) -> None:
        """Plugs the adapter in, or pulls it out while every device is absent."""
        if all_absent(self.devices):
            await self.close()
        elif not self._terminal.is_open:
            self._terminal.open()

    async def close(self) -> None:
        """Pulls the adapter out."""
        self._terminal.close()
        self._heard = b""

    def transmit(self, frame: bytes) -> None:
        """Sends ``frame`` once request and answer have been on the wire."""
        on_wire_s = (len(self._heard) + len(frame)) * self._byte_s
        asyncio.get_running_loop().call_later(on_wire_s, self._put, frame)

    def reset(self) -> None:
        """Falls silent: a line has nothing to break off."""

    def _put(self, frame: bytes) -> None:
        if self._terminal.is_open:
            self._terminal.write(frame)

    def _hear(self, data: bytes) -> None:
        now_s = asyncio.get_running_loop().time()
        if now_s - self._heard_s > _WHOLE_S:
            self._heard = b""
        self._heard, self._heard_s = self._heard + data, now_s
        self._heard = self._heard[self._desk.take(self._heard) :]
