"""The mode manager says what the site asks of its batteries now, and why."""

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from holdfast.control.modes.self_consumption import hold_w, self_consumption_w
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.device_mode import MODES, DeviceMode
from holdfast.core.plan import PV_OFF_IMPORT_SHARE, PlanSlot, SlotMode
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.safety.island import any_islanded
from holdfast.safety.rest_of_site import load_of_site_w, rest_of_site_w

REQUEST_LIFETIME_NS = 1 * NS_PER_S
PV_STAYS_OFF_SHARE = 0.95
"""PV that is off goes on again only above this share of what may be imported: a load that moves
about the lower share is no reason to switch to and fro."""


class Source(StrEnum):
    """Tells who asks, the best first: the lower rungs serve when the upper ones cannot."""

    PLAN = "plan"
    SELF_CONSUMPTION = "self_consumption"
    PASSIVE = "passive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request is a wish, not a command: nothing is permitted by it."""

    power_w: float
    """Counts for all batteries, + charging. It may be anything: the gate does not trust it."""
    source: Source
    reason: str
    expires_ns: int
    export_limit_w: float = 0.0
    """PV is to be throttled to export no more: from 0 to what the grid connection permits."""
    pv_on: bool = True
    """False: PV is to be switched off."""
    device_mode: DeviceMode | None = None
    """The inverters are to keep this rule by themselves, where they can, in place of the power."""


class ModeManager:
    """Climbs down the ladder: plan, then self-consumption, then passive. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._units = site.unit_names
        self._storage = site.storage
        self._export_max_w = site.grid.export_max_w
        self._import_max_w = site.grid.import_max_w
        self._has_reserve = any(unit.operation.backup_reserve_pct > 0.0 for unit in site.storage)

    def request(self, snapshot: Snapshot, plan: AcceptedPlan | None, state: State) -> Request:
        """Tells what to ask for in this cycle."""
        now_ns = snapshot.time_ns
        slot = None if plan is None or state is not State.RUNNING else plan.slot_at(now_ns)
        power_w, source, reason = self._power(snapshot, slot, state)
        return Request(
            power_w=power_w,
            source=source,
            reason=reason,
            expires_ns=now_ns + REQUEST_LIFETIME_NS,
            export_limit_w=self._export_limit_w(slot),
            pv_on=self._pv_on(snapshot, slot),
            device_mode=self._device_mode(snapshot, slot, source),
        )

    def _power(
        self, snapshot: Snapshot, slot: PlanSlot | None, state: State
    ) -> tuple[float, Source, str]:
        if state is not State.RUNNING:
            return 0.0, Source.PASSIVE, f"the site is in {state.name}"
        if any_islanded(self._units, snapshot):
            return 0.0, Source.PASSIVE, "an island: its load decides the power"
        rest_w = rest_of_site_w(snapshot)
        if rest_w is None:
            return 0.0, Source.PASSIVE, "meter or battery cannot be read"
        if slot is None:
            power_w, source = self_consumption_w(rest_w), Source.SELF_CONSUMPTION
            reason = "no valid plan: grid at 0 W"
        else:
            power_w, source, reason = _by_slot(slot, rest_w), Source.PLAN, slot.reason
        if power_w < 0.0 and self._has_reserve and self._is_at_reserve(snapshot):
            power_w, reason = 0.0, "what is left is the reserve for an outage"
        return power_w, source, reason

    def _export_limit_w(self, slot: PlanSlot | None) -> float:
        """Returns what the plan asks, while it is followed, within the grid connection's limit, W.

        While the site does not run nobody throttles the owner's PV: no battery is in danger from
        it. A meter that cannot be read changes nothing: the inverter throttles by its own. NaN is
        no limit that anybody can have meant, and becomes 0 W.
        """
        if slot is None or slot.export_limit_w is None:
            return self._export_max_w
        # In this order NaN leaves 0 W.
        return max(0.0, min(slot.export_limit_w, self._export_max_w))

    def _pv_on(self, snapshot: Snapshot, slot: PlanSlot | None) -> bool:
        """Says whether PV is let through; False only where a plan says so and the grid has room."""
        if slot is None or slot.pv_on or any_islanded(self._units, snapshot):
            return True
        load_w = load_of_site_w(snapshot)
        if load_w is None:
            return True
        is_off = any(snapshot.good(unit, Signal.PV_ON) == 0.0 for unit in self._units)
        share = PV_STAYS_OFF_SHARE if is_off else PV_OFF_IMPORT_SHARE
        # What it is without PV, on or off: what PV does must not decide whether it may stand still.
        import_w = load_w + max(_by_slot(slot, load_w), 0.0)
        return not import_w <= share * self._import_max_w

    def _device_mode(
        self, snapshot: Snapshot, slot: PlanSlot | None, source: Source
    ) -> DeviceMode | None:
        """Returns the mode that a plan asks for, while it is followed and the reserve lets it."""
        if slot is None or slot.device_mode is None or source is not Source.PLAN:
            return None
        keeps = self._has_reserve and MODES[slot.device_mode].discharges
        return None if keeps and self._is_at_reserve(snapshot) else slot.device_mode

    def _is_at_reserve(self, snapshot: Snapshot) -> bool:
        """Says whether no more is stored than the reserve; True too if that cannot be told."""
        above = []
        for unit in self._storage:
            soc_pct = snapshot.good(unit.name, Signal.SOC_PCT)
            if soc_pct is None:
                return True
            kept_pct = max(unit.operation.backup_reserve_pct, unit.operation.soc_min_pct)
            above.append((soc_pct - kept_pct) * unit.battery.capacity_wh)
        return not sum(above) > 0.0


def _by_slot(slot: PlanSlot, rest_w: float) -> float:
    match slot.mode:
        case SlotMode.SELF_CONSUMPTION:
            return self_consumption_w(rest_w)
        case SlotMode.HOLD:
            return hold_w(rest_w)
        case SlotMode.POWER:
            return slot.battery_power_w
        case _:
            assert_never(slot.mode)
