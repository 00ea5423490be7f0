"""The watchdog process takes the site to its safe state when no cycle completes any more.

It sees only the heartbeat that the controller writes at the end of a completed cycle, and has
connections of its own to the inverters and relays. It decides nothing else.

It has hands on the inverters of one configuration, whose digest is in each of its beats: a
controller of another one does not believe it. It leaves only a site that it has seen at rest,
whoever asks it to end.

On an island 0 W would drop the loads: there the safe state is a setpoint of 0 W, and the power
stage and the contactor are left as they are. An inverter that the controller has given back to its
own rule for the island keeps that. The battery's own BMS still protects it.
"""

import logging
import sys
import threading
import time
from collections.abc import Collection
from pathlib import Path

from holdfast.control.patience import watchdog_timeout_ns
from holdfast.core.commands import Point
from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.device import Device
from holdfast.core.device_mode import NO_MODE, ON_ISLAND, number_of
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.contactor.memory import OPEN_AT_THE_LATEST_NS
from holdfast.devices.drivers import SyncWires
from holdfast.devices.roles import Rank, devices_in, safe_writes
from holdfast.devices.taking_over import Remembers
from holdfast.runtime.feeders import HardwareFeeder, SystemdFeeder
from holdfast.runtime.process import run_process
from holdfast.runtime.pulse import Pulse
from holdfast.runtime.reach import Reach
from holdfast.runtime.realtime import enter_real_time, freeze_collector
from holdfast.runtime.watchdog_link import Link
from holdfast.site.device_lock import hold_devices
from holdfast.site.digest import site_digest
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import Heartbeat
from holdfast.site.taken_over_file import TakenOverFile

_log = logging.getLogger(__name__)

PRIORITY = 60
"""It ranks above the controller, which may be the one that hangs."""
LOOK_EVERY_S = 0.01
REPEAT_EVERY_S = 1.0
"""While the controller is lost, zero is written again this often."""
OPEN_RETRY_S = 0.05
LOOK_AT_ISLAND_EVERY_S = 0.2
"""It looks several times while what the inverter said last may be believed."""
FEED_EVERY_NS = 1 * NS_PER_S
FIRST_CYCLE_NS = 10 * NS_PER_S
"""Before that no alarm is logged, for a controller that has just been started; 0 W is written."""
_LEADS = frozenset({Point.SETPOINT_W, Point.DEVICE_MODE})
"""By these the inverter is told what to do; what is left alone stays as it is."""
_SERVES = frozenset(number_of(mode) for mode in ON_ISLAND)
ISLAND_MAX_AGE_NS = SIGNALS[Signal.ISLANDED].max_age_ns


class Hand:
    """A hand on one unit proves that it reaches the inverter, and takes it to 0 W when told."""

    def __init__(
        self,
        unit: StorageUnit,
        wires: SyncWires | None = None,
        before: Remembers | None = None,
    ) -> None:
        """Takes what keeps what the inverter held ``before`` the first write."""
        self._unit = unit.name
        links: dict[Device, Link] = {}
        self._links: dict[Role, Link] = {}
        for role, device in devices_in(unit).items():
            if device not in links:
                kept = before if device == unit.inverter else None
                links[device] = Link(f"{unit.name}/{role}", device, unit, wires, kept)
            self._links[role] = links[device]
        self._points = {role: link.points for role, link in self._links.items()}
        self._inverter = self._links[Role.INVERTER]
        self._reach = Reach(self._inverter.timeout_s)
        battery = unit.battery
        # At the lowest voltage that the pack may have, so that it holds at any other.
        self._break_power_w = (
            battery.contactor_break_current_a * battery.cells_in_series * battery.cell_voltage_min_v
        )
        self._islanded_ns: int | None = None
        """Tells when the inverter last said that it carries an island."""
        self._act, self._leave, self._end = (threading.Event() for _ in range(3))
        self.reaches_inverter = False
        self.at_rest = False
        """Tells whether the unit was seen at 0 W since :meth:`leave`; open, if this opens it."""
        self._thread = threading.Thread(target=self._run, name=f"hand-{unit.name}")
        self._thread.start()

    def take_to_zero(self) -> None:
        """Sets 0 W, power stage off, then contactor open; until :meth:`release`. An island: 0 W."""
        self._act.set()

    def release(self) -> None:
        """The controller is back and keeps the unit itself."""
        self._act.clear()

    def leave(self) -> None:
        """Looks from now on whether the unit is at rest."""
        self._leave.set()

    def close(self) -> None:
        """Ends. Writes nothing more."""
        self._end.set()
        self._act.set()
        self._thread.join()

    def _run(self) -> None:
        since_ns: int | None = None
        while not self._end.is_set():
            if not self._act.wait(self._reach.pause_s):
                since_ns = None
                self.reaches_inverter = self._looks_ahead()
            elif not self._end.is_set():
                serves = self._serves_island()
                self._take(Rank.WISH, but=_LEADS if serves else frozenset())
                islanded = serves or self._carries_island()
                opened = False
                if islanded:
                    since_ns = None
                else:
                    since_ns = since_ns or time.monotonic_ns()
                    opened = self._open(since_ns)
                self._see_rest(islanded=islanded, serves=serves, opens=True)
                self._end.wait(self._pause_s(islanded=islanded, opened=opened))
        for link in self._links.values():
            link.close()

    def _looks_ahead(self) -> bool:
        """Looks whether it would reach the inverter, and what has to be known before it counts.

        What has one client at a time is left to the controller while that lives.
        """
        self._let_controller()
        if self._inverter.waits_its_turn and not self._leave.is_set():
            return True
        answers = self._inverter.read(Signal.BATTERY_POWER_W) is not None
        reaches = self._reach.judge(answers, time.monotonic_ns())
        self._see_rest(islanded=self._carries_island(), serves=self._serves_island(), opens=False)
        return reaches

    def _let_controller(self) -> None:
        """Lets go of what talks to one client at a time; a line is free once nobody is on it. Who
        leaves still asks the inverter."""
        for link in self._links.values():
            if link.waits_its_turn and not (self._leave.is_set() and link is self._inverter):
                link.close()

    def _pause_s(self, *, islanded: bool, opened: bool) -> float:
        if islanded:
            return LOOK_AT_ISLAND_EVERY_S
        waits_for_rest = self._leave.is_set() and not self.at_rest
        return REPEAT_EVERY_S if opened and not waits_for_rest else OPEN_RETRY_S

    def _see_rest(self, *, islanded: bool, serves: bool, opens: bool) -> None:
        """Looks, once this is to leave, whether the unit is at 0 W, and open if it was opened; or
        serves an island by itself."""
        if self._leave.is_set():
            self.at_rest = serves or (
                self._holds_zero()
                and (islanded or (self._is_breakable() and (not opens or self._is_open())))
            )

    def _holds_zero(self) -> bool:
        """Says whether the inverter shows that it follows its setpoint, which is 0 W."""
        leads_itself = Signal.DEVICE_MODE in self._inverter.signals
        return self._inverter.read(Signal.SETPOINT_READBACK_W) == 0.0 and (
            not leads_itself or self._inverter.read(Signal.DEVICE_MODE) == NO_MODE
        )

    def _is_breakable(self) -> bool:
        """Says whether so little power flows that the contactor may break it."""
        power_w = self._inverter.read(Signal.BATTERY_POWER_W)
        return power_w is not None and abs(power_w) < self._break_power_w

    def _is_open(self) -> bool:
        relays = self._links.get(Role.RELAYS)
        if relays is None or Signal.CONTACTOR_CLOSED not in relays.signals:
            return True  # there is none of ours
        return relays.read(Signal.CONTACTOR_CLOSED) == 0.0

    def _take(self, *ranks: Rank, but: Collection[Point] = ()) -> bool:
        """Writes the safe values of ``ranks``; True if every one was acknowledged."""
        writes = safe_writes(self._unit, self._points, *ranks)
        acknowledged = [
            self._links[write.role].write(write) for write in writes if write.point not in but
        ]
        return all(acknowledged)

    def _serves_island(self) -> bool:
        """Says whether the inverter shows that it serves an island by a rule of its own.

        Where nothing told of an island before, 0 W does not wait for an answer to that.
        """
        tells = self._inverter.signals >= {Signal.ISLANDED, Signal.DEVICE_MODE}
        asks = self._inverter.waits_its_turn or self._islanded_ns is not None
        return (
            tells
            and asks
            and self._carries_island()
            and self._inverter.read(Signal.DEVICE_MODE) in _SERVES
        )

    def _carries_island(self) -> bool:
        """Says whether the inverter carries an island. A read that fails drops no load before the
        last that did not is too old; with none there is no island."""
        if Signal.ISLANDED not in self._inverter.signals:
            return False
        islanded, now_ns = self._inverter.read(Signal.ISLANDED), time.monotonic_ns()
        if islanded is not None:
            self._islanded_ns = now_ns if islanded == 1.0 else None
        return self._islanded_ns is not None and now_ns - self._islanded_ns <= ISLAND_MAX_AGE_NS

    def _open(self, since_ns: int) -> bool:
        """Turns off the power stage, then opens the contactor; True when that has been told to."""
        self._take(Rank.SUPPLY, Rank.LIMITED_CURRENT)
        if self._is_breakable() or time.monotonic_ns() - since_ns >= OPEN_AT_THE_LATEST_NS:
            return self._take(Rank.ANY_CURRENT)
        return False


class Watchdog:
    """Compares the age of the heartbeat with the time-out, a hundred times a second."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._timeout_ns = watchdog_timeout_ns(site)
        # A site that only observes writes nothing, not even zero.
        observes = site.authority == "observe"
        wires = SyncWires()
        self._hands = (
            []
            if observes
            else [Hand(unit, wires, TakenOverFile.of(site, unit)) for unit in site.storage]
        )
        self._own = Heartbeat(files.watchdog, site_digest(site))
        self._beats = Pulse(files.heartbeat)
        self._begun = self._alarmed = self._leaves = False
        self._patient_until_ns = time.monotonic_ns() + FIRST_CYCLE_NS
        self._systemd = SystemdFeeder()
        self._hardware = HardwareFeeder(site.hardware_watchdog)
        self._feed_ns = 0

    def look(self) -> None:
        """Looks at the heartbeat once."""
        lost = not self._is_fresh()
        self._tell(lost=lost)
        for hand in self._hands:
            if lost:
                hand.take_to_zero()
            else:
                hand.release()
        if not lost:
            self._feed()
        armed = not self._leaves and all(hand.reaches_inverter for hand in self._hands)
        self._own.beat(time.monotonic_ns(), int(armed))

    def _tell(self, *, lost: bool) -> None:
        """Logs a loss and its end. A controller that starts is given time for its first cycle."""
        now_ns = time.monotonic_ns()
        if not lost:
            if not self._begun:
                _log.info("the first cycle has completed")
                self._systemd.tell("READY=1")
            elif self._alarmed:
                _log.warning("cycles complete again")
            self._begun, self._alarmed = True, False
        elif not self._alarmed and (self._begun or now_ns >= self._patient_until_ns):
            _log.critical("no completed cycle for %d ms", self._timeout_ns // NS_PER_MS)
            self._alarmed = True

    def _feed(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns >= self._feed_ns:
            self._feed_ns = now_ns + FEED_EVERY_NS
            self._systemd.tell("WATCHDOG=1")
            self._hardware.feed()

    def leave(self) -> None:
        """Begins to leave: a controller that lives hears that nobody is armed, and goes to 0 W."""
        _log.info("told to end; waits until the site is at rest")
        self._leaves = True
        for hand in self._hands:
            hand.leave()

    @property
    def may_end(self) -> bool:
        """Says whether every unit was seen at rest since :meth:`leave`."""
        return all(hand.at_rest for hand in self._hands)

    def close(self) -> None:
        """Ends, and leaves the site as it is."""
        self._hardware.close()
        for hand in self._hands:
            hand.close()

    def _is_fresh(self) -> bool:
        beat_ns = self._beats.last().time_ns  # before the clock is read: it may beat in between
        return 0 <= time.monotonic_ns() - beat_ns <= self._timeout_ns


def run(site: Site, files: SiteFiles, _: Path, end: threading.Event) -> None:
    """Watches until told to end, and from then on until the site is at rest."""
    with hold_devices(site, "watchdog"):
        _watch(site, files, end)


def _watch(site: Site, files: SiteFiles, end: threading.Event) -> None:
    enter_real_time(PRIORITY)
    watchdog = Watchdog(site, files)
    freeze_collector()
    while not end.wait(LOOK_EVERY_S):
        watchdog.look()
    watchdog.leave()
    while not watchdog.may_end:
        watchdog.look()
        time.sleep(LOOK_EVERY_S)
    watchdog.close()


def main() -> int:
    """Runs the process; returns its exit code."""
    return run_process("watchdog", "Takes the site to 0 W when the controller is lost.", run)


if __name__ == "__main__":
    sys.exit(main())
