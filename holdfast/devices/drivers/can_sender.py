"""Who acts as the inverter sends what the battery waits for, and never to a bus where nobody is.

A frame that nobody acknowledges is repeated by the adapter as fast as the bus permits. That has
driven a bus to bus-off, and silenced a battery for hours.
"""

from collections.abc import Iterator

import can

from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.devices.can_profile import CanProfile

_UNANSWERED_ASKS = 3
"""So often is a battery asked that says nothing, until the bus is opened again."""
_NO_PATIENCE = 0
"""A keep-alive follows only upon frames that were heard."""


class CanSender:
    """Says which frames are due on one life of a bus."""

    def __init__(self, profile: CanProfile, *, acts_as_inverter: bool) -> None:
        self._sendings: list[_Sending] = []
        if not acts_as_inverter:
            return
        if profile.keep_alive_id is not None:
            message = _message(profile.keep_alive_id, bytes(8), extended=profile.extended)
            self._sendings.append(_Sending(message, NS_PER_S, _NO_PATIENCE))
        for ask in profile.asks:
            message = _message(ask.id, bytes(ask.data), extended=ask.extended)
            self._sendings.append(_Sending(message, ns_from_s(ask.every_s), _UNANSWERED_ASKS))

    def due(self, now_ns: int, heard: int) -> Iterator[can.Message]:
        """Yields what is to be sent now, after so many frames were ``heard`` in all."""
        for sending in self._sendings:
            if sending.is_due(now_ns, heard):
                yield sending.message


class _Sending:
    """Holds one frame that is sent again and again."""

    def __init__(self, message: can.Message, every_ns: int, patience: int) -> None:
        self.message = message
        self._every_ns, self._patience = every_ns, patience
        self._next_ns = self._unheard = self._heard = 0

    def is_due(self, now_ns: int, heard: int) -> bool:
        """Says whether it is to be sent now; if so, it will be."""
        if now_ns < self._next_ns:
            return False
        if heard > self._heard:
            self._unheard = 0
        elif self._unheard >= self._patience:
            return False
        self._heard = heard
        self._unheard += 1
        self._next_ns = now_ns + self._every_ns
        return True


def _message(id_: int, data: bytes, *, extended: bool) -> can.Message:
    return can.Message(arbitration_id=id_, is_extended_id=extended, data=data)
