"""The contactor's life: how much of what its data sheet rates has been used."""

from dataclasses import replace

from holdfast.core.config import StorageUnit
from holdfast.core.signals import Producer
from holdfast.devices.contactor import RelayMemory, Wear
from holdfast.safety.faults import Finding, finding

WORN_AT = 0.8
"""Share of the rated cycles from which on it is time to order another one."""
LOADED_COUNTS = 100
"""An opening under load counts as this many cycles. Data sheets draw it as a curve over the
current; this is an assumption for currents not far above the rated one."""


def cycles_used(wear: Wear) -> int:
    """Cycles of the rated life that are gone."""
    return wear.closings + LOADED_COUNTS * wear.openings_under_load


class ContactorLife:
    """Compares the wear of one unit's contactor with its rated life. Holds no state."""

    def __init__(self, unit: StorageUnit) -> None:
        self._unit = unit.name
        self._rated = unit.battery.contactor_cycles_rated

    def judge(self, memory: RelayMemory, now_ns: int) -> tuple[RelayMemory, tuple[Finding, ...]]:
        """The memory, which remembers since when, and a finding from :data:`WORN_AT` on."""
        used = cycles_used(memory.wear)
        if used < WORN_AT * self._rated:
            return memory, ()
        if memory.worn_since_ns is None:
            memory = replace(memory, worn_since_ns=now_ns)
        since_ns = now_ns if memory.worn_since_ns is None else memory.worn_since_ns
        detail = (
            f"{used / self._rated:.0%} of {self._rated} cycles: {memory.wear.closings} closings, "
            f"{memory.wear.openings_under_load} openings under load"
        )
        found = finding("contactor_worn", self._unit, since_ns, detail, device=Producer.RELAYS)
        return memory, (found,)
