"""What one control cycle costs, stage by stage.

The pure cycle of the demonstration's site in RUNNING, in simulated time, with images as the
real devices make them: each device brings its samples at its own poll period, the plant
answers the setpoints, the load changes all the time. The whole cycle is measured without the
clocks between the stages. A second site has as many storage units as make 100 signals.

CPU time is counted, not wall time: the controller runs with SCHED_FIFO and is not preempted by
what else happens on the machine, and this process is. ``benchmarks.loop`` tells the wall time
of the cycle inside a running controller, which sleeps between cycles and finds cold caches.
"""

import argparse
import gc
import math
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from benchmarks.report import (
    Budget,
    CannotRun,
    Report,
    at_least_one,
    at_most,
    new_parser,
    run,
    summarise,
)
from holdfast.control import cycle as cycle_module
from holdfast.control.cycle import Cycle, CycleState, Inputs
from holdfast.control.plan_gate import AcceptedPlan, accept_plan
from holdfast.core.commands import Command
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore
from holdfast.core.data_store import freeze as freeze_image
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Internal, Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_MS, ns_from_s
from holdfast.simulation.demo_site import demo_content
from holdfast.simulation.plant import SitePlant
from holdfast.site.devices import expected_signals, writable_points
from holdfast.site.site_file import parse_site

MEDIAN_US = 300.0
P99_9_US = 1000.0
MANY_SIGNALS = 100
STAGES = ("freeze", "assess", "state", "request", "authorise", "ramp", "apply")
_POLL_MS = {
    Role.BMS: 1000,
    Role.INVERTER: 100,
    Role.RELAYS: 100,
    Role.METER: 200,
    Role.PV_METER: 200,
    Role.EMERGENCY_INPUT: 100,
    Internal.WATCHDOG: 20,
}
_START = datetime(2026, 6, 1, 6, tzinfo=UTC)
_SETTLE_CYCLES = 500
_COLLECT_EVERY = 500
_PLAIN_TRIES = 100
_LOAD_W, _LOAD_SWING_W, _LOAD_SWING_S = 1500.0, 1400.0, 7.0

Times = dict[str, list[float]]


class StagedCycle(Cycle):
    """The cycle with a clock around each stage."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, expected_signals(site), writable_points(site))
        self.spent_us: Times = {stage: [] for stage in STAGES}
        for stage, holder, name in (
            ("assess", self.assessor, "assess"),
            ("state", self._guard, "step"),
            ("request", self._modes, "step"),
            ("authorise", self._gate, "authorise"),
            ("ramp", self, "_ramp"),
            ("apply", self, "_apply"),
        ):
            setattr(holder, name, self.timed(stage, getattr(holder, name)))

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """``work``, whose time counts for ``stage``."""
        spent_us = self.spent_us[stage]

        def timed(*arguments: Any, **keywords: Any) -> Any:
            began_ns = time.thread_time_ns()
            result = work(*arguments, **keywords)
            spent_us.append((time.thread_time_ns() - began_ns) / 1e3)
            return result

        return timed


class Bench:
    """Steps plant and cycle together, at the cycle's period."""

    def __init__(self, site: Site, cycle: Cycle) -> None:
        self._site = site
        self._cycle = cycle
        self._plant = SitePlant.from_site(site)
        self._store = DataStore(site.unit_names, tuple(site.switches))
        self._state = CycleState()
        self._period_ms = site.cycle.period_ms
        self._now_ns = ns_from_s(1e6)
        self._count = 0
        self._plan = _accepted_plan(site, self._now_ns)

    @property
    def signals(self) -> dict[str, int]:
        """Number of signals in the image, by owner."""
        return {owner: len(samples) for owner, samples in self._store.image().items()}

    def start(self) -> None:
        """Bring the site to RUNNING. Raises CannotRun if it does not get there."""
        for _ in range(_SETTLE_CYCLES):
            idle = self._state.machine is State.IDLE
            self.step((Command.START,) if idle else ())
        if self._state.machine is not State.RUNNING:
            raise CannotRun(f"the site stays in {self._state.machine.name}")

    def step(self, commands: Sequence[Command] = ()) -> float:
        """One cycle; the time that it took, in µs."""
        self._plan_and_devices()
        began_ns = time.thread_time_ns()
        inputs = Inputs(
            now_ns=self._now_ns, image=self._store.image(), plan=self._plan, commands=commands
        )
        self._state, record = self._cycle.step(self._state, inputs)
        took_us = (time.thread_time_ns() - began_ns) / 1e3
        for write in record.writes:
            self._plant.apply(write)
        return took_us

    def measure(self, cycles: int) -> list[float]:
        """Times of ``cycles`` cycles, in µs; the collector runs between them as it does live."""
        times_us = []
        for index in range(cycles):
            times_us.append(self.step())
            if index % _COLLECT_EVERY == 0:
                gc.collect(1)
        if self._state.machine is not State.RUNNING:
            raise CannotRun(f"the site went from RUNNING to {self._state.machine.name}")
        return times_us

    def _plan_and_devices(self) -> None:
        self._count += 1
        self._now_ns += self._period_ms * NS_PER_MS
        if self._plan.expires_ns - self._now_ns < ns_from_s(60.0):
            self._plan = _accepted_plan(self._site, self._now_ns)
        elapsed_ms = self._count * self._period_ms
        phase = 2 * math.pi * elapsed_ms / 1e3 / _LOAD_SWING_S
        self._plant.household.load_override_w = _LOAD_W + _LOAD_SWING_W * math.sin(phase)
        self._plant.step(self._period_ms / 1e3, _START + timedelta(milliseconds=elapsed_ms))
        put = self._store.put
        for producer, owner, signal, value in self._plant.samples():
            if elapsed_ms % _POLL_MS[producer] < self._period_ms:
                put(producer, owner, signal, value, self._now_ns)
        put(Internal.WATCHDOG, SITE, Signal.WATCHDOG_ARMED, 1.0, self._now_ns)


def _accepted_plan(site: Site, now_ns: int) -> AcceptedPlan:
    """Two days of self-consumption by quarter hours: the setpoint follows the load."""
    slots = tuple(
        PlanSlot(
            start=_START + index * timedelta(minutes=15),
            end=_START + (index + 1) * timedelta(minutes=15),
            mode=SlotMode.SELF_CONSUMPTION,
            battery_power_w=0.0,
            grid_power_w=0.0,
            soc_end_pct=50.0,
            import_price_per_kwh=0.3,
            reason="the battery serves the load",
        )
        for index in range(192)
    )
    plan = Plan(
        plan_id="benchmark",
        created=_START,
        expires=_START + timedelta(minutes=30),
        status=PlanStatus.OPTIMAL,
        expected_cost=0.0,
        slots=slots,
    )
    return accept_plan(
        plan,
        now_ns=now_ns,
        utc=_START,
        site=site,
    )


def site_with(units: int) -> Site:
    """The demonstration's site with ``units`` storage units."""
    content = demo_content(Path("/nowhere"))
    storage = content["storage"]
    assert isinstance(storage, list)
    content["storage"] = [storage[0] | {"name": f"battery_{index}"} for index in range(units)]
    return parse_site(yaml.safe_dump(content))


def _measure_site(units: int, cycles: int) -> tuple[dict[str, int], dict[str, Any]]:
    """Number of signals by owner, and the times."""
    site = site_with(units)
    plain = Bench(site, Cycle(site, expected_signals(site), writable_points(site)))
    plain.start()
    whole_us = plain.measure(cycles)
    staged = StagedCycle(site)
    freeze = staged.timed("freeze", freeze_image)
    with mock.patch.object(cycle_module, "freeze", freeze):
        bench = Bench(site, staged)
        bench.start()
        bench.measure(cycles)
    stages = {stage: summarise(staged.spent_us[stage][-cycles:]) for stage in STAGES}
    return plain.signals, {"whole": summarise(whole_us), **stages}


def _plain_loop_us() -> float:
    """Median time of ten thousand steps of plain Python, in µs: how fast this computer is."""
    times_us = []
    for _ in range(_PLAIN_TRIES):
        began_ns = time.thread_time_ns()
        value = 0
        for step in range(10_000):
            value = (value * 31 + step) % 65521
        times_us.append((time.thread_time_ns() - began_ns) / 1e3)
    return summarise(times_us)["p50"]


def measure(options: argparse.Namespace) -> Report:
    """One storage unit, then many."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        few, one_unit = _measure_site(1, options.cycles)
        units = math.ceil((MANY_SIGNALS - few[SITE]) / (sum(few.values()) - few[SITE]))
        many, many_units = _measure_site(units, options.cycles)
        plain_us = _plain_loop_us()
    finally:
        gc.enable()
    names = (
        f"1 unit, {sum(few.values())} signals",
        f"{units} units, {sum(many.values())} signals",
    )
    whole = (one_unit["whole"], many_units["whole"])
    return Report(
        settings={"cycles": options.cycles},
        results=dict(zip(names, (one_unit, many_units), strict=True)),
        unit="µs",
        budgets=[
            budget
            for name, times in zip(names, whole, strict=True)
            for budget in _budgets(name, times)
        ],
        notes=[
            f"the budget is for one storage unit: {units} units are more work than it speaks of",
            (
                f"ten thousand steps of plain Python take {plain_us:.0f} µs on this computer; the "
                f"median cycle of one unit is {one_unit['whole']['p50'] / plain_us:.2f} of that"
            ),
        ],
    )


def _budgets(name: str, whole: dict[str, float]) -> list[Budget]:
    return [
        at_most(f"cycle, {name}, median", "µs", MEDIAN_US, whole["p50"]),
        at_most(f"cycle, {name}, p99.9", "µs", P99_9_US, whole["p99_9"]),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("cycle", "Time of the pure control cycle, stage by stage.")
    parser.add_argument("--cycles", type=at_least_one, default=20_000, help="cycles for each site")
    options = parser.parse_args(arguments)
    return run("cycle", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
