"""A link is what a Modbus driver needs of a wire: it asks one device, and keeps itself alive."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pymodbus.pdu import ModbusPDU

from holdfast.core.errors import DeviceUnreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """Tells how a device wants to be asked."""

    pause_s: float = 0.0
    """It is left alone for so long after each answer,"""
    connect_pause_s: float = 0.0
    """and for so long after a new connection."""


PLAIN = Manners()
"""It takes a request whenever one comes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAnswer:
    """Holds a checked answer, which is no refusal."""

    pdu: ModbusPDU
    sent_ns: int
    """The request went out at this monotonic time: the answer is no older."""


class DeviceLink(Protocol):
    """Reaches one device. A request fails at once while it is known not to be there."""

    @property
    def connected(self) -> bool:
        """Says whether a request can be sent."""

    @property
    def connections(self) -> int:
        """Counts the connections; what was found on one may be wrong on the next."""

    async def keep(self, on_error: Callable[[DeviceUnreachable], None]) -> None:
        """Connects, and connects again whenever the connection is lost, until closed."""

    async def request(self, request: ModbusPDU, *, is_safe: bool = False) -> CheckedAnswer:
        """Sends ``request`` and returns its checked answer; what ``is_safe`` goes before all else.

        Raises DeviceUnreachable without a connection or an answer in time, DeviceRefused
        for an exception or for an answer that does not belong to the request.
        """

    def close(self) -> None:
        """Lets go of the device for good."""
