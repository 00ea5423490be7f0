"""The connection says what the limits at the meter leave to the batteries, whoever asks."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.control.connection.at_meter import MeterPart, import_w
from holdfast.control.connection.band import Band, Bound, intersect
from holdfast.control.connection.batteries import BatteryHelp, help_of
from holdfast.control.connection.mean_import import ImportAllowance, IntervalMemory, MeanImport
from holdfast.control.connection.memory import ConnectionMemory
from holdfast.control.connection.operator_signal import (
    CONSUMPTION,
    NS_PER_MINUTE,
    PRODUCTION,
    OperatorChannel,
    OperatorMemory,
    OperatorSignal,
    OperatorState,
    OperatorTerms,
    exceeded,
    heard,
)
from holdfast.control.connection.release import release
from holdfast.control.connection.rows import MEAN_IMPORT, ROWS, AtMeter
from holdfast.core.asked_slot import SlotTerms
from holdfast.core.config import Site
from holdfast.core.config.grid import OperatorLimits
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import PHASE_POWER_W, SITE, Signal
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding
from holdfast.safety.island import any_islanded
from holdfast.safety.phases import phase_rests, phase_voltage_v, site_shares
from holdfast.safety.rest_of_site import batteries_w, rest_of_site_w

FAR_W = 1.0e7
"""No battery behind one connection has such a power: an end of the band without a limit."""
MISSED_W = 100.0
"""So much is missing at least before anybody is told."""
MISSED_SHARE = 0.01
"""So much of an interval's budget."""
EXCEEDED_W = 100.0
"""So much above a limit is no fault of the meter, and counts as exceeded."""
TOLD = {
    OperatorState.LIMITED: "operator_limits",
    OperatorState.FAILSAFE: "operator_unheard",
}
"""These states of the grid operator's signal are findings: so they are on record."""
UNSEEN = "meter"
"""Names what closes the band while meter or batteries cannot be read."""
SOON_S = 60.0
"""What is missing is told as a power for so long at least."""
_S_PER_H = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    band: Band
    operator: Bound | None
    findings: Mapping[str, str]
    """Says what is wrong, by row of the fault table."""


class GridConnection:
    """Joins the limits at the meter of one site. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._grid = site.grid
        self._mean = MeanImport(site.grid)
        self._shares = site_shares(site)
        self._power_w = max(site.charge_power_max_w, site.discharge_power_max_w)
        self._load_powers_w = {name: site.load_powers_w[name] for name in site.switches}
        operator = site.grid.operator
        self._consumption = None if operator is None else _consumption(operator)
        self._production = None if operator is None else _production(operator)

    def band(
        self, snapshot: Snapshot, terms: SlotTerms, utc_ns: int | None, memory: ConnectionMemory
    ) -> tuple[Band, tuple[Finding, ...], ConnectionMemory]:
        """Returns what the batteries may do in this cycle, what is wrong, and the memory for the
        next one."""
        now_ns = snapshot.time_ns
        memory = self._heard(snapshot, memory)
        interval = self._counted(snapshot, utc_ns, memory.interval)
        rest_w, released = rest_of_site_w(snapshot), memory.released
        found: dict[str, str] = {}
        if any_islanded(self._site.unit_names, snapshot):
            band = Band(low_w=-FAR_W, high_w=FAR_W)
        elif rest_w is None:
            band = Band(low_w=0.0, high_w=0.0, low_by=UNSEEN, high_by=UNSEEN)
        else:
            judged = self._judged(snapshot, rest_w, terms, memory, interval)
            memory = self._exceeded(snapshot, judged.operator, memory)
            band, released = release(
                judged.band, released, time_ns=now_ns, power_w=self._power_w, rest_w=rest_w
            )
            found |= judged.findings
        found |= self._of_operator(memory)
        since_ns = {row: memory.since_ns.get(row, now_ns) for row in found}
        findings = tuple(finding(row, SITE, since_ns[row], text) for row, text in found.items())
        after = ConnectionMemory(
            interval=interval,
            heartbeat=memory.heartbeat,
            consumption=memory.consumption,
            production=memory.production,
            released=released,
            since_ns=since_ns,
        )
        return band.exporting(self._export_max_w(terms, memory)), findings, after

    # ------------------------------------------------------------------ what is followed

    def _heard(self, snapshot: Snapshot, memory: ConnectionMemory) -> ConnectionMemory:
        if self._grid.operator is None:
            return memory
        heartbeat = heard(snapshot, memory.heartbeat)
        return replace(
            memory,
            heartbeat=heartbeat,
            consumption=memory.consumption
            if self._consumption is None
            else self._consumption.step(snapshot, heartbeat, memory.consumption),
            production=memory.production
            if self._production is None
            else self._production.step(snapshot, heartbeat, memory.production),
        )

    def _counted(
        self, snapshot: Snapshot, utc_ns: int | None, before: IntervalMemory | None
    ) -> IntervalMemory | None:
        return self._mean.count(
            before,
            utc_ns=utc_ns,
            time_ns=snapshot.time_ns,
            import_w=self._import_w(snapshot),
            load_w=max(rest_of_site_w(snapshot) or 0.0, 0.0),
        )

    def _import_w(self, snapshot: Snapshot) -> float | None:
        """Returns what the meter counts as import now; None if it cannot be read."""
        grid_w = snapshot.good(SITE, Signal.GRID_POWER_W)
        if grid_w is None:
            return None
        if not self._grid.nets_all:
            phases_w = [
                snapshot.good(SITE, PHASE_POWER_W[number - 1])
                for number in self._grid.phase_numbers
            ]
            known_w = [power_w for power_w in phases_w if power_w is not None]
            if len(known_w) == len(phases_w):
                return sum(max(power_w, 0.0) for power_w in known_w)
        return max(grid_w, 0.0)

    # ------------------------------------------------------------------ what is left

    def _judged(
        self,
        snapshot: Snapshot,
        rest_w: float,
        terms: SlotTerms,
        memory: ConnectionMemory,
        interval: IntervalMemory | None,
    ) -> _Judged:
        phases = phase_rests(self._site, snapshot)
        helps = help_of(self._site, snapshot, terms.reserve_pct)
        allowance = self._allowance(terms, interval, helps)
        parts: tuple[MeterPart, ...] = (MeterPart(rest_w=rest_w, share=1.0),)
        if phases and not self._grid.nets_all:
            parts = tuple(
                MeterPart(rest_w=phase.power_w, share=share)
                for phase, share in zip(phases, self._shares, strict=True)
            )
        meter = AtMeter(
            site=self._site,
            rest_w=rest_w,
            parts=parts,
            phases=phases,
            shares=self._shares if phases else (),
            volts=phase_voltage_v(snapshot, self._grid.nominal_voltage_v),
            loads_w=self._loads_w(snapshot),
            terms=terms,
            consumption_w=_limit_of(self._consumption, memory.consumption),
            production_w=_limit_of(self._production, memory.production),
            allowance=allowance,
        )
        bounds = {row.name: row.bound(meter, row.name) for row in ROWS}
        wanted = intersect(
            [bound for bound in bounds.values() if bound is not None],
            least_w=-FAR_W,
            most_w=FAR_W,
        )
        band = Band(
            low_by=wanted.low_by,
            high_by=wanted.high_by,
            # Nobody is asked for more than there is: an empty battery rests.
            low_w=min(wanted.low_w, helps.charge_w),
            high_w=max(wanted.high_w, -helps.discharge_w),
        )
        found = _missed(wanted, band)
        if allowance is not None:
            found |= _mean_missed(parts, allowance, helps)
        if self._grid.phase_numbers and not phases:
            found["phases_unseen"] = f"L1 to L{len(self._grid.phase_numbers)}"
        return _Judged(band=band, operator=bounds["grid_operator"], findings=found)

    def _allowance(
        self, terms: SlotTerms, interval: IntervalMemory | None, helps: BatteryHelp
    ) -> ImportAllowance | None:
        limits_w = [
            max(0.0, limit_w)
            for limit_w in (self._grid.mean_import_max_w, terms.import_mean_max_w)
            if limit_w is not None
        ]
        if not limits_w:
            return None
        deliverable_w = helps.deliverable_w(self._mean.left_s(interval))
        return self._mean.allowance(interval, min(limits_w), deliverable_w)

    def _loads_w(self, snapshot: Snapshot) -> float:
        return sum(
            power_w
            for name, power_w in self._load_powers_w.items()
            if snapshot.good(name, Signal.LOAD_ON) == 1.0
        )

    def _export_max_w(self, terms: SlotTerms, memory: ConnectionMemory) -> float:
        """Returns how much PV may be let through to be exported at most."""
        limits_w = (
            self._grid.export_max_w,
            terms.export_max_w,
            _limit_of(self._production, memory.production),
        )
        return min(max(0.0, limit_w) for limit_w in limits_w if limit_w is not None)

    # ------------------------------------------------------------------ what is told

    def _exceeded(
        self, snapshot: Snapshot, bound: Bound | None, memory: ConnectionMemory
    ) -> ConnectionMemory:
        """Counts for how long more flowed than the grid operator permits."""
        battery_w = batteries_w(self._site.unit_names, snapshot)
        if bound is None or battery_w is None:
            return memory
        return replace(
            memory,
            consumption=exceeded(memory.consumption, is_over=battery_w > bound.high_w + EXCEEDED_W),
            production=exceeded(memory.production, is_over=battery_w < bound.low_w - EXCEEDED_W),
        )

    def _of_operator(self, memory: ConnectionMemory) -> dict[str, str]:
        """Says what the grid operator limits, and what holds since nobody hears of him."""
        told: dict[str, list[str]] = {}
        for direction, signal, each in (
            ("consumption", self._consumption, memory.consumption),
            ("production", self._production, memory.production),
        ):
            row = TOLD.get(each.state)
            if signal is not None and row is not None:
                told.setdefault(row, []).append(f"{direction} up to {signal.limit_w(each):.0f} W")
        return {row: " and ".join(limits) for row, limits in told.items()}


def _consumption(operator: OperatorLimits) -> OperatorSignal | None:
    return _signal(CONSUMPTION, operator.consumption_w, operator.failsafe_consumption_w, operator)


def _production(operator: OperatorLimits) -> OperatorSignal | None:
    return _signal(PRODUCTION, operator.production_w, operator.failsafe_production_w, operator)


def _signal(
    channel: OperatorChannel,
    limit_w: float | None,
    failsafe_w: float | None,
    operator: OperatorLimits,
) -> OperatorSignal | None:
    if limit_w is None:
        return None
    terms = OperatorTerms(
        limit_w=limit_w,
        failsafe_w=limit_w if failsafe_w is None else failsafe_w,
        failsafe_ns=operator.failsafe_minutes * NS_PER_MINUTE,
    )
    return OperatorSignal(channel, terms)


def _limit_of(signal: OperatorSignal | None, memory: OperatorMemory) -> float | None:
    return None if signal is None else signal.limit_w(memory)


def _missed(wanted: Band, band: Band) -> dict[str, str]:
    """Says what is missing of the limits that hold at any time."""
    missing = (
        ("import_missed", wanted.high_by, band.high_w - wanted.high_w),
        ("export_missed", wanted.low_by, wanted.low_w - band.low_w),
    )
    return {
        row: f"{by}: {missing_w:.0f} W are missing"
        for row, by, missing_w in missing
        if missing_w > MISSED_W and by != MEAN_IMPORT
    }


def _mean_missed(
    parts: tuple[MeterPart, ...], allowance: ImportAllowance, helps: BatteryHelp
) -> dict[str, str]:
    """Says what is missing of the interval's limit, if the load stays as it is."""
    limit_w, left_s = allowance.limit_w, allowance.left_s
    missing_wh = allowance.missing_wh(import_w(parts, -helps.deliverable_w(left_s)))
    budget_wh = limit_w * allowance.interval_s / _S_PER_H
    if not missing_wh > MISSED_SHARE * budget_wh:
        return {}
    mean_w = limit_w + missing_wh * _S_PER_H / allowance.interval_s
    return {
        "mean_import_missed": f"{missing_wh:.0f} Wh are missing, which is "
        f"{missing_wh * _S_PER_H / max(left_s, SOON_S):.0f} W for the {left_s:.0f} s to come: "
        f"it will be {mean_w:.0f} W instead of {limit_w:.0f} W"
    }
