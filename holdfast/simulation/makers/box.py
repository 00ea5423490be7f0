"""A maker's box holds registers of its own, and decides by them what its battery does.

It knows nothing of Holdfast's tables: what a table means is found out by running it against this.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from holdfast.devices.register_image import RawImage


class Refused(Exception):
    """A box does not take what is written; ``code`` is the exception of its answer."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exception {code}")
        self.code = code


LIMITS_NOTHING_W = 100_000.0
"""No site exports so much."""
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE = 1, 2, 3, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Holds what a box sees around it."""

    time_s: float
    """The plant's own time."""
    load_w: float
    pv_w: float
    soc_pct: float
    charge_max_w: float
    discharge_max_w: float
    """What it is rated for, positive."""

    @property
    def own_use_w(self) -> float:
        """Returns the battery power at which nothing flows at the meter, + charging."""
        return self.within(self.pv_w - self.load_w)

    def within(self, power_w: float) -> float:
        """Returns a battery power as far as the box is rated for it."""
        return max(-self.discharge_max_w, min(self.charge_max_w, power_w))


class Box(ABC):
    """Holds one box."""

    AS_DELIVERED: ClassVar[Mapping[int, int]]
    """Its registers that can be written, and what they hold at first."""
    SINGLE_ONLY: ClassVar[frozenset[int]] = frozenset()
    """These refuse function 16."""
    MULTIPLE_ONLY: ClassVar[frozenset[int]] = frozenset()
    """These refuse function 6."""
    DEVICE_ID: ClassVar[int | None] = None
    """The device id behind which they are, if it is another one than the connection's."""
    ELSEWHERE: ClassVar[Mapping[int, int]] = {}
    """Registers that are behind yet another device id, and which."""
    FORGETS_LATE_S: ClassVar[float] = math.inf
    """It forgets a command after so long a silence that no site may count on it."""

    def __init__(self) -> None:
        self.registers = dict(self.AS_DELIVERED)
        self.now_s = 0.0
        """The time of the last scene."""

    @property
    def beside(self) -> RawImage:
        """Returns registers that nobody writes and that tell nothing of the plant; here none."""
        return {}

    def write(self, address: int, words: Sequence[int], *, multiple: bool) -> None:
        """Takes what is written. Raises Refused, and then holds what it held."""
        places = range(address, address + len(words))
        if any(place not in self.registers for place in places):
            raise Refused(ILLEGAL_ADDRESS)
        forbidden = self.SINGLE_ONLY if multiple else self.MULTIPLE_ONLY
        if forbidden.intersection(places):
            raise Refused(ILLEGAL_FUNCTION)
        written = dict(zip(places, words, strict=True))
        self.check(written)
        self.registers |= written
        self.took(written)

    def check(self, written: Mapping[int, int]) -> None:  # noqa: B027 - most take everything
        """Raises Refused for values that it does not take; this one takes all."""

    def took(self, written: Mapping[int, int]) -> None:  # noqa: B027 - most do nothing by it
        """Does what a write does by itself, such as starting a timer; this one does nothing."""

    def id_of(self, address: int) -> int | None:
        """Returns the device id behind which a register is."""
        return self.ELSEWHERE.get(address, self.DEVICE_ID)

    def shown(self) -> Mapping[int, int]:
        """Returns what it answers where its registers are read; this one what they hold."""
        return self.registers

    @property
    def export_limit_w(self) -> float:
        """Returns the most that it lets the site export, by throttling PV; here all."""
        return LIMITS_NOTHING_W

    @abstractmethod
    def power_w(self, scene: Surroundings) -> float:
        """Returns the battery power that it goes for now, + charging."""

    def signed(self, address: int) -> int:
        """Returns a register as a signed number of 16 bits."""
        word = self.registers[address]
        return word - 0x10000 if word & 0x8000 else word

    def signed_long(self, high: int, low: int) -> int:
        """Returns two registers as one signed number of 32 bits."""
        word = self.registers[high] << 16 | self.registers[low]
        return word - (1 << 32) if word & 0x8000_0000 else word
