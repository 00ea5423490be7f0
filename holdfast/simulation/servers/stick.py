"""A stick with OpenInverterGateway, and the broker that it is at: registers as commands in JSON.

This is written from the gateway's own source (its MQTT and command handlers), not from the driver
that talks to it: one checks the other.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any

from pymodbus.constants import ExcCodes

from holdfast.simulation.servers.modbus_desk import ModbusDevice
from holdfast.simulation.servers.protocol_faults import ProtocolFault
from holdfast.simulation.servers.small_broker import SmallBroker
from holdfast.simulation.servers.stick_telemetry import REFRESH_S

Tell = Callable[[int], dict[str, object]]
"""It takes how often it was asked before."""
Result = tuple[bool, str, dict[str, object]]
"""It holds whether that went well, what to say of it, and what else stands in the answer."""
_READ = {"H": 3, "I": 4}
_ONE, _SEVERAL = 6, 16
_FIRST_SLOTS = {"batteryfirst": 1100, "gridfirst": 1080}
_PRIORITIES = ((0, 0), (40960, 5947), (49152, 5947))


class StickServer:
    """Is one stick, with a broker of its own on one port."""

    def __init__(
        self, host: str, port: int, topic: str, device: ModbusDevice, tell: Tell | None
    ) -> None:
        """``tell`` says what it sends by itself; None: nothing."""
        self.topic = topic
        self._tell = tell
        self._device = device
        self._broker = SmallBroker(host, port, self._heard)
        self._commands: Mapping[str, Callable[[Mapping[str, Any]], Result]] = {
            "echo": lambda asked: (True, "", {"text": f"Echo: {asked['text']}"}),
            "modbus/get": self._get,
            "modbus/set": self._set,
            "batteryfirst/set/timeslot": lambda asked: self._slot("batteryfirst", asked),
            "gridfirst/set/timeslot": lambda asked: self._slot("gridfirst", asked),
            "priority/set": self._priority,
        }

    async def run(self) -> None:
        """Sends what it reads of its inverter until cancelled."""
        for number in count():
            if self._tell is not None and self._device.faults.exception is None:
                self._broker.send(self.topic, json.dumps(self._tell(number)).encode())
            await asyncio.sleep(REFRESH_S)

    async def refresh(self) -> None:
        """Is at its broker, or away together with it. Raises OSError if it cannot listen."""
        if ProtocolFault.ABSENT in self._device.faults:
            await self._broker.close()
        else:
            await self._broker.open()

    async def close(self) -> None:
        """Ends it, and every connection to its broker."""
        await self._broker.close()

    def _heard(self, topic: str, payload: bytes) -> None:
        command = topic.removeprefix(f"{self.topic}/command/")
        if command == topic:
            return
        answer = json.dumps(self._answer(command, payload)).encode()
        delay_s = self._device.faults.get(ProtocolFault.SLOW)
        if delay_s is None:
            self._broker.send(f"{self.topic}/result", answer)
        else:
            loop = asyncio.get_running_loop()
            loop.call_later(delay_s, self._broker.send, f"{self.topic}/result", answer)

    def _answer(self, command: str, payload: bytes) -> dict[str, object]:
        try:
            asked = json.loads(payload)
        except ValueError:
            return _told(command, message="Failed to parse JSON request: InvalidInput")
        correlation = {key: str(asked[key]) for key in ("correlationId",) if key in asked}
        if command not in self._commands:
            return correlation | _told(command, message=f"Unknown command: {command}")
        try:
            went_well, message, beside = self._commands[command](asked)
        except KeyError as missing:
            went_well, message, beside = False, f"{missing} field is required", {}
        return correlation | beside | _told(command, went_well=went_well, message=message)

    def _get(self, asked: Mapping[str, Any]) -> Result:
        size = {"16b": 1, "32b": 2}.get(asked["type"])
        function = _READ.get(asked["registerType"])
        if size is None or function is None:
            return False, "'type' must be '16b' or '32b'", {}
        words = self._read(function, int(asked["id"]), size)
        if words is None:
            kind = "holding" if function == _READ["H"] else "input"
            return False, f"Failed to read {kind} register", {}
        high, low = (0, *words) if size == 1 else words
        return True, "success", {"value": high << 16 | low}

    def _set(self, asked: Mapping[str, Any]) -> Result:
        if asked["type"] != "16b" or asked["registerType"] != "H":
            return False, "'type' must be '16b'", {}
        stored = self._write(_ONE, int(asked["id"]), [int(asked["value"])])
        return (True, "success", {}) if stored else (False, "failed to write holding register", {})

    def _slot(self, mode: str, asked: Mapping[str, Any]) -> Result:
        start, stop = _clock(asked["start"]), _clock(asked["stop"])
        enabled, slot = bool(asked["enabled"]), int(asked["slot"])
        if start is None or stop is None:
            return False, "Invalid time format", {}
        if not 1 <= slot <= 3:
            return False, "Invalid slot number, must be between 1 and 3", {}
        first = _FIRST_SLOTS[mode] + (slot - 1) * 3
        stored = self._write(_SEVERAL, first, [start, stop, int(enabled)])
        return (True, "success", {}) if stored else (False, "Failed to write timeslot", {})

    def _priority(self, asked: Mapping[str, Any]) -> Result:
        if not 0 <= asked["mode"] < len(_PRIORITIES):
            return False, "Invalid priority mode!", {}
        stored = self._write(_SEVERAL, 3038, _PRIORITIES[asked["mode"]])
        return (True, "success", {}) if stored else (False, "Failed to set priority mode", {})

    def _read(self, function: int, address: int, count: int) -> list[int] | None:
        if self._device.faults.exception is not None:
            return None
        words = self._device.registers.read(function, address, count)
        return None if isinstance(words, ExcCodes) else words

    def _write(self, function: int, address: int, words: Sequence[int]) -> bool:
        if self._device.faults.exception is not None:
            return False
        return self._device.registers.write(function, address, words) is None


def _told(command: str, *, message: str, went_well: bool = False) -> dict[str, object]:
    return {"command": command, "success": went_well, "message": message}


def _clock(text: object) -> int | None:
    """Returns the register of a time of day; None for what is none."""
    if not isinstance(text, str) or len(text) != 5 or text[2] != ":":
        return None
    return int(text[:2]) << 8 | int(text[3:])
