"""The shell around the pure cycle: it brings the inputs, carries out the writes, keeps latches.

Everything here runs in one thread, on one event loop, with no CPU-bound work beside it. What a
cycle has to tell waits until its latches are on the disk; its writes and the heartbeat do not.
"""

import asyncio
import gc
import logging
import time
from collections.abc import Collection, Coroutine, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby

from holdfast.control.cycle import Cycle, CycleRecord, CycleState, Inputs
from holdfast.control.plan_gate import AcceptedPlan, accept_plan
from holdfast.control.storage_unit import UnitMemory
from holdfast.core.commands import Command, Point, Write
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore
from holdfast.core.errors import PlanRefused
from holdfast.core.latches import CONTROL_EXCEPTION
from holdfast.core.plan import Plan
from holdfast.core.ports import DeviceDriver
from holdfast.core.reading import Sample
from holdfast.core.signals import SITE, Producer, Signal
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_MS, NS_PER_S, s_from_ns
from holdfast.devices.contactor import RelayMemory
from holdfast.monitoring.histogram import Histogram
from holdfast.monitoring.status import LoopStatus, Outside, build_status, encode_status
from holdfast.runtime.assembly import DeviceKey
from holdfast.runtime.audit_trail import AuditTrail
from holdfast.runtime.device_writer import DeviceWriter
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.latch_file import load_latches
from holdfast.runtime.latch_keeper import LatchKeeper
from holdfast.runtime.realtime import collect_young
from holdfast.runtime.rest import is_at_rest
from holdfast.runtime.shared_memory import Heartbeat, HeartbeatReader, RecordWriter
from holdfast.runtime.wear_file import WearKeeper

_log = logging.getLogger(__name__)

PUBLISH_EVERY_NS = 200 * NS_PER_MS
COLLECT_EVERY_NS = 10 * NS_PER_S
SAFE_WRITES = (
    (Producer.INVERTER, Point.SETPOINT_W),
    (Producer.INVERTER, Point.ENABLE),
    (Producer.BMS, Point.CHARGE_POWER_W),
    (Producer.BMS, Point.DISCHARGE_POWER_W),
    (Producer.LOAD_SWITCH, Point.LOAD_ON),
)
"""What takes a unit to 0 W, and a load off, without any decision."""
LOADS_WAIT_S = 1.0
"""At the end; a switch that does not answer by then goes off by its own timer."""
_NOT_ON_DISK = "; NOT ON DISK: it will not survive a restart"


class ControlLoop:
    """Runs cycles: at every tick, and at once when an emergency stop or a command comes."""

    def __init__(
        self, site: Site, cycle: Cycle, store: DataStore,
        drivers: Mapping[DeviceKey, DeviceDriver], files: SiteFiles, *, real_time: bool = False,
        audit: AuditTrail | None = None, faults: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        """``faults`` are latched from the start."""
        self._site = site
        self._cycle = cycle
        self._store = store
        self._drivers = drivers
        self._writers = {key: DeviceWriter(driver) for key, driver in drivers.items()}
        self._files = files
        self._audit = audit
        self._wear = WearKeeper(files.wear, site.unit_names)
        self.state = CycleState(
            latches=load_latches(files.latches).with_faults(*faults),
            units={
                name: UnitMemory(relays=RelayMemory(wear=wear))
                for name, wear in self._wear.at_start.items()
            },
        )
        self._latches = LatchKeeper(files.latches, self._publish)
        self.shown = State.BOOT
        """State of the newest cycle that was told of."""
        self._latest: tuple[CycleState, CycleRecord, bool] | None = None
        """That cycle, and whether its latches are on disk."""
        self._plan: AcceptedPlan | None = None
        self._plan_refused = ""
        self._loads_released = False
        self._status = RecordWriter(files.status)
        self._heartbeat = Heartbeat(files.heartbeat)
        self._watchdog: HeartbeatReader | None = None
        self._watchdog_beat = (0, 0)
        self._publish_ns = self._collect_ns = 0
        self._cycles = self._missed = 0
        self._cycle_s, self._lateness_s = Histogram(), Histogram()
        self._real_time = real_time
        self._cycles_rated = {
            unit.name: unit.battery.contactor_cycles_rated for unit in site.storage
        }
        self.failed = asyncio.Event()
        """Set when the cycle raised: the site is at 0 W and this process has to end."""
        store.on_change(self._at_change)

    # ------------------------------------------------------------------ what starts a cycle

    def tick(self, deadline_ns: int, missed: int) -> None:
        """A cycle at its deadline."""
        self._lateness_s.add(s_from_ns(time.monotonic_ns() - deadline_ns))
        self._missed += missed
        self.run_cycle()

    def _at_change(self, _owner: str, signal: Signal, _sample: Sample) -> None:
        """The emergency input does not wait for the next tick."""
        if signal is Signal.EMERGENCY_LOOP_CLOSED:
            self.run_cycle()

    async def command(self, command: Command) -> tuple[bool, str]:
        """Run a cycle with ``command`` now; tell what became of it once the latches are on disk."""
        record = self.run_cycle((command,))
        await asyncio.sleep(0)  # the writes first, then the status, then the answer
        note = "" if await self.save_latches() else _NOT_ON_DISK
        if record is None:
            return False, f"the control cycle failed; the site was taken to 0 W{note}"
        reason = record.moved.refused.get(command)
        text = f"{command} done" if reason is None else reason
        return reason is None or command is Command.EMERGENCY_STOP, text + note

    def take_plan(self, plan: Plan) -> None:
        """Accept ``plan``, or raise PlanRefused and stay with what there was."""
        try:
            self._plan = accept_plan(
                plan,
                now_ns=time.monotonic_ns(),
                utc=datetime.now(UTC),
                site=self._site,
            )
        except PlanRefused as error:
            self._plan_refused = str(error)
            _log.warning("plan %s refused: %s", plan.plan_id, error)
            if self._audit is not None:
                self._audit.plan_refused(plan, str(error))
            raise
        self._plan_refused = ""
        if self._audit is not None:
            self._audit.plan_accepted(plan)

    # ------------------------------------------------------------------ the cycle

    def run_cycle(self, commands: Collection[Command] = ()) -> CycleRecord | None:
        """One cycle. None if it failed: then the units were taken to 0 W without it."""
        if self.failed.is_set():
            return None
        self._hear_watchdog()
        now_ns = time.monotonic_ns()
        inputs = Inputs(
            now_ns=now_ns, image=self._store.image(), plan=self._plan, commands=commands
        )
        before = self.state.machine
        try:
            self.state, record = self._cycle.step(self.state, inputs)
        except Exception:  # noqa: BLE001 - whatever it is, the site goes to 0 W
            _log.critical("the control cycle failed", exc_info=True)
            self._fail()
            return None
        self._carry_out(record)
        end_ns = time.monotonic_ns()
        self._heartbeat.beat(end_ns)
        self._cycles += 1
        self._cycle_s.add(s_from_ns(end_ns - now_ns))
        # Behind the writes, whose tasks begin only when this callback has ended.
        later = asyncio.get_running_loop().call_soon
        later(self._after, self.state, record, before, end_ns)
        return record

    def _carry_out(self, record: CycleRecord) -> None:
        for key, group in groupby(record.writes, key=lambda write: (write.unit, write.role)):
            of_load = key[1] is Producer.LOAD_SWITCH
            if of_load and self._loads_released:
                continue
            permit = record.load_permits[key[0]] if of_load else record.permits[key[0]]
            self._writers[key].submit(group, permit.expires_ns)

    def _after(self, state: CycleState, record: CycleRecord, before: State, now_ns: int) -> None:
        """What may wait until the writes are out."""
        self._latches.tell(
            state.latches, now_ns, partial(self._tell, state, record, before, now_ns)
        )
        self._wear.note(state.units, now_ns)
        if now_ns >= self._collect_ns and not gc.isenabled():
            self._collect_ns = now_ns + COLLECT_EVERY_NS
            collect_young()

    def _tell(
        self, state: CycleState, record: CycleRecord, before: State, now_ns: int,
        on_disk: bool,  # noqa: FBT001 - as the keeper calls it
    ) -> None:  # fmt: skip
        """What others may see of a cycle, now that its latches are on disk, or cannot be."""
        self.shown = state.machine
        if self._audit is not None:
            self._audit.observe(state, record, on_disk=on_disk)
        if state.machine is not before:
            _log.info("%s -> %s (%s)", before.name, state.machine.name, _why(record))
        self._latest = (state, record, on_disk)
        if state.machine is not before:
            self._publish_ns = now_ns

    def _hear_watchdog(self) -> None:
        if self._watchdog is None:
            try:
                self._watchdog = HeartbeatReader(self._files.watchdog)
            except OSError:
                return
        beat = self._watchdog.last()
        time_ns, armed = beat
        # A beat from the future is left over from before the computer was started anew; the
        # store would keep it and drop every true one as older.
        if beat != self._watchdog_beat and time_ns <= time.monotonic_ns():
            self._watchdog_beat = beat
            self._store.put(Producer.WATCHDOG, SITE, Signal.WATCHDOG_ARMED, float(armed), time_ns)

    def _fail(self) -> None:
        """The cycle raised: 0 W for every unit, loads off, latch, and let the process end."""
        self.failed.set()
        self.state = replace(self.state, latches=self.state.latches.with_faults(CONTROL_EXCEPTION))
        self._write_zero(self._writers)
        if self._audit is not None:
            failed = partial(self._audit.cycle_failed, self.state.latches)
            self._latches.tell(self.state.latches, time.monotonic_ns(), failed)

    def release_loads(self) -> None:
        """Switch all loads off, and leave them off: nobody will refresh their switches."""
        self._loads_released = True
        self._write_zero([key for key in self._writers if key[1] is Producer.LOAD_SWITCH])

    def _write_zero(self, keys: Iterable[DeviceKey]) -> None:
        if self._site.authority == "observe":
            return
        for owner, role in keys:
            points = self._cycle.points.get(owner, ())
            self._writers[owner, role].submit(
                [
                    Write(unit=owner, role=role, point=point, value=0.0)
                    for safe_role, point in SAFE_WRITES
                    if safe_role is role and point in points
                ],
                expires_ns=0,
            )

    # ------------------------------------------------------------------ what comes out

    async def save_latches(self) -> bool:
        """Bring the latches to disk, as far as it lets us in time; True if they are there.

        A full disk never stops control.
        """
        return await self._latches.save(self.state.latches)

    def _publish(self) -> None:
        """The status of the newest cycle that was told of, when its time has come."""
        if self._latest is None or time.monotonic_ns() < self._publish_ns:
            return
        state, record, on_disk = self._latest
        self._publish_ns = time.monotonic_ns() + PUBLISH_EVERY_NS
        loop = LoopStatus(
            period_s=self._site.cycle.period_ms / 1000,
            cycles=self._cycles,
            missed=self._missed,
            real_time=self._real_time,
            cycle=self._cycle_s.status(),
            lateness=self._lateness_s.status(),
        )
        outside = Outside(
            site=self._site.name,
            currency=self._site.currency,
            authority=self._site.authority,
            utc=datetime.now(UTC),
            plan=self._plan,
            plan_refused=self._plan_refused,
            latches_on_disk=on_disk,
            contactor_cycles_rated=self._cycles_rated,
            comms={driver.name: driver.counters for driver in self._drivers.values()},
            loop=loop,
            audit=None if self._audit is None else self._audit.status(),
        )
        status = build_status(state, record, self._cycle.assessor.limit_monitor, outside)
        self._status.publish(encode_status(status))

    async def flush(self) -> None:
        """Wait until the writes are out, and latches and wear on disk if it lets us.

        Load switches are waited for last, and not for long.
        """
        await asyncio.gather(*(self._flushes(of_loads=False)))
        await self.save_latches()
        await self._wear.save(self.state.units)
        try:
            async with asyncio.timeout(LOADS_WAIT_S):
                await asyncio.gather(*(self._flushes(of_loads=True)))
        except TimeoutError:
            _log.warning("not every load switch has answered; their own timers switch them off")

    def _flushes(self, *, of_loads: bool) -> list[Coroutine[None, None, None]]:
        return [
            writer.flush()
            for (_, role), writer in self._writers.items()
            if (role is Producer.LOAD_SWITCH) is of_loads
        ]

    def at_rest(self) -> bool:
        """True if every unit was seen at rest after it was last written."""
        if self._site.authority == "observe":
            return True
        image, points = self._store.image(), self._cycle.points
        return all(
            is_at_rest(self.state.units.get(name), points[name], image[name])
            for name in self._site.unit_names
        )


def _why(record: CycleRecord) -> str:
    taken = record.moved.taken
    trips = [found.text for found in record.assessment.trips]
    return "; ".join([taken.name.lower() if taken is not None else "", *trips])
