"""What a plan asks of PV behind the inverters, and of their own rules, beside a power."""

from dataclasses import replace

from holdfast.control.modes.table import MODES
from holdfast.control.modes.wish import ModeView
from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.plan import PV_OFF_IMPORT_SHARE, PlanSlot
from holdfast.core.signals import Signal
from holdfast.safety.island import any_islanded
from holdfast.safety.rest_of_site import load_of_site_w

PV_STAYS_OFF_SHARE = 0.95
"""PV that is off goes on again only above this share of what may be imported: a load that moves
about the lower share is no reason to switch to and fro."""


class PvWishes:
    """Says how much may be exported, and whether PV is let through. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._units = site.unit_names
        self._export_max_w = site.grid.export_max_w
        self._import_max_w = site.grid.import_max_w

    def export_limit_w(self, slot: PlanSlot | None) -> float:
        """Returns what the plan asks, while it is followed, within the grid connection's limit, W.

        While the site does not run nobody throttles the owner's PV: no battery is in danger from
        it. A meter that cannot be read changes nothing: the inverter throttles by its own. NaN is
        no limit that anybody can have meant, and becomes 0 W.
        """
        if slot is None or slot.export_limit_w is None:
            return self._export_max_w
        # In this order NaN leaves 0 W.
        return max(0.0, min(slot.export_limit_w, self._export_max_w))

    def pv_on(self, snapshot: Snapshot, slot: PlanSlot | None, view: ModeView | None) -> bool:
        """Says whether PV is let through; False only where a plan says so and the grid has room."""
        if slot is None or slot.pv_on or view is None or any_islanded(self._units, snapshot):
            return True
        load_w = load_of_site_w(snapshot)
        if load_w is None:
            return True
        is_off = any(snapshot.good(unit, Signal.PV_ON) == 0.0 for unit in self._units)
        share = PV_STAYS_OFF_SHARE if is_off else PV_OFF_IMPORT_SHARE
        # What it is without PV, on or off: what PV does must not decide whether it may stand still.
        import_w = load_w + max(_asked_w(slot, view, load_w), 0.0)
        return not import_w <= share * self._import_max_w


def _asked_w(slot: PlanSlot, view: ModeView, load_w: float) -> float:
    """Returns what the slot's mode would ask for at ``load_w``, without PV."""
    without = replace(view, rest_w=load_w, power_w=slot.battery_power_w, terms=slot.terms)
    return MODES[slot.mode](without).power_w
