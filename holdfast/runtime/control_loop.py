"""The shell around the pure cycle brings the inputs, carries out the writes, keeps latches.

Everything here runs in one thread, on one event loop, with no CPU-bound work beside it. What a
cycle has to tell waits until its latches are on the disk; its writes and the heartbeat do not.
"""

import asyncio
import gc
import logging
import time
from collections.abc import Collection, Coroutine, Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import groupby

from holdfast.control.cycle import Cycle, CycleRecord, CycleState, Inputs
from holdfast.control.storage.unit import UnitMemory
from holdfast.core.commands import Command
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore
from holdfast.core.latches import CONTROL_EXCEPTION
from holdfast.core.ports import DeviceDriver
from holdfast.core.reading import Sample
from holdfast.core.role import DeviceKey
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.devices.contactor.memory import RelayMemory
from holdfast.devices.roles import ROLES, Per, Rank, safe_writes
from holdfast.runtime.audit.trail import AuditTrail
from holdfast.runtime.device_writer import DeviceWriter
from holdfast.runtime.incident_folder import IncidentFolder
from holdfast.runtime.incident_recorder import IncidentRecorder
from holdfast.runtime.latch_file import load_latches
from holdfast.runtime.latch_keeper import LatchKeeper
from holdfast.runtime.loop_times import LoopTimes
from holdfast.runtime.plan_holder import PlanHolder
from holdfast.runtime.realtime import collect_young
from holdfast.runtime.resume import Resume
from holdfast.runtime.standstill import is_at_rest
from holdfast.runtime.status_publisher import StatusPublisher
from holdfast.runtime.watchdog_listener import WatchdogListener
from holdfast.runtime.wear_file import WearKeeper
from holdfast.site.digest import site_digest
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import Heartbeat

_log = logging.getLogger(__name__)

COLLECT_EVERY_NS = NS_PER_S // 2
"""The cycles that are kept for recordings are looked at once, and each time not many."""
LOADS_WAIT_S = 1.0
"""Load switches are waited for so long at the end; one that is late goes off by its own timer."""
_NOT_ON_DISK = "; NOT ON DISK: it will not survive a restart"


class ControlLoop:
    """Runs cycles: at every tick, and at once when an emergency stop or a command comes."""

    def __init__(
        self,
        site: Site,
        cycle: Cycle,
        store: DataStore,
        drivers: Mapping[DeviceKey, DeviceDriver],
        plans: PlanHolder,
        files: SiteFiles,
        *,
        real_time: bool = False,
        audit: AuditTrail | None = None,
        faults: tuple[str, ...] = (),
    ) -> None:
        """``faults`` are latched from the start."""
        self._site = site
        self._cycle = cycle
        self._store = store
        writers = {driver: DeviceWriter(driver) for driver in drivers.values()}
        self._writers = {key: writers[driver] for key, driver in drivers.items()}
        self._plans = plans
        self._audit = audit
        self.resume = Resume(files.running, automatic=site.resume == "automatic")
        self._ready = False
        """Says whether nothing kept the site from starting in the newest cycle."""
        self._wear = WearKeeper(files.wear, site.unit_names)
        self.state = CycleState(
            latches=load_latches(files.latches, files.traces).with_faults(*faults),
            units={
                name: UnitMemory(relays=RelayMemory(wear=wear))
                for name, wear in self._wear.at_start.items()
            },
        )
        self._times = LoopTimes(site.cycle.period_ms / 1000, real_time=real_time)
        self._publisher = StatusPublisher(
            files.status,
            site,
            cycle.assessor.limit_monitor,
            tuple(writers),
            plans,
            self._times,
            audit,
            self.resume,
        )
        self._latches = LatchKeeper(files.latches, self._publisher.publish)
        self._incidents = IncidentRecorder(site, IncidentFolder(files.incidents), audit)
        self.shown = State.BOOT
        """Holds the state of the newest cycle that was told of."""
        self._loads_released = False
        digest = site_digest(site)
        self._heartbeat = Heartbeat(files.heartbeat, digest)
        self._watchdog = WatchdogListener(files.watchdog, store, digest)
        self._collect_ns = 0
        self.failed = asyncio.Event()
        """It is set when the cycle raised: the site is at 0 W and this process has to end."""
        store.on_change(self._at_change)

    # ------------------------------------------------------------------ what starts a cycle

    def tick(self, deadline_ns: int, missed: int) -> None:
        """Runs a cycle at its deadline."""
        self._times.woke(deadline_ns, missed)
        starts = self.resume.wants_start(self.state.machine, ready=self._ready)
        self.run_cycle((Command.START,) if starts else ())

    def _at_change(self, _owner: str, signal: Signal, _sample: Sample) -> None:
        """The emergency input does not wait for the next tick."""
        if signal is Signal.EMERGENCY_LOOP_CLOSED:
            self.run_cycle()

    async def command(self, command: Command) -> tuple[bool, str]:
        """Runs a cycle with ``command`` now; tells what became of it once latches are on disk."""
        record = self.run_cycle((command,))
        await asyncio.sleep(0)  # the writes first, then the status, then the answer
        note = "" if await self.save_latches() else _NOT_ON_DISK
        if record is None:
            return False, f"the control cycle failed; the site was taken to 0 W{note}"
        reason = record.moved.refused.get(command)
        text = f"{command} done" if reason is None else reason
        return reason is None or command is Command.EMERGENCY_STOP, text + note

    # ------------------------------------------------------------------ the cycle

    def run_cycle(self, commands: Collection[Command] = ()) -> CycleRecord | None:
        """Runs one cycle. None if it failed: then the units were taken to 0 W without it."""
        if self.failed.is_set():
            return None
        self._watchdog.listen()
        now_ns = time.monotonic_ns()
        inputs = Inputs(
            now_ns=now_ns,
            image=self._store.image(),
            plan=self._plans.accepted,
            commands=commands,
            utc_ns=time.time_ns(),
        )
        before, later = self.state, asyncio.get_running_loop().call_soon
        try:
            self.state, record = self._cycle.step(before, inputs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the site goes to 0 W
            _log.critical("the control cycle failed", exc_info=True)
            self._fail()
            later(self._incidents.raised, before, inputs, error)
            return None
        self._carry_out(record)
        self._ready = not record.moved.waits_for
        end_ns = time.monotonic_ns()
        self._heartbeat.beat(end_ns)
        self._times.ran(end_ns - now_ns)
        # Behind the writes, whose tasks begin only when this callback has ended.
        later(self._after, self.state, record, before, end_ns)
        return record

    def _carry_out(self, record: CycleRecord) -> None:
        for key, group in groupby(record.writes, key=lambda write: (write.unit, write.role)):
            of_load = _is_of_load(key)
            if of_load and self._loads_released:
                continue
            permit = record.load_permits[key[0]] if of_load else record.permits[key[0]]
            self._writers[key].submit(group, permit.expires_ns)

    def _after(
        self, state: CycleState, record: CycleRecord, before: CycleState, now_ns: int
    ) -> None:
        """Does what may wait until the writes are out."""
        tell = partial(self._tell, state, record, before.machine)
        self._latches.tell(state.latches, now_ns, tell)
        self._wear.note(state.units, now_ns)
        self.resume.follow(state.machine, record.inputs.commands, now_ns)
        if now_ns >= self._collect_ns and not gc.isenabled():
            self._collect_ns = now_ns + COLLECT_EVERY_NS
            collect_young()
        self._incidents.ran(before, record)

    def _tell(
        self,
        state: CycleState,
        record: CycleRecord,
        before: State,
        on_disk: bool,  # noqa: FBT001 - as the keeper calls it
    ) -> None:
        """Shows what others may see of a cycle, now that its latches are on disk, or cannot be."""
        self.shown = state.machine
        if self._audit is not None:
            self._audit.observe(state, record, on_disk=on_disk)
        changed = state.machine is not before
        if changed:
            _log.info("%s -> %s (%s)", before.name, state.machine.name, _why(record))
        self._publisher.tell(state, record, on_disk=on_disk, urgent=changed)

    def _fail(self) -> None:
        """Writes 0 W and loads off, and latches: the cycle raised; the process has to end."""
        self.failed.set()
        self.state = replace(self.state, latches=self.state.latches.with_faults(CONTROL_EXCEPTION))
        self._write_zero(self._writers)
        if self._audit is not None:
            failed = partial(self._audit.cycle_failed, self.state.latches)
            self._latches.tell(self.state.latches, time.monotonic_ns(), failed)

    def release_loads(self) -> None:
        """Switches all loads off, and leaves them off: nobody will refresh their switches."""
        self._loads_released = True
        self._write_zero([key for key in self._writers if _is_of_load(key)])

    def _write_zero(self, keys: Iterable[DeviceKey]) -> None:
        if self._site.authority == "observe":
            return
        for owner, role in keys:
            points = {role: self._cycle.points.get(owner, ())}
            # A contactor is left to the watchdog, which waits until it may break the current.
            zero = safe_writes(owner, points, Rank.WISH, Rank.SUPPLY)
            self._writers[owner, role].submit(zero, expires_ns=0)

    # ------------------------------------------------------------------ what comes out

    async def save_latches(self) -> bool:
        """Brings the latches to disk, as far as it lets us in time; True if they are there.

        A full disk never stops control.
        """
        return await self._latches.save(self.state.latches)

    async def flush(self) -> None:
        """Waits until the writes are out, and latches and wear on disk if it lets us.

        Load switches are waited for last of all devices, and not for long; no device waits for what
        is recorded.
        """
        await asyncio.gather(*(self._flushes(of_loads=False)))
        await self.save_latches()
        await self._wear.save(self.state.units)
        await self.resume.flush()
        try:
            async with asyncio.timeout(LOADS_WAIT_S):
                await asyncio.gather(*(self._flushes(of_loads=True)))
        except TimeoutError:
            _log.warning("not every load switch has answered; their own timers switch them off")
        await self._incidents.close()

    def _flushes(self, *, of_loads: bool) -> list[Coroutine[None, None, None]]:
        return [
            writer.flush() for key, writer in self._writers.items() if _is_of_load(key) is of_loads
        ]

    def at_rest(self) -> bool:
        """Says whether every unit was seen at rest after it was last written."""
        if self._site.authority == "observe":
            return True
        image, points = self._store.image(), self._cycle.points
        return all(
            is_at_rest(self.state.units.get(name), points[name], image[name])
            for name in self._site.unit_names
        )


def _is_of_load(key: DeviceKey) -> bool:
    _, role = key
    return ROLES[role].per is Per.LOAD


def _why(record: CycleRecord) -> str:
    taken = record.moved.taken
    trips = [found.text for found in record.assessment.trips]
    return "; ".join([taken.name.lower() if taken is not None else "", *trips])
