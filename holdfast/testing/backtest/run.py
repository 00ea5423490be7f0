"""One strategy on measured data: the live cycle, plant and planner, in variable steps."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.testing.backtest.data import Row, SiteData, require_an_hour, utc_of
from holdfast.testing.backtest.pace import SHORT_S, TOLERATED_S, Pace
from holdfast.testing.backtest.strategies import ADVISERS, Setting, Strategy
from holdfast.testing.backtest.world import PUBLISHED_AT_H, MeasuredHouse, PublishedPrices
from holdfast.testing.plant import SitePlant
from holdfast.testing.simulation import Simulation

PLAN_EVERY_S = 900
_TOLD = 1000
"""A run says how far it is each so many rows at most."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What one run is to do."""

    site: Site
    data: SiteData
    past: SiteData
    strategy: Strategy
    soc_pct: float = 50.0
    """At the start."""
    seed: int = 1
    """Of the plant's cells."""
    published_at_h: int = PUBLISHED_AT_H
    plan_every_s: int = PLAN_EVERY_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunResult:
    """What a run has come to. Arrays have one value for each row of the data."""

    strategy: Strategy
    battery_w: Floats
    """Mean over the interval, AC, + charging."""
    soc_pct: Floats
    """At the end of the interval."""
    import_wh: Floats
    export_wh: Floats
    soc_start_pct: float
    charged_wh: float
    """AC, all units together."""
    discharged_wh: float
    pv_throttled_wh: float
    """Thrown away, to export no more than was permitted."""
    capacity_wh: float
    damage: dict[str, int]
    """Episodes by unit and kind; empty if the plant is whole."""
    cycles: int
    cycles_not_running: int
    """After the start."""
    plans: dict[str, int]
    """By status; ``failed`` and ``refused`` stand beside those of the planner. Rules tell only
    what went wrong."""
    first_problem: str
    """Of a plan that failed or was refused; empty if none was."""


class Run:
    """Runs one strategy."""

    def __init__(self, job: Job) -> None:
        """Raises DataError for less than an hour, ConfigError for a site that cannot be run."""
        require_an_hour(job.data)
        self._job = job
        site, data = job.site, job.data
        plant = SitePlant.from_site(site, seed=job.seed, soc_pct=job.soc_pct)
        plant.household = self._house = MeasuredHouse()
        self._house.hold(data.rows[0])
        self._simulation = Simulation(
            site, plant, start=data.start, step_s=SHORT_S, longest_s=TOLERATED_S
        )
        self._pace = Pace(self._simulation)
        setting = Setting(
            site=site, data=data, past=job.past,
            prices=PublishedPrices(
                data, currency=site.currency, zone=ZoneInfo(site.timezone),
                published_at_h=job.published_at_h,
            ),
            plan_every=timedelta(seconds=job.plan_every_s),
        )  # fmt: skip
        self._adviser = ADVISERS[job.strategy](setting)
        self._plans: Counter[str] = Counter()
        self._problem = ""

    def run(self, progress: Callable[[float], None] = lambda _: None) -> RunResult:
        """Run; ``progress`` gets the share that is done. Raises HoldfastError."""
        simulation, rows, step_s = self._simulation, self._job.data.rows, self._job.data.step_s
        simulation.start()
        soc_start_pct = simulation.soc_pct
        start_cycles = simulation.tally.not_running_cycles
        energies = simulation.plant.energies
        before = (energies.battery_charge_wh, energies.battery_discharge_wh)
        throttled_wh = energies.pv_throttled_wh
        done = np.empty((4, len(rows)))
        for index, row in enumerate(rows):
            if index == 0 or row.start_s != rows[index - 1].start_s + step_s:
                # The clock jumps, from the start-up or over a hole; no plan reaches over that.
                simulation.drop_plan()
            done[:, index] = self._interval(row)
            if index % _TOLD == 0:
                progress(index / len(rows))
        charged_wh = energies.battery_charge_wh - before[0]
        discharged_wh = energies.battery_discharge_wh - before[1]
        return RunResult(
            strategy=self._job.strategy,
            battery_w=done[0], soc_pct=done[1], import_wh=done[2], export_wh=done[3],
            soc_start_pct=soc_start_pct, charged_wh=charged_wh, discharged_wh=discharged_wh,
            pv_throttled_wh=energies.pv_throttled_wh - throttled_wh,
            capacity_wh=sum(unit.battery.capacity_wh for unit in self._job.site.storage),
            damage={
                f"{unit}/{kind}": count
                for unit, counts in simulation.plant.damage_counts.items()
                for kind, count in counts.items()
            },
            cycles=simulation.tally.cycles,
            cycles_not_running=simulation.tally.not_running_cycles - start_cycles,
            plans=dict(self._plans), first_problem=self._problem,
        )  # fmt: skip

    def _interval(self, row: Row) -> tuple[float, float, float, float]:
        """Mean battery power, SOC at the end, and what was imported and exported, Wh."""
        job, simulation = self._job, self._simulation
        energies = simulation.plant.energies
        bought_wh, sold_wh = energies.grid_import_wh, energies.grid_export_wh
        stored_wh = energies.battery_charge_wh - energies.battery_discharge_wh
        self._house.hold(row)
        start_s, end_s, every_s = row.start_s, row.start_s + job.data.step_s, job.plan_every_s
        while start_s < end_s:
            # Steps are no whole microseconds; a plan must not be made a microsecond too early.
            simulation.utc = utc_of(start_s)
            if start_s % every_s == 0 or start_s == job.data.rows[0].start_s:
                self._plan()
            until_s = min(end_s, (start_s // every_s + 1) * every_s)
            self._pace.run(until_s - start_s)
            start_s = until_s
        self._adviser.observe(row, job.data.step_s)
        moved_wh = energies.battery_charge_wh - energies.battery_discharge_wh - stored_wh
        return (
            moved_wh * 3600 / job.data.step_s,
            simulation.soc_pct,
            energies.grid_import_wh - bought_wh,
            energies.grid_export_wh - sold_wh,
        )

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
