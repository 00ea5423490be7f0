"""What the batteries of a site could do now to help at the meter."""

from dataclasses import dataclass

from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import Signal

_S_PER_H = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryHelp:
    """Tells what all units that are not empty could deliver, and those that are not full take."""

    discharge_w: float
    charge_w: float
    stored_wh: float
    """Above what is kept for an outage, and below which nobody discharges."""

    def deliverable_w(self, for_s: float) -> float:
        """Returns what they can deliver for so long."""
        return min(self.discharge_w, self.stored_wh * _S_PER_H / max(for_s, 1.0))


def help_of(site: Site, snapshot: Snapshot, reserve_pct: float | None = None) -> BatteryHelp:
    """Returns what the batteries could do. One whose SOC cannot be told does nothing.

    ``reserve_pct`` is kept for a while beside each unit's own reserve, if any is.
    """
    discharge_w = charge_w = stored_wh = 0.0
    for unit in site.storage:
        soc_pct = snapshot.good(unit.name, Signal.SOC_PCT)
        if soc_pct is None:
            continue
        operation = unit.operation
        kept_pct = max(operation.soc_min_pct, operation.backup_reserve_pct, reserve_pct or 0.0)
        above_pct = soc_pct - kept_pct
        if above_pct > 0.0:
            discharge_w += unit.discharge_power_max_w
            stored_wh += above_pct / 100.0 * unit.battery.capacity_wh
        if soc_pct < operation.soc_max_pct:
            charge_w += unit.charge_power_max_w
    return BatteryHelp(discharge_w=discharge_w, charge_w=charge_w, stored_wh=stored_wh)
