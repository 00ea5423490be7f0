"""The image of a device's registers: where each word is, what it showed last, what is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from holdfast.core.signals import Signal

Table = Literal["holding", "input", "coil", "discrete"]
Place = tuple[int | None, Table, int]
"""Tells where one register or bit is: device id, where it is another one than the connection's,
table and address."""
RawImage = Mapping[Place, int]
"""Holds the raw words of a poll by their places."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastShown:
    """Holds what a device showed last, and what it has acknowledged since."""

    image: RawImage
    told: Mapping[Signal, float]
    """What it told of the signals that a command rests on."""


NOTHING_SHOWN = LastShown(image={}, told={})
"""Nothing is known of the device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """Holds what one request writes."""

    device_id: int | None
    table: Literal["holding", "coil"]
    address: int
    words: tuple[int, ...]
    function: Literal["single", "multiple"]

    @property
    def places(self) -> tuple[Place, ...]:
        """Returns where its words go."""
        addresses = range(self.address, self.address + len(self.words))
        return tuple((self.device_id, self.table, address) for address in addresses)
