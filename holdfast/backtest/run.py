"""One strategy goes through days: the live cycle, plant and planner, and what came of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from holdfast.backtest.data import Row, utc_of
from holdfast.backtest.one_mode import ModeAsked
from holdfast.backtest.scenario import Scenario
from holdfast.backtest.strategies import ADVISERS, Adviser, Setting, Strategy
from holdfast.backtest.world import PUBLISHED_AT_H, PublishedPrices
from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.core.quarter_hours import QUARTER_S
from holdfast.markets.demand_charge import demand_prices
from holdfast.markets.site_prices import SitePrices
from holdfast.simulation.plant import Energies

PLAN_EVERY_S = 900
_TOLD = 100
"""A run says so often how far it is."""
_METERS = tuple(field.name for field in fields(Energies))
_METERS_OF = attrgetter(*_METERS)
_QUARTER_METERS = ("grid_import_wh", "grid_export_wh", "deficit_wh", "surplus_wh")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Tells what one run is to do."""

    site: Site
    scenario: Scenario
    strategy: Strategy
    soc_pct: float = 50.0
    """It holds at the start."""
    seed: int = 1
    """It is that of the plant's cells."""
    published_at_h: int = PUBLISHED_AT_H
    plan_every_s: int = PLAN_EVERY_S
    asked: ModeAsked | None = None
    """Strategy.MODE keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunResult:
    """Tells what a run has come to. Arrays have one value for each row of the data."""

    strategy: Strategy
    battery_w: Floats
    """It is the mean over the interval, AC, + charging."""
    soc_pct: Floats
    """It is taken at the end of the interval."""
    load_w: Floats
    """It is the mean over the interval, flexible loads included."""
    pv_w: Floats
    """It is the mean over the interval of what was let through."""
    import_wh: Floats
    export_wh: Floats
    deficit_wh: Floats
    """It would have been imported without a battery."""
    surplus_wh: Floats
    """It would have been exported without one."""
    quarter_wh: dict[int, Floats]
    """It is what the meter counted, by the start of the quarter hour in s since 1970: import,
    export, and both without a battery."""
    soc_start_pct: float
    charged_wh: float
    """It is AC, all units together."""
    discharged_wh: float
    pv_throttled_wh: float
    """It was thrown away, to export no more than was permitted."""
    capacity_wh: float
    damage: dict[str, int]
    """They are episodes by unit and kind; empty if the plant is whole."""
    cycles: int
    cycles_not_running: int
    """They are counted after the start."""
    plans: dict[str, int]
    """They are counted by status; ``failed`` and ``refused`` stand beside those of the planner.

    Rules tell only what went wrong.
    """
    first_problem: str
    """It is that of a plan that failed or was refused; empty if none was."""


class Run:
    """Runs one strategy."""

    def __init__(
        self, job: Job, laid: Callable[[Adviser, Setting], Adviser] = lambda adviser, _: adviser
    ) -> None:
        """``laid`` gets the strategy's adviser, and returns the one that is followed.

        Raises DataError for less than an hour, ConfigError for a site that cannot be run.
        """
        self._job, site = job, job.site
        self._stage = job.scenario.stage(site, seed=job.seed, soc_pct=job.soc_pct)
        self._simulation = self._stage.simulation
        setting = Setting(
            site=site,
            data=job.scenario.data,
            past=job.scenario.past(site),
            prices=PublishedPrices(
                _with_demand(site, job.scenario.prices(site.currency)),
                zone=ZoneInfo(site.timezone),
                published_at_h=job.published_at_h,
            ),
            plan_every=timedelta(seconds=job.plan_every_s),
            asked=job.asked,
        )
        self._adviser = laid(ADVISERS[job.strategy](setting), setting)
        self._quarter_wh: dict[int, Floats] = {}
        self._plans: Counter[str] = Counter()
        self._problem = ""

    def run(self, progress: Callable[[float], None] = lambda _: None) -> RunResult:
        """Runs it; ``progress`` gets the share that is done. Raises HoldfastError."""
        simulation, data = self._simulation, self._job.scenario.data
        simulation.start()
        soc_start_pct = simulation.soc_pct
        start_cycles = simulation.tally.not_running_cycles
        energies = simulation.plant.energies
        rows, told_each = data.rows, max(len(data.rows) // _TOLD, 1)
        wh, soc_pct = np.empty((len(rows), len(_METERS))), np.empty(len(rows))
        for index, row in enumerate(rows):
            if index == 0 or row.start_s != rows[index - 1].start_s + data.step_s:
                # The clock jumps, from the start-up or over a hole; no plan reaches over that.
                simulation.drop_plan()
            before = _METERS_OF(energies)
            self._interval(row)
            wh[index] = np.subtract(_METERS_OF(energies), before)
            soc_pct[index] = simulation.soc_pct
            if index % told_each == 0:
                progress(index / len(rows))
        used_wh = dict(zip(_METERS, wh.T, strict=True))
        charged_wh, discharged_wh = used_wh["battery_charge_wh"], used_wh["battery_discharge_wh"]
        hours = data.step_s / 3600
        return RunResult(
            strategy=self._job.strategy,
            battery_w=(charged_wh - discharged_wh) / hours,
            soc_pct=soc_pct,
            load_w=used_wh["load_wh"] / hours,
            pv_w=used_wh["pv_wh"] / hours,
            import_wh=used_wh["grid_import_wh"],
            export_wh=used_wh["grid_export_wh"],
            deficit_wh=used_wh["deficit_wh"],
            surplus_wh=used_wh["surplus_wh"],
            quarter_wh=self._quarter_wh,
            soc_start_pct=soc_start_pct,
            charged_wh=float(charged_wh.sum()),
            discharged_wh=float(discharged_wh.sum()),
            pv_throttled_wh=float(used_wh["pv_throttled_wh"].sum()),
            capacity_wh=sum(unit.battery.capacity_wh for unit in self._job.site.storage),
            damage={
                f"{unit}/{kind}": count
                for unit, counts in simulation.plant.damage_counts.items()
                for kind, count in counts.items()
            },
            cycles=simulation.tally.cycles,
            cycles_not_running=simulation.tally.not_running_cycles - start_cycles,
            plans=dict(self._plans),
            first_problem=self._problem,
        )

    def _interval(self, row: Row) -> None:
        data, every_s = self._job.scenario.data, self._job.plan_every_s
        self._stage.hold(row)
        start_s, end_s, imported_wh = row.start_s, row.start_s + data.step_s, 0.0
        while start_s < end_s:
            # Steps are no whole microseconds; a plan must not be made a microsecond too early.
            self._simulation.utc = utc_of(start_s)
            if start_s % every_s == 0 or start_s == data.rows[0].start_s:
                self._plan()
            until_s = min(
                end_s, *((start_s // each_s + 1) * each_s for each_s in (every_s, QUARTER_S))
            )
            before = _METERS_OF(self._simulation.plant.energies)
            self._stage.run(until_s - start_s)
            imported_wh += self._count(start_s, before)
            start_s = until_s
        grid_w = imported_wh / (data.step_s / 3600)
        for sample in self._stage.seen():
            self._adviser.observe(replace(sample, grid_w=grid_w))

    def _count(self, start_s: int, before: tuple[float, ...]) -> float:
        """Adds what the meters counted since ``before`` to its quarter hour; returns the import."""
        now = self._simulation.plant.energies
        counted = dict(zip(_METERS, np.subtract(_METERS_OF(now), before), strict=True))
        wh = np.array([counted[name] for name in _QUARTER_METERS])
        quarter_s = start_s - start_s % QUARTER_S
        self._quarter_wh[quarter_s] = self._quarter_wh.get(quarter_s, 0.0) + wh
        return float(wh[0])

    def _plan(self) -> None:
        simulation = self._simulation
        word = "refused"
        try:
            try:
                plan = self._adviser.plan(simulation.utc, simulation.soc_pct)
            except HoldfastError:
                word = "failed"
                raise
            if plan is not None:
                simulation.take_plan(plan)
                word = plan.status
        except HoldfastError as error:
            # As live: what there was goes on until it expires, then the local rule.
            self._problem = self._problem or f"{simulation.utc:%FT%RZ}: {error}"
        else:
            if not self._job.strategy.plans:
                return  # a rule has no status to tell
        self._plans[word] += 1


def _with_demand(site: Site, prices: SitePrices) -> SitePrices:
    """Returns ``prices`` with the demand charges of ``site``, which no data hold."""
    if site.prices is None:
        return prices
    return replace(prices, demand=demand_prices(site.prices, ZoneInfo(site.timezone)))
