"""An accelerated run steps the same cycle and the same plant in simulated time, in one process."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from holdfast.control.cycle import Cycle, CycleRecord, CycleState, Inputs
from holdfast.control.plan_gate import AcceptedPlan, accept_plan
from holdfast.core.commands import Command
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore
from holdfast.core.errors import HoldfastError
from holdfast.core.plan import Plan
from holdfast.core.signals import SITE, Internal, Signal
from holdfast.core.state_machine import State
from holdfast.core.units import ns_from_s
from holdfast.simulation.plant import SitePlant
from holdfast.site.assembly import build_cycle

_START_NS = ns_from_s(1_000_000.0)
"""It is far from zero, as a monotonic clock is."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts what happens in a run."""

    cycles: int = 0
    plans: int = 0
    plans_refused: int = 0
    not_running_cycles: int = 0


class Simulation:
    """Steps plant and cycle together. Holds the simulated time."""

    def __init__(
        self,
        site: Site,
        plant: SitePlant,
        *,
        start: datetime,
        step_s: float = 1.0,
        longest_s: float | None = None,
    ) -> None:
        """``longest_s`` is the longest step that :meth:`step` will be asked for, if not ``step_s``.

        The site is told of it: no watchdog and no revert timer may take such a step for silence.
        """
        self.site = _paced(site, step_s, longest_s)
        self.plant = plant
        self.utc = start.astimezone(UTC)
        self.now_ns = _START_NS
        self.state = CycleState()
        self.tally = Tally()
        self.cycle: Cycle = build_cycle(self.site)
        self._store = DataStore(site.unit_names, site.load_names)
        self._step_s = step_s
        self._plan: AcceptedPlan | None = None
        self.record: CycleRecord | None = None

    def step(self, commands: Sequence[Command] = (), *, step_s: float | None = None) -> CycleRecord:
        """Advances plant and cycle by one step, of ``step_s`` if it is not the usual one.

        The cycle runs at the end of it and is told the time that it is.
        """
        step_s = self._step_s if step_s is None else step_s
        self.utc += timedelta(seconds=step_s)
        self.now_ns += ns_from_s(step_s)
        now_ns, put = self.now_ns, self._store.put
        self.plant.step(step_s, self.utc.timestamp())
        for producer, owner, signal, value in self.plant.samples():
            put(producer, owner, signal, value, now_ns)
        put(Internal.WATCHDOG, SITE, Signal.WATCHDOG_ARMED, 1.0, now_ns)
        inputs = Inputs(
            now_ns=now_ns,
            image=self._store.image(),
            plan=self._plan,
            commands=commands,
            utc_ns=ns_from_s(self.utc.timestamp()),
        )
        self.state, self.record = self.cycle.step(self.state, inputs)
        for write in self.record.writes:
            self.plant.apply(write)
        self.tally.cycles += 1
        self.tally.not_running_cycles += self.state.machine is not State.RUNNING
        return self.record

    def start(self, within_s: float = 60.0) -> None:
        """Brings the site through BOOT and IDLE to RUNNING. Raises HoldfastError if it cannot."""
        for _ in range(round(within_s / self._step_s)):
            commands = (Command.START,) if self.state.machine is State.IDLE else ()
            record = self.step(commands)
            if self.state.machine is State.RUNNING:
                return
        raise HoldfastError(
            f"the simulated site stays in {self.state.machine.name}: "
            + "; ".join(record.moved.waits_for)
        )

    def drop_plan(self) -> None:
        """Follows no plan from now on, as when it has expired."""
        self._plan = None

    def take_plan(self, plan: Plan) -> None:
        """Hands a plan to the gate, as the planner process does. Raises PlanRefused."""
        self.tally.plans += 1
        try:
            self._plan = accept_plan(
                plan,
                now_ns=self.now_ns,
                utc=self.utc,
                site=self.site,
            )
        except HoldfastError:
            self.tally.plans_refused += 1
            raise

    @property
    def soc_pct(self) -> float:
        """Returns the SOC of all units together, in %, as their BMSs tell it."""
        capacity_wh = {unit.name: unit.battery.capacity_wh for unit in self.site.storage}
        stored_wh = sum(
            self.plant.units[name].values()[Signal.SOC_PCT] / 100 * capacity_wh[name]
            for name in capacity_wh
        )
        return 100.0 * stored_wh / sum(capacity_wh.values())


_PERIODS_TOLERATED = 5
"""A gap of so many periods between two cycles is a fault (``watchdog_timeout_ns``)."""


def _paced(site: Site, step_s: float, longest_s: float | None) -> Site:
    """Returns ``site`` with a cycle as slow as the simulation's.

    That is beyond what a real site may have.
    """
    if longest_s is None:
        period_s, storage = step_s, site.storage
    else:
        period_s = max(step_s, longest_s / _PERIODS_TOLERATED)
        # The heartbeat is a third of it, and one that comes a step late is still in time.
        revert = {"revert_timeout_s": 4.0 * longest_s}
        storage = tuple(
            unit.model_copy(
                update={"inverter_hardware": unit.inverter_hardware.model_copy(update=revert)}
            )
            for unit in site.storage
        )
    cycle = site.cycle.model_copy(update={"period_ms": round(period_s * 1000)})
    return site.model_copy(update={"cycle": cycle, "storage": storage})
