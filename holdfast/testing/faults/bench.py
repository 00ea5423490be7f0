"""A site in simulated time whose devices tell at their own pace, and may be wrong on the way.

The plant, the tables and the cycle are those of every simulated site. Between them stand the
devices' boxes: each is polled at the period of its table and its polls reach the data store as a
driver hands them over; there a fault changes what is told, or what becomes of a write.
"""

import copy
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import yaml

from holdfast.control.cycle import Cycle, CycleRecord, CycleState, Inputs
from holdfast.core.commands import Command, Point, Write
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore, Told
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, SITE, Internal, Signal
from holdfast.core.state_machine import State
from holdfast.core.units import ns_from_s, s_from_ns
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.plant.storage import StoragePlant
from holdfast.site.assembly import build_cycle
from holdfast.site.devices import PhysicalDevice, physical_devices, profile_of
from holdfast.site.site_file import parse_site
from holdfast.testing.faults.command_watch import CommandWatch
from holdfast.testing.faults.layers import LAYERS
from holdfast.testing.faults.scenes import AT_ONCE_S, SiteScene
from holdfast.testing.faults.trace import Trace
from holdfast.testing.sites import example_content

UNIT = "battery"
CYCLE_S = AT_ONCE_S
_INSULATED_KOHM = 5000.0
"""The plant has no earth; the bench's BMS measures against one all the same."""
SLOW_S = 1.0
"""A cycle while nothing happens: as slow as the slowest site may have, and fifty times cheaper."""
START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_SETTLE_S = 60.0

Change = Callable[[float, float], float | None]
"""What is told of a true value so many seconds after the fault began; None: nothing."""


class PolledDevice:
    """One device on its wire."""

    def __init__(self, owners: dict[Role, str], period_ns: int) -> None:
        self.owners = owners
        self.period_ns = period_ns
        self.due_ns = 0
        self.silent = False
        """It tells nothing, and no write reaches it."""
        self.frozen = False
        """It tells its last values with a fresh time."""
        self.ahead_ns = 0
        """Its clock is so far ahead."""
        self.last: list[tuple[Signal, float]] = []
        self.told_ns = 0
        self.loses_every = 0
        """Of so many polls the last gets no answer; 0: none is lost."""
        self.polls = 0


class FaultBench:
    """The site, its time, and what is wrong with it."""

    def __init__(
        self, site: Site, plant: SitePlant, store: DataStore, boxes: list[PolledDevice]
    ) -> None:
        self.site = site
        self.plant = plant
        self.store = store
        self.boxes = boxes
        self.now_ns: int = ns_from_s(1_000_000.0)
        self.state = CycleState()
        self.changes: dict[Signal, tuple[int, Change]] = {}
        """How signals are told wrongly, and since when."""
        self.deaf: set[Point] = set()
        """Writes to these are acknowledged and not done."""
        self.delays_ns: dict[Point, int] = {}
        self.sent: list[tuple[int, Write]] = []
        """Writes on their way."""
        self.house_w = 0.0
        """Load less sun."""
        self.rows: set[str] = set()
        """Everything that was found since the fault began."""
        self.delivers: float | None = None
        """The inverter gives so many times what it was told; None: what it was told."""
        self.adds_w = 0.0
        """It gives so much beside that."""
        self.disobeyed = False
        self.start_s = START.timestamp()
        """The wall clock's time when its own began."""
        self.record: CycleRecord | None = None
        self.cycles = cycles_of(())
        self.cycle_s = CYCLE_S
        """The pace: what lies between two cycles."""
        self.watch = CommandWatch(site.storage[0])
        self.on_step: Callable[[FaultBench], None] | None = None
        """It is told of each cycle."""
        self.trace: Trace | None = None
        """It takes down what happens, where somebody wants to see it."""

    @property
    def unit(self) -> StoragePlant:
        """The one storage unit."""
        return self.plant.units[UNIT]

    @property
    def seen(self) -> CycleRecord:
        """The record of the last cycle."""
        assert self.record is not None
        return self.record

    @property
    def setpoint_w(self) -> float:
        """What Holdfast last commanded."""
        memory = self.state.units.get(UNIT)
        return 0.0 if memory is None else memory.setpoint_w

    def box(self, role: Role) -> PolledDevice:
        """The device in ``role``."""
        return next(box for box in self.boxes if role in box.owners)

    def house(self, power_w: float) -> None:
        """Load less sun from now on."""
        self.house_w, household = power_w, self.plant.household
        household.load_override_w = max(power_w, 0.0) + 500.0
        household.pv_override_w = max(-power_w, 0.0) + 500.0

    def pass_s(self, seconds: float, cycle_s: float = CYCLE_S) -> None:
        """Lets time pass, with a cycle each ``cycle_s``."""
        self.cycle_s = cycle_s
        for _ in range(round(seconds / cycle_s)):
            self.step()
        self.cycle_s = CYCLE_S

    def stand_still(self, seconds: float) -> None:
        """No cycle runs for so long; what was sent arrives, and the world goes on."""
        self._deliver()
        for _ in range(round(seconds / SLOW_S)):
            self.now_ns += ns_from_s(SLOW_S)
            self.plant.step(SLOW_S, self.start_s + self.plant.time_s)

    def live(self) -> None:
        """The house lives its day again, as its seed has it."""
        household = self.plant.household
        household.load_override_w = household.pv_override_w = None

    def step(self, *commands: Command) -> CycleRecord:
        """One cycle later."""
        self.now_ns += ns_from_s(self.cycle_s)
        self._deliver()
        self._disobey()
        self.plant.step(self.cycle_s, self.start_s + self.plant.time_s)
        self._listen()
        self.store.put(Internal.WATCHDOG, SITE, Signal.WATCHDOG_ARMED, 1.0, self.now_ns)
        inputs = Inputs(
            now_ns=self.now_ns,
            image=self.store.image(),
            commands=commands,
            utc_ns=ns_from_s(self.start_s + self.plant.time_s),
        )
        self.state, record = self.cycles[self.cycle_s].step(self.state, inputs)
        self.record = record
        self.rows |= {found.row for found in record.assessment.findings}
        for write in record.writes:
            self.sent.append((self.now_ns + self.delays_ns.get(write.point, 0), write))
        self.watch.look(self.unit, record, self.now_ns, told_true=self._bms_tells_the_truth())
        if self.trace is not None:
            self.trace.take(self.now_ns, self.setpoint_w, self.unit)
        if self.on_step is not None:
            self.on_step(self)
        return record

    def _bms_tells_the_truth(self) -> bool:
        bms = self.box(Role.BMS)
        lies = any(SIGNALS[signal].producer is Role.BMS for signal in self.changes)
        return not (bms.silent or bms.frozen or bms.ahead_ns or lies)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Lets time pass until it is so."""
        for _ in range(round(_SETTLE_S / CYCLE_S)):
            if condition():
                return
            self.step()
        raise AssertionError(f"not within {_SETTLE_S:g} s: {what}; found {sorted(self.rows)}")

    def _deliver(self) -> None:
        due = [write for at_ns, write in self.sent if at_ns < self.now_ns]
        self.sent = [entry for entry in self.sent if entry[0] >= self.now_ns]
        for write in due:
            if write.point not in self.deaf and not self.box(write.role).silent:
                self.plant.apply(write)

    def _disobey(self) -> None:
        inverter = self.unit.inverter
        if self.delivers is None and not self.adds_w:
            if self.disobeyed:
                self.disobeyed, inverter.runaway_w = False, None
            return
        self.disobeyed = True
        times = 1.0 if self.delivers is None else self.delivers
        wrong_w = inverter.setpoint_w * times + self.adds_w
        inverter.runaway_w = wrong_w if inverter.enabled else None

    def _listen(self) -> None:
        truth: dict[Role, list[tuple[Signal, float]]] = {}
        for role, _, signal, value in self.plant.samples():
            truth.setdefault(role, []).append((signal, value))
        truth.setdefault(Role.BMS, []).append((Signal.INSULATION_KOHM, _INSULATED_KOHM))
        for box in self.boxes:
            if box.due_ns <= self.now_ns:
                box.due_ns = self.now_ns + box.period_ns
                self._ask(box, dict(told for role in box.owners for told in truth.get(role, ())))

    def _ask(self, box: PolledDevice, values: dict[Signal, float]) -> None:
        box.polls += 1
        if box.silent or (box.loses_every and box.polls % box.loses_every == 0):
            return
        if not (box.frozen and box.last):
            box.last = self._changed(box, values)
        box.told_ns, stamp_ns = self.now_ns, self.now_ns + box.ahead_ns
        poll = [Told(signal=signal, value=value, time_ns=stamp_ns) for signal, value in box.last]
        self.store.put_poll(box.owners, poll)

    def _changed(
        self, box: PolledDevice, values: dict[Signal, float]
    ) -> list[tuple[Signal, float]]:
        told: dict[Signal, float | None] = dict(values)
        for signal, (since_ns, change) in self.changes.items():
            if SIGNALS[signal].producer in box.owners:
                passed_s = s_from_ns(self.now_ns - since_ns)
                told[signal] = change(values.get(signal, math.nan), passed_s)
        return [(signal, value) for signal, value in told.items() if value is not None]


@cache
def _site() -> Site:
    """A battery on CAN that tells its cells, an inverter, a precharge, a meter, a stop button."""
    folder = Path("/nonexistent")
    content = example_content(folder)
    content["storage"][0]["relays"]["profile"] = "precharge_relays"
    return parse_site(yaml.safe_dump(content), folder=folder)


@cache
def cycles_of(without: tuple[str, ...]) -> Mapping[float, Cycle]:
    """Returns the site's cycle for each pace, without the layers of these names."""
    return {cycle_s: _cycle_at(cycle_s, without) for cycle_s in (CYCLE_S, SLOW_S)}


def _cycle_at(cycle_s: float, without: tuple[str, ...]) -> Cycle:
    site = _site()
    cycle = site.cycle.model_copy(update={"period_ms": round(cycle_s * 1000)})
    paced = build_cycle(site.model_copy(update={"cycle": cycle}))
    for name in without:
        LAYERS[name].take_out(paced)
    return paced


def _box(one: PhysicalDevice) -> PolledDevice:
    profile = profile_of(_site(), one)
    match profile:
        case CanProfile(burst_period_s=period_s) | ModbusProfile(poll_period_s=period_s):
            return PolledDevice(dict(one.owners), ns_from_s(period_s))
    raise AssertionError(profile)


def fresh(*, soc_pct: float = 60.0, seed: int = 1) -> FaultBench:
    """A site that has not run yet."""
    site = _site()
    plant = SitePlant.from_site(site, soc_pct=soc_pct, seed=seed)
    boxes = [_box(one) for one in physical_devices(site)]
    bench = FaultBench(site, plant, DataStore(site.unit_names), boxes)
    bench.house(800.0)
    return bench


HOUSE_W = {SiteScene.CHARGE: -3000.0, SiteScene.DISCHARGE: 3000.0}
"""Load less sun while the site runs: the battery does the opposite."""


@cache
def _settled(scene: SiteScene) -> FaultBench:
    bench = fresh()
    if scene is SiteScene.BOOT:
        return bench
    bench.until(lambda: bench.state.machine is State.IDLE, "IDLE")
    if scene is not SiteScene.IDLE:
        wanted_w = -HOUSE_W[scene]
        bench.house(-wanted_w)
        bench.step(Command.START)
        bench.until(lambda: abs(bench.plant.battery_power_w - wanted_w) < 50.0, "the power")
    for _ in range(round(5.0 / CYCLE_S)):
        bench.step()
    # Just behind a burst of the slowest device: what begins now is seen as late as it can be.
    bms = bench.box(Role.BMS)
    bench.until(lambda: bms.told_ns == bench.now_ns, "a burst")
    bench.rows.clear()
    return bench


def bench_in(scene: SiteScene, without: tuple[str, ...] = ()) -> FaultBench:
    """A healthy site in ``scene``, of its own; from now on some layers may be missing."""
    shared = (_site(), cycles_of(()))
    bench = copy.deepcopy(_settled(scene), {id(one): one for one in shared})
    bench.cycles = cycles_of(without)
    return bench
