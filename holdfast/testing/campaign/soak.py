"""A simulated day with faults that are drawn: which, when, in what scene, for how long.

A day is drawn from the seed and its number alone, so that any of them can be run again by itself.
It begins with a site that has just started. Between faults a cycle takes a second, around them as
long as at a real site.
"""

import random
import time
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.control.cycle import CycleState
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.testing.campaign.company import InCompany, can_be_joined, costs_of, due_alone, due_of
from holdfast.testing.faults.bench import (
    HOUSE_W,
    SLOW_S,
    UNIT,
    FaultBench,
    cycles_of,
    fresh,
)
from holdfast.testing.faults.fault import Fault
from holdfast.testing.faults.injections import Operator
from holdfast.testing.faults.recovery import LATCHED, recovered
from holdfast.testing.faults.scenes import SiteScene
from holdfast.testing.faults.table import FAULTS

DAY_S = 86_400.0
YEAR_STEP_DAYS = 37
"""The days of a soak are so far apart, around the year: every season is among them."""
_FIRST_DAY_S = 1_767_225_600.0
"""The first of January 2026, in UTC."""
_SOC_PCT = (25.0, 85.0)
"""Where days begin, and between which a battery can be charged and discharged for a fault."""
_CALM_PCT = (20.0, 90.0)
"""Between these nothing is found of a site that rests."""
_TOGETHER = 0.3
"""Of so many faults another one begins before they have ended,"""
_APART_S = 8.0
"""no later than this."""
_GOES_ON_S = 10.0
"""What has ended in its reaction stays for up to so long,"""
_STAYS = 0.3
"""and so many of them for up to"""
_STAYS_S = 600.0
_OPERATOR_S = 600.0
"""An operator comes no later than this to what is latched."""
_PATIENCE_S = 700.0
"""What faults have left behind may take so long to pass: another master counts for ten minutes."""
_RESTART_S = 100.0
_REACHED_W = 50.0
_SCENE_S = 60.0
_SECONDS_PER_H = 3600.0

DRAWN: tuple[Fault, ...] = tuple(fault for fault in FAULTS if SiteScene.BOOT not in fault.scenes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakIncident:
    """What came of one fault, or of two at a time."""

    day: int
    at_s: float
    """So many seconds after the day's midnight, UTC."""
    faults: tuple[str, ...]
    scene: str
    reached_s: tuple[float | None, ...]
    missed: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    false_trips: tuple[str, ...] = ()
    not_recovered: tuple[str, ...] = ()
    recovered_by: str = ""

    @property
    def wrong(self) -> tuple[str, ...]:
        """All that was not as it has to be."""
        damage = tuple(f"damage: {kind}" for kind in self.damage)
        late = (*self.missed, *self.late)
        return (*late, *damage, *self.outside, *self.false_trips, *self.not_recovered)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakDay:
    """What came of one day."""

    day: int
    incidents: tuple[SoakIncident, ...]
    false_trips: tuple[str, ...]
    """Between faults."""
    restarts: int
    """The controller was started anew, for the site did not recover."""
    simulated_s: float
    running_s: float
    cycles: int
    cpu_s: float


@dataclass(slots=True, kw_only=True)
class Tallies:
    """What adds up in a day."""

    false_trips: list[str] = field(default_factory=list)
    restarts: int = 0
    running_s: float = 0.0
    cycles: int = 0


class Soak:
    """Runs one day."""

    def __init__(self, seed: int, day: int, without: tuple[str, ...]) -> None:
        self._day = day
        self._draw = random.Random(f"{seed}/{day}")
        self._tallies = Tallies()
        self._bench = fresh(soc_pct=self._draw.uniform(*_SOC_PCT), seed=seed * 1000 + day)
        self._bench.start_s = _FIRST_DAY_S + (day * YEAR_STEP_DAYS % 365) * DAY_S
        self._bench.on_step = self._count
        self._start()
        self._bench.cycles = cycles_of(without)

    def run(self, faults: int, length_s: float) -> SoakDay:
        """Runs the day, or its beginning, with so many faults."""
        began_s = time.process_time()
        times_s = sorted(self._draw.uniform(0.01, 0.98) * length_s for _ in range(faults))
        incidents = []
        for at_s in times_s:
            self._wait_until(at_s)
            incidents.append(self._incident())
        self._wait_until(length_s)
        return SoakDay(
            day=self._day,
            incidents=tuple(incidents),
            false_trips=tuple(self._tallies.false_trips),
            restarts=self._tallies.restarts,
            simulated_s=self._bench.plant.time_s,
            running_s=self._tallies.running_s,
            cycles=self._tallies.cycles,
            cpu_s=time.process_time() - began_s,
        )

    def _count(self, bench: FaultBench) -> None:
        self._tallies.cycles += 1
        if bench.state.machine is State.RUNNING:
            self._tallies.running_s += bench.cycle_s

    def _start(self) -> None:
        bench = self._bench
        bench.until(lambda: bench.state.machine is State.IDLE, "IDLE")
        bench.step(Command.START)
        bench.until(lambda: bench.state.machine is State.RUNNING, "RUNNING")
        bench.live()

    def _restart(self) -> None:
        """The controller is started anew, and service has cleared what was latched."""
        self._tallies.restarts += 1
        self._bench.state = CycleState()
        self._bench.pass_s(_RESTART_S, SLOW_S)
        self._start()

    def _wait_until(self, at_s: float) -> None:
        bench = self._bench
        bench.live()
        bench.cycle_s = SLOW_S
        while bench.plant.time_s < at_s:
            bench.step()
            if bench.state.machine in LATCHED:
                found = sorted({one.row for one in bench.seen.assessment.trips})
                self._tallies.false_trips.append(f"{bench.plant.time_s:.0f} s: {found}")
                self._restart()
                bench.cycle_s = SLOW_S

    def _incident(self) -> SoakIncident:
        bench = self._bench
        fault, scene = self._drawn()
        if not self._reach(scene):
            return self._told(fault, (), scene, not_recovered=(f"{scene} was not reached",))
        bench.pass_s(self._draw.uniform(2.0, 7.0))
        other = self._another(fault, scene)
        apart_s = self._draw.uniform(0.0, _APART_S)
        bench.rows.clear()
        before = dict(bench.plant.damage_counts.get(UNIT, {}))
        outside = len(bench.watch.outside)
        company = self._let_happen(fault, other, apart_s)
        false_trips = self._false_trips(company)
        self._stay(company)
        again = self._recover(company, scene)
        after = bench.plant.damage_counts.get(UNIT, {})
        costs = costs_of(*(one.fault for one in company))
        hurt = [k for k, n in after.items() if n > before.get(k, 0) and k not in costs]
        return self._told(
            fault,
            tuple(company),
            scene,
            missed=tuple(one.told for one in company if one.is_missed),
            late=tuple(one.told for one in company if one.is_late),
            damage=tuple(sorted(hurt)),
            outside=tuple(bench.watch.outside[outside:]),
            false_trips=false_trips,
            **again,
        )

    def _told(
        self, fault: Fault, company: tuple[InCompany, ...], scene: SiteScene, **seen: Any
    ) -> SoakIncident:
        names = tuple(one.fault.name for one in company) or (fault.name,)
        return replace(
            SoakIncident(
                day=self._day,
                at_s=self._bench.plant.time_s,
                faults=names,
                scene=scene,
                reached_s=tuple(one.reached_s for one in company),
            ),
            **seen,
        )

    def _drawn(self) -> tuple[Fault, SiteScene]:
        """Draws a fault, and a scene of its own that the battery's charge permits."""
        soc_pct = self._bench.unit.bms.soc_pct
        can = {
            SiteScene.IDLE: _CALM_PCT[0] < soc_pct < _CALM_PCT[1],
            SiteScene.CHARGE: soc_pct < _SOC_PCT[1],
            SiteScene.DISCHARGE: soc_pct > _SOC_PCT[0],
        }
        while True:
            fault = self._draw.choice(DRAWN)
            scenes = [scene for scene in fault.scenes if can[scene]]
            if scenes:
                return fault, self._draw.choice(scenes)

    def _another(self, fault: Fault, scene: SiteScene) -> Fault | None:
        """Draws another one beside ``fault``, now and then."""
        if self._draw.random() >= _TOGETHER or not can_be_joined(fault):
            return None
        with_it = [
            other
            for other in DRAWN
            if other is not fault
            and scene in other.scenes
            and can_be_joined(other)
            and not any(isinstance(one, Operator) for one in other.all_injections)
        ]
        return self._draw.choice(with_it)

    def _reach(self, scene: SiteScene) -> bool:
        bench = self._bench
        if scene is SiteScene.IDLE:
            bench.house(800.0)
            bench.step(Command.STOP)
            bench.pass_s(5.0)
            return bench.state.machine is State.IDLE
        house_w = HOUSE_W[scene]
        bench.house(house_w)
        bench.pass_s(5.0)
        for _ in range(round(_SCENE_S)):
            if abs(bench.plant.battery_power_w + house_w) < _REACHED_W:
                return True
            bench.pass_s(1.0)
        return False

    def _let_happen(self, fault: Fault, other: Fault | None, apart_s: float) -> list[InCompany]:
        """Runs until what is due of all has come, or was too late."""
        bench = self._bench
        due = due_alone(fault) if other is None else due_of(fault, other, apart_s)
        company = [InCompany(bench, fault, due)]
        while True:
            if other is not None and company[0].progress.passed_s >= apart_s:
                company.append(InCompany(bench, other, due_of(other, fault)))
                other = None
            for one in company:
                one.progress.inject()
            bench.step()
            for one in company:
                one.look()
            if other is None and all(one.is_settled for one in company):
                return company

    def _false_trips(self, company: list[InCompany]) -> tuple[str, ...]:
        """What was latched though nothing had to follow."""
        if len(company) > 1 or not company[0].asks_nothing:
            return ()
        if self._bench.state.machine not in LATCHED:
            return ()
        return (f"{company[0].fault.name}: {sorted(self._bench.rows)}",)

    def _stay(self, company: list[InCompany]) -> None:
        """Lets the faults go on for a while."""
        self._bench.pass_s(self._draw.uniform(0.0, _GOES_ON_S))
        if self._draw.random() < _STAYS and not company[0].asks_nothing:
            self._bench.pass_s(self._draw.uniform(0.0, _STAYS_S), SLOW_S)

    def _recover(self, company: list[InCompany], scene: SiteScene) -> dict[str, Any]:
        bench = self._bench
        injections = tuple(i for one in company for i in one.fault.all_injections)
        lasting = [one.fault for one in company if one.fault.recovers_s is None]
        for injection in injections:
            injection.end(bench)
        if bench.state.machine in LATCHED:
            bench.pass_s(self._draw.uniform(0.0, _OPERATOR_S), SLOW_S)
        patience_s = max([_PATIENCE_S, *(one.fault.recovers_s or 0.0 for one in company)])
        ended = replace(company[0].fault, begins=(), later=(), recovers_s=patience_s)
        runs = scene is not SiteScene.IDLE
        recovery = recovered(bench, ended, HOUSE_W.get(scene), runs=runs)
        if recovery.problem:
            self._restart()
        elif not runs:
            bench.step(Command.START)
            bench.until(lambda: bench.state.machine is State.RUNNING, "RUNNING")
        problem = (recovery.problem,) if recovery.problem and not lasting else ()
        return {"not_recovered": problem, "recovered_by": recovery.how}


def run_day(
    seed: int, day: int, faults: int, without: tuple[str, ...] = (), length_s: float = DAY_S
) -> SoakDay:
    """Returns what came of one day: the same for the same seed and number."""
    return Soak(seed, day, without).run(faults, length_s)
