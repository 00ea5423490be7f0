"""The reserve is kept for an outage: with the grid there, nobody discharges it."""

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import Signal


class Reserve:
    """Says whether the reserve is reached. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._storage = site.storage
        self._capacity_wh = sum(unit.battery.capacity_wh for unit in site.storage)
        self._has_own = any(unit.operation.backup_reserve_pct > 0.0 for unit in site.storage)

    def soc_pct(self, snapshot: Snapshot) -> float | None:
        """Returns the state of charge of all units together, %; None unless each is known."""
        stored = 0.0
        for unit in self._storage:
            soc_pct = snapshot.good(unit.name, Signal.SOC_PCT)
            if soc_pct is None:
                return None
            stored += soc_pct * unit.battery.capacity_wh
        return stored / self._capacity_wh

    def is_reached(self, snapshot: Snapshot, asked_pct: float | None) -> bool:
        """Says whether no more is stored than is to be kept; True too if that cannot be told.

        Each unit has its own reserve; ``asked_pct`` is asked of all together for a while, if any
        is. What is asked that is no number keeps all.
        """
        if not self._has_own and asked_pct is None:
            return False
        above = []
        for unit in self._storage:
            soc_pct = snapshot.good(unit.name, Signal.SOC_PCT)
            if soc_pct is None:
                return True
            kept_pct = max(unit.operation.backup_reserve_pct, unit.operation.soc_min_pct)
            if asked_pct is not None:
                kept_pct = asked_pct if not asked_pct <= kept_pct else kept_pct
            above.append((soc_pct - kept_pct) * unit.battery.capacity_wh)
        return not sum(above) > 0.0
