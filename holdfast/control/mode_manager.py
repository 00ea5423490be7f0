"""The mode manager says what the site asks of its batteries now, and why.

Who may ask stands in :data:`holdfast.core.asked_slot.PRECEDENCE`, what a mode asks in
:mod:`holdfast.control.modes.table`. Its wish is then kept within bounds, the weakest first: the
mode's own, loads that are kept out, the limits at the meter, the reserve. It goes over from the
mode before without a jump, and what a device would not make of it is trimmed.
"""

import math
from dataclasses import dataclass, field

from holdfast.control.connection.band import Band
from holdfast.control.connection.connection import GridConnection
from holdfast.control.connection.memory import ConnectionMemory
from holdfast.control.kept_out import KEPT_OUT, KeptOut
from holdfast.control.kept_wish import wished
from holdfast.control.modes.wish import ModeView
from holdfast.control.plan_gate import AcceptedPlan
from holdfast.control.pv_wishes import PvWishes
from holdfast.control.regulation.regulator import RegulationMemory, Regulator, RegulatorWish
from holdfast.control.request import Instead, Request
from holdfast.control.reserve import Reserve
from holdfast.control.transfer import Leader, Transfer, TransferMemory
from holdfast.core.asked_slot import AskedBy, SlotTerms, combined, marks_text
from holdfast.core.config import Site
from holdfast.core.data_store import Snapshot
from holdfast.core.device_mode import MODES as DEVICE_MODES
from holdfast.core.device_mode import DeviceMode
from holdfast.core.plan import PlanSlot
from holdfast.core.slot_mode import DOES, SlotMode
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S, s_from_ns
from holdfast.safety.finding import Finding
from holdfast.safety.island import any_islanded
from holdfast.safety.rest_of_site import rest_of_site_w

REQUEST_LIFETIME_NS = 1 * NS_PER_S
QUIET_NS = 60 * NS_PER_S
"""The grid is back so long before anything is asked of it: it may go again, and inverters look at
it for a while before they connect."""
RESERVE = "reserve"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeMemory:
    """Holds what the modes hand to the next cycle."""

    transfer: TransferMemory | None = None
    """None while nobody may ask."""
    mean_rest_w: float | None = None
    time_ns: int | None = None
    connection: ConnectionMemory = field(default_factory=ConnectionMemory)
    regulation: RegulationMemory = field(default_factory=RegulationMemory)
    islanded_ns: int | None = None
    """Tells when the site was last on an island; None if that is too long ago to count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCycle:
    """Holds what came of the wish before."""

    setpoint_w: float = 0.0
    """Of all units together."""
    is_limited: bool = False
    """Less than was asked was permitted, or reached by the ramp."""
    meter_delay_s: float = 0.0
    """What the meter shows is so old at least."""


NOTHING_BEFORE = LastCycle()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOfBatteries:
    """Holds what the modes ask in one cycle, and what the limits at the meter leave of it."""

    request: Request
    band: Band
    findings: tuple[Finding, ...]
    memory: ModeMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class _Led:
    """Holds what comes of the one who leads."""

    power_w: float
    reason: str
    kept_by: tuple[str, ...]
    urgent: bool
    instead: Instead
    transfer: TransferMemory
    regulation: RegulationMemory


class ModeManager:
    """Lets the strongest ask, and keeps him within bounds. Holds no state."""

    def __init__(self, site: Site, *, coarse_w: float = 0.0) -> None:
        """Takes the steps, W, in which the coarsest device keeps its setpoint."""
        self._units = site.unit_names
        self._standing = site.modes.standing
        self._levelling_s = 60.0 * site.modes.levelling_minutes
        mode = SlotMode(site.modes.default)
        self._default = Leader(
            by=AskedBy.DEFAULT,
            mode=mode,
            reason=f"nobody asks for anything else: {DOES[mode]}",
            terms=site.modes.terms,
        )
        self._capacity_wh = sum(unit.battery.capacity_wh for unit in site.storage)
        self._charge_max_w = site.charge_power_max_w
        self._discharge_max_w = site.discharge_power_max_w
        self._export_max_w = site.grid.export_max_w
        self._transfer = Transfer(site)
        self._reserve = Reserve(site)
        self._kept_out = KeptOut(site)
        self._pv = PvWishes(site)
        self._connection = GridConnection(site)
        self.regulator = Regulator(site, coarse_w=coarse_w)

    def step(
        self,
        snapshot: Snapshot,
        plan: AcceptedPlan | None,
        state: State,
        memory: ModeMemory,
        utc_ns: int | None = None,
        last: LastCycle = NOTHING_BEFORE,
    ) -> AskedOfBatteries:
        """Tells what to ask for in this cycle, with the memory for the next one."""
        now_ns = snapshot.time_ns
        slot = None if plan is None or state is not State.RUNNING else plan.slot_at(now_ns)
        rest_w = rest_of_site_w(snapshot)
        mean_rest_w = self._mean_rest_w(rest_w, memory, now_ns)
        islanded_ns = self._last_islanded_ns(snapshot, memory)
        nobody = _why_nobody(state, rest_w, islanded_ns, now_ns)
        leader = None if nobody else self._leader(slot, plan, memory.transfer, now_ns)
        band, findings, connection = self._connection.band(
            snapshot, self._terms(leader), utc_ns, memory.connection
        )
        view = None
        if rest_w is not None and mean_rest_w is not None:
            view = self._view(rest_w, mean_rest_w, snapshot)
        led = None
        if leader is not None and view is not None:
            led = self._led(leader, view, band, snapshot, memory, last)
        return AskedOfBatteries(
            request=self._request(led, nobody, slot, view, band, snapshot),
            band=band,
            findings=findings,
            memory=ModeMemory(
                transfer=None if led is None else led.transfer,
                mean_rest_w=mean_rest_w,
                time_ns=now_ns,
                connection=connection,
                # What was learned of a device before a fault is not believed after it.
                regulation=RegulationMemory() if led is None else led.regulation,
                islanded_ns=islanded_ns,
            ),
        )

    # ------------------------------------------------------------------ what is seen

    def _mean_rest_w(self, rest_w: float | None, memory: ModeMemory, now_ns: int) -> float | None:
        """Returns the mean of the last minutes, W; of a meter that cannot be read it is kept."""
        before_w = memory.mean_rest_w
        if rest_w is None or before_w is None:
            return rest_w if before_w is None else before_w
        share = min(_dt_s(memory, now_ns) / self._levelling_s, 1.0)
        return before_w + (rest_w - before_w) * share

    def _last_islanded_ns(self, snapshot: Snapshot, memory: ModeMemory) -> int | None:
        now_ns, before_ns = snapshot.time_ns, memory.islanded_ns
        if any_islanded(self._units, snapshot):
            return now_ns
        return before_ns if before_ns is not None and now_ns - before_ns < QUIET_NS else None

    def _view(self, rest_w: float, mean_rest_w: float, snapshot: Snapshot) -> ModeView:
        return ModeView(
            rest_w=rest_w,
            mean_rest_w=mean_rest_w,
            soc_pct=self._reserve.soc_pct(snapshot),
            capacity_wh=self._capacity_wh,
            charge_max_w=self._charge_max_w,
            discharge_max_w=self._discharge_max_w,
            export_max_w=self._export_max_w,
        )

    # ------------------------------------------------------------------ who leads

    def _leader(
        self,
        slot: PlanSlot | None,
        plan: AcceptedPlan | None,
        before: TransferMemory | None,
        now_ns: int,
    ) -> Leader:
        proposed = self._default
        if slot is not None and plan is not None:
            proposed = Leader(
                by=slot.by,
                mode=slot.mode,
                reason=slot.reason,
                power_w=slot.battery_power_w,
                terms=slot.terms,
                ends_ns=min(plan.slot_ends_ns(now_ns), plan.expires_ns),
            )
        return self._transfer.leader(proposed, before, now_ns)

    def _terms(self, leader: Leader | None) -> SlotTerms:
        return self._standing if leader is None else combined(leader.terms, self._standing)

    # ------------------------------------------------------------------ what is asked

    def _led(
        self,
        leader: Leader,
        view: ModeView,
        band: Band,
        snapshot: Snapshot,
        memory: ModeMemory,
        last: LastCycle,
    ) -> _Led:
        now_ns, before = snapshot.time_ns, memory.transfer
        dt_s = _dt_s(memory, now_ns)
        wish = wished(leader, view, now_ns)
        wish = wish.within(self._kept_out.low_w(snapshot, view.rest_w), math.inf, KEPT_OUT)
        wish = wish.within(band.low_w, math.inf, band.low_by, at_meter=True)
        wish = wish.within(-math.inf, band.high_w, band.high_by, at_meter=True)
        if self._reserve.is_reached(snapshot, leader.terms.reserve_pct):
            wish = wish.within(0.0, math.inf, RESERVE)
        # What left the band goes back at once, though the wish may be well inside.
        urgent = band.is_urgent(0.0 if before is None else before.power_w) or band.is_urgent(
            last.setpoint_w
        )
        transfer = self._transfer.carry(
            leader, wish.power_w, before, now_ns=now_ns, dt_s=dt_s, urgent=urgent
        )
        power_w = band.clamp(transfer.power_w)
        # What still comes back from the mode before is not this one's wish.
        is_regulated = wish.at_meter and not transfer.easing
        power_w, regulation = self.regulator.step(
            RegulatorWish(
                power_w=power_w,
                grid_w=view.rest_w + power_w if is_regulated else None,
                urgent=urgent,
                is_limited=last.is_limited,
                meter_delay_s=last.meter_delay_s,
            ),
            snapshot,
            memory.regulation,
            dt_s,
        )
        return _Led(
            power_w=power_w,
            reason=_with_bounds(_reason(leader), wish.kept_by),
            kept_by=wish.kept_by,
            urgent=urgent,
            instead=self._instead(leader, view, now_ns),
            transfer=transfer,
            regulation=regulation,
        )

    def _instead(self, leader: Leader, view: ModeView, now_ns: int) -> Instead:
        """Returns what the site's default mode would ask; where that leads, what nobody would."""
        if leader.by is AskedBy.DEFAULT:
            return Instead(by=AskedBy.PASSIVE, mode=SlotMode.PASSIVE, power_w=0.0)
        power_w = wished(self._default, view, now_ns).power_w
        return Instead(by=AskedBy.DEFAULT, mode=self._default.mode, power_w=power_w)

    def _request(
        self,
        led: _Led | None,
        nobody: str,
        slot: PlanSlot | None,
        view: ModeView | None,
        band: Band,
        snapshot: Snapshot,
    ) -> Request:
        leader = None if led is None else led.transfer.leader
        return Request(
            power_w=0.0 if led is None else led.power_w,
            source=AskedBy.PASSIVE if leader is None else leader.by,
            reason=nobody if led is None else led.reason,
            expires_ns=snapshot.time_ns + REQUEST_LIFETIME_NS,
            mode=SlotMode.PASSIVE if leader is None else leader.mode,
            kept_by=() if led is None else led.kept_by,
            urgent=led is not None and led.urgent,
            instead=None if led is None else led.instead,
            export_limit_w=min(self._pv.export_limit_w(slot), band.export_max_w),
            pv_on=self._pv.pv_on(snapshot, slot, view),
            device_mode=None if led is None else self._device_mode(snapshot, slot, led, band),
        )

    def _device_mode(
        self, snapshot: Snapshot, slot: PlanSlot | None, led: _Led, band: Band
    ) -> DeviceMode | None:
        """Returns the mode that a plan asks for, while it is followed and the reserve lets it."""
        if slot is None or slot.device_mode is None:
            return None
        keeps = DEVICE_MODES[slot.device_mode].discharges
        at_reserve = keeps and self._reserve.is_reached(snapshot, slot.terms.reserve_pct)
        covered = band.covers(-self._discharge_max_w, self._charge_max_w)
        return None if at_reserve or led.kept_by or not covered else slot.device_mode


def _why_nobody(state: State, rest_w: float | None, islanded_ns: int | None, now_ns: int) -> str:
    if state is not State.RUNNING:
        return f"the site is in {state.name}"
    if islanded_ns == now_ns:
        return "an island: its load decides the power"
    if islanded_ns is not None:
        return "the grid is back: a minute of quiet first"
    return "meter or battery cannot be read" if rest_w is None else ""


def _reason(leader: Leader) -> str:
    """Returns why a leader asks; where marks decide, which they are."""
    if leader.mode is not SlotMode.STORED_VALUE:
        return leader.reason
    return f"{leader.reason}; {marks_text(leader.terms)}"


def _with_bounds(reason: str, kept_by: tuple[str, ...]) -> str:
    return f"{reason}; kept by {' and '.join(kept_by)}" if kept_by else reason


def _dt_s(memory: ModeMemory, now_ns: int) -> float:
    return 0.0 if memory.time_ns is None else max(s_from_ns(now_ns - memory.time_ns), 0.0)
