"""A control loop on devices that answer at once, without a wire."""

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast.core.commands import Point, Write
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore
from holdfast.core.errors import DeviceError, DeviceUnreachable
from holdfast.core.latches import Latches
from holdfast.core.ports import CommsCounters
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.devices.profile import load_profile
from holdfast.runtime import latch_keeper
from holdfast.runtime.audit.trail import AuditTrail
from holdfast.runtime.control_loop import ControlLoop
from holdfast.runtime.latch_file import save_latches
from holdfast.runtime.plan_holder import PlanHolder
from holdfast.site.assembly import build_cycle
from holdfast.site.devices import devices
from holdfast.site.files import SiteFiles
from tests.builders import HEALTHY_SITE, HEALTHY_UNIT, UNIT, build_site, put

STORED = {
    Point.SETPOINT_W: Signal.SETPOINT_READBACK_W,
    Point.ENABLE: Signal.INVERTER_ENABLED,
    Point.REVERT_TIMEOUT_S: Signal.REVERT_TIMEOUT_READBACK_S,
    Point.CHARGE_POWER_W: Signal.CHARGE_POWER_READBACK_W,
    Point.DISCHARGE_POWER_W: Signal.DISCHARGE_POWER_READBACK_W,
    Point.CONTACTOR: Signal.CONTACTOR_CLOSED,
    Point.LOAD_ON: Signal.LOAD_ON,
    Point.LOAD_REVERT_S: Signal.LOAD_REVERT_READBACK_S,
    Point.ROOM_SETPOINT_C: Signal.ROOM_SETPOINT_READBACK_C,
}
HEALTHY_LOAD = {
    Signal.LOAD_ON: 0.0,
    Signal.LOAD_REVERT_READBACK_S: 0.0,
    Signal.ROOM_TEMPERATURE_C: 21.0,
    Signal.ROOM_SETPOINT_READBACK_C: 0.0,
}


class FakeDriver:
    """Carries out writes at once, or when ``gate`` is opened, or never."""

    def __init__(self, name: str = "battery/inverter") -> None:
        self.name = name
        self.counters = CommsCounters()
        self.written: list[Write] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = 0
        self.fails_with: type[DeviceError] = DeviceUnreachable

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def write(self, write: Write, is_stale: Callable[[], bool] = lambda: False) -> None:
        await self.gate.wait()
        if self.fails:
            self.fails -= 1
            raise self.fails_with(f"{self.name}: no answer")
        self.written.append(write)

    async def close(self) -> None:
        pass


def site_in(folder: Path, **changes: object) -> Site:
    """A healthy site whose state is in ``folder``; its cycle is so slow that no busy machine makes
    a gap between two."""
    return build_site(state_dir=str(folder), **{"cycle": {"period_ms": 1000}} | changes)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until ``holds``."""
    deadline_s = time.monotonic() + 60.0
    while not holds():
        assert time.monotonic() < deadline_s, "did not come true in time"
        await asyncio.sleep(0)


class LoopBench:
    """The loop, its store and its drivers; every reading is fresh whenever a cycle runs."""

    def __init__(
        self, folder: Path, site: Site | None = None, *, audit: AuditTrail | None = None
    ) -> None:
        self.site = site or site_in(folder)
        self.files = SiteFiles(state_dir=folder)
        self.files.create()
        self.store = DataStore(self.site.unit_names, tuple(self.site.switches))
        self.drivers = {key: FakeDriver(f"{key[0]}/{key[1]}") for key in devices(self.site)}
        self.plans = PlanHolder(self.site, audit)
        self.loop = ControlLoop(
            self.site,
            build_cycle(self.site),
            self.store,
            self.drivers,
            self.plans,
            self.files,
            audit=audit,
        )
        self.values = {(SITE, signal): value for signal, value in HEALTHY_SITE.items()}
        self.values |= {(UNIT, signal): value for signal, value in HEALTHY_UNIT.items()}
        self.values |= {
            (name, signal): HEALTHY_LOAD[signal]
            for name, switch in self.site.switches.items()
            for signal in load_profile(switch.profile).signals
        }

    @property
    def state(self) -> State:
        return self.loop.state.machine

    def sample(self) -> None:
        """All devices are read, after they did what was written."""
        for driver in self.drivers.values():
            for write in driver.written:
                self.values[write.unit, STORED[write.point]] = write.value
        closed = self.values[UNIT, Signal.CONTACTOR_CLOSED] == 1.0
        pack_v = self.values[UNIT, Signal.PACK_VOLTAGE_V]
        self.values[UNIT, Signal.DC_LINK_VOLTAGE_V] = pack_v if closed else 0.0
        now_ns = time.monotonic_ns()
        for (owner, signal), value in self.values.items():
            put(self.store, owner, signal, value, now_ns)

    async def cycle(self, count: int = 1) -> None:
        """Read everything, run a cycle, let the writes go out; ``count`` times."""
        for _ in range(count):
            await self.step()
            await self.loop.save_latches()

    async def step(self) -> None:
        """The same once, whatever the disk does."""
        self.sample()
        self.loop.run_cycle()
        await asyncio.sleep(0)
        await asyncio.gather(*(w.flush() for w in self.loop._writers.values()))

    def show_next(self) -> None:
        """The status of the next cycle that is told of does not wait for its turn."""
        self.loop._publisher._due_ns = 0

    async def cycle_until(self, holds: Callable[[], bool]) -> None:
        """Cycles until ``holds``: moves away from zero wait for each other."""
        deadline_s = time.monotonic() + 60.0
        while not holds():
            assert time.monotonic() < deadline_s, "did not come true in time"
            await self.cycle()

    async def to_idle(self) -> None:
        await self.cycle(4)
        await self.cycle_until(lambda: self.state is State.IDLE)

    def written(self, role: Role, point: Point, owner: str = UNIT) -> list[float]:
        """Values that reached a device, in their order."""
        return [w.value for w in self.drivers[owner, role].written if w.point is point]


class SlowDisk:
    """A disk whose thread stands still in each save, as long as a test wants it to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.turns = threading.Event()
        self.turns.set()
        self.begun: list[Latches] = []
        self.fails = False
        monkeypatch.setattr(latch_keeper, "save_latches", self.save)

    def save(self, path: Path, latches: Latches) -> None:
        self.begun.append(latches)
        assert self.turns.wait(60)
        if self.fails:
            raise OSError(28, "No space left on device")
        save_latches(path, latches)
