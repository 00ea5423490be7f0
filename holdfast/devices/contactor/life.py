"""The contactor's life says how much of what its data sheet rates has been used."""

from dataclasses import replace

from holdfast.core.config import StorageUnit
from holdfast.core.role import Role
from holdfast.devices.contactor.memory import RelayMemory, Wear
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

WORN_AT = 0.8
"""From this share of the rated cycles on it is time to order another one."""
LOADED_COUNTS = 100
"""An opening under load counts as this many cycles. Data sheets draw it as a curve over the
current; this is an assumption for currents not far above the rated one."""


def cycles_used(wear: Wear) -> int:
    """Returns the cycles of the rated life that are gone."""
    return wear.closings + LOADED_COUNTS * wear.openings_under_load


class ContactorLife:
    """Compares the wear of one unit's contactor with its rated life. Holds no state."""

    def __init__(self, unit: StorageUnit) -> None:
        self._unit = unit.name
        self._rated = unit.battery.contactor_cycles_rated

    def judge(self, memory: RelayMemory, now_ns: int) -> tuple[RelayMemory, tuple[Finding, ...]]:
        """Returns the memory, which keeps since when, and what is to be told of the contactor."""
        told = self._told(memory.wear)
        since_ns = {row: memory.life_since_ns.get(row, now_ns) for row in told}
        return replace(memory, life_since_ns=since_ns), tuple(
            finding(row, self._unit, since_ns[row], detail, device=Role.RELAYS)
            for row, detail in told.items()
        )

    def _told(self, wear: Wear) -> dict[str, str]:
        """Returns rows of the fault table, each with its detail."""
        told = {}
        if not wear.complete:
            told["wear_unknown"] = "its count was lost and begins anew"
        used = cycles_used(wear)
        if used >= WORN_AT * self._rated:
            told["contactor_worn"] = (
                f"{used / self._rated:.0%} of {self._rated} cycles: {wear.closings} closings, "
                f"{wear.openings_under_load} openings under load"
            )
        return told
