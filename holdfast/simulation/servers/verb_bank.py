"""A device that is told in verbs holds what was written to it, and does what that says together."""

import math
from collections.abc import Sequence

from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.register_image import Place
from holdfast.devices.stepped_write import SteppedWrite
from holdfast.devices.verbs import VerbWrite


class VerbBank:
    """Holds the registers of the verbs; in the beginning none of them is told."""

    def __init__(self, profile: ModbusProfile, verb: VerbWrite) -> None:
        self._profile, self._verb = profile, verb
        stepped = (row for row in profile.writes if isinstance(row, SteppedWrite))
        self.words: dict[Place, int] = dict.fromkeys((p for row in stepped for p in row.places), 0)

    def has(self, table: str, address: int, count: int) -> bool:
        """Says whether all these registers are among them."""
        known = {(each, place) for _, each, place in self.words}
        return all((table, place) in known for place in range(address, address + count))

    def write(self, table: str, address: int, words: Sequence[int]) -> float | None:
        """Takes words. Returns the power in W that it is told now; None while that is nothing."""
        for place in self.words:
            _, each, number = place
            if each == table and address <= number < address + len(words):
                self.words[place] = words[number - address]
        power_w = self._verb.value(self.words)
        return None if math.isnan(power_w) else power_w
