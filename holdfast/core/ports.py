"""Ports: what the control loop needs from the outside world."""

from dataclasses import dataclass
from typing import Protocol

from holdfast.core.commands import Write


@dataclass(slots=True, kw_only=True)
class CommsCounters:
    """What a driver counts; it only ever goes up."""

    reads: int = 0
    writes: int = 0
    errors: int = 0
    last_error: str = ""


class DeviceDriver(Protocol):
    """One device on its wire. It brings samples to the data store and carries out writes."""

    name: str
    """For people: unit and role, such as ``battery/inverter``."""
    counters: CommsCounters

    async def run(self) -> None:
        """Poll until cancelled; survives every failure of the device and reconnects."""

    async def write(self, write: Write) -> None:
        """Carry out one write now, never behind a poll. Raises DeviceError; never retries."""

    async def close(self) -> None:
        """Let go of the wire."""
