"""The watchdog process: takes the site to its safe state when no cycle completes any more.

It sees only the heartbeat that the controller writes at the end of a completed cycle, and has
connections of its own to the inverters and relays. It decides nothing else.

On an island 0 W would drop the loads: there the safe state is a setpoint of 0 W, and the power
stage and the contactor are left as they are. The battery's own BMS still protects it.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable

from holdfast.control.cycle import watchdog_timeout_ns
from holdfast.core.commands import Point
from holdfast.core.config import Site, StorageUnit
from holdfast.core.device_config import Device, ModbusTcp
from holdfast.core.errors import DeviceError
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.contactor import OPEN_AT_THE_LATEST_NS
from holdfast.devices.drivers import SyncModbusWriter
from holdfast.devices.profile import ModbusProfile, load_profile
from holdfast.runtime.feeders import HardwareFeeder, SystemdFeeder
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.process import run_process
from holdfast.runtime.realtime import enter_real_time, freeze_collector
from holdfast.runtime.shared_memory import Heartbeat, HeartbeatReader

_log = logging.getLogger(__name__)

PRIORITY = 60
"""Above the controller, which may be the one that hangs."""
LOOK_EVERY_S = 0.01
REACH_EVERY_S = 0.25
REPEAT_EVERY_S = 1.0
"""While the controller is lost, zero is written again this often."""
OPEN_RETRY_S = 0.05
LOOK_AT_ISLAND_EVERY_S = 0.2
"""Several times while what it said last may be believed."""
FEED_EVERY_NS = 1 * NS_PER_S
TIMEOUT_S = 0.2
_WISHES = (Point.SETPOINT_W, Point.CHARGE_POWER_W)
"""Zero in any case."""
_POWERS = (Point.ENABLE, Point.DISCHARGE_POWER_W)
"""What an island lives on."""
ISLAND_MAX_AGE_NS = SIGNALS[Signal.ISLANDED].max_age_ns


class Link:
    """One device, on a connection of the watchdog's own. Never raises: it tells what worked."""

    def __init__(self, name: str, device: Device) -> None:
        profile = load_profile(device.profile)
        self._name = name
        self._writer: SyncModbusWriter | None = None
        self.points: frozenset[Point] = frozenset()
        self.signals: frozenset[Signal] = frozenset()
        if isinstance(profile, ModbusProfile) and isinstance(device.connection, ModbusTcp):
            connection = device.connection.model_copy(update={"timeout_s": TIMEOUT_S})
            self._writer = SyncModbusWriter(profile, connection)
            self.points = frozenset(profile.points)
            self.signals = profile.signals
        self._failing = False

    def zero(self, point: Point) -> bool:
        """Write 0; True if the device acknowledged it."""
        return self._try(lambda writer: writer.write(point, 0.0)) is not _FAILED

    def read(self, signal_: Signal) -> float | None:
        """Present value, or None."""
        value = self._try(lambda writer: writer.read(signal_))
        return value if isinstance(value, float) else None

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()

    def _try(self, action: Callable[[SyncModbusWriter], float | None]) -> object:
        if self._writer is None:
            return _FAILED
        try:
            if not self._writer.connected:
                self._writer.connect()
            result = action(self._writer)
        except DeviceError as error:
            if not self._failing:
                _log.error("%s: %s", self._name, error)
            self._failing = True
            return _FAILED
        self._failing = False
        return result


_FAILED = object()


class Hand:
    """A hand on one unit: proves that it reaches the inverter, and takes it to 0 W when told."""

    def __init__(self, unit: StorageUnit) -> None:
        self._inverter = Link(f"{unit.name}/inverter", unit.inverter)
        self._bms = Link(f"{unit.name}/bms", unit.bms)
        self._relays = Link(f"{unit.name}/relays", unit.relays)
        battery = unit.battery
        # At the lowest voltage that the pack may have, so that it holds at any other.
        self._break_power_w = (
            battery.contactor_break_current_a * battery.cells_in_series * battery.cell_voltage_min_v
        )
        self._islanded_ns: int | None = None
        """When the inverter last said that it carries an island."""
        self._act, self._end = threading.Event(), threading.Event()
        self.reaches_inverter = False
        self._thread = threading.Thread(target=self._run, name=f"hand-{unit.name}")
        self._thread.start()

    def take_to_zero(self) -> None:
        """0 W, power stage off, then contactor open; until :meth:`release`. An island: 0 W."""
        self._act.set()

    def release(self) -> None:
        """The controller is back and keeps the unit itself."""
        self._act.clear()

    def close(self) -> None:
        """End. Writes nothing more."""
        self._end.set()
        self._act.set()
        self._thread.join()

    def _run(self) -> None:
        since_ns: int | None = None
        while not self._end.is_set():
            if not self._act.wait(REACH_EVERY_S):
                since_ns = None
                self.reaches_inverter = self._inverter.read(Signal.SETPOINT_READBACK_W) is not None
                self._carries_island()  # so that it is known before it counts
            elif not self._end.is_set():
                self._zero(_WISHES)
                if self._carries_island():
                    since_ns = None
                    self._end.wait(LOOK_AT_ISLAND_EVERY_S)
                    continue
                since_ns = since_ns or time.monotonic_ns()
                opened = self._open(since_ns)
                self._end.wait(REPEAT_EVERY_S if opened else OPEN_RETRY_S)
        for link in (self._inverter, self._bms, self._relays):
            link.close()

    def _zero(self, points: tuple[Point, ...]) -> None:
        for link in (self._inverter, self._bms):
            for point in points:
                if point in link.points:
                    link.zero(point)

    def _carries_island(self) -> bool:
        """True while the inverter says so. A read that fails drops no load before the last that
        did not is too old; with none there is no island."""
        if Signal.ISLANDED not in self._inverter.signals:
            return False
        islanded, now_ns = self._inverter.read(Signal.ISLANDED), time.monotonic_ns()
        if islanded is not None:
            self._islanded_ns = now_ns if islanded == 1.0 else None
        return self._islanded_ns is not None and now_ns - self._islanded_ns <= ISLAND_MAX_AGE_NS

    def _open(self, since_ns: int) -> bool:
        """Power stage off and contactor open; True when the contactor has been told to."""
        self._zero(_POWERS)
        if Point.PRECHARGE in self._relays.points:
            # Its resistor limits the current: this relay may open at any time.
            self._relays.zero(Point.PRECHARGE)
        power_w = self._inverter.read(Signal.BATTERY_POWER_W)
        breakable = power_w is not None and abs(power_w) < self._break_power_w
        if breakable or time.monotonic_ns() - since_ns >= OPEN_AT_THE_LATEST_NS:
            return self._relays.zero(Point.CONTACTOR)
        return False


class Watchdog:
    """Compares the age of the heartbeat with the time-out, a hundred times a second."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._files = files
        self._timeout_ns = watchdog_timeout_ns(site)
        # A site that only observes writes nothing, not even zero.
        observes = site.authority == "observe"
        self._hands = [] if observes else [Hand(unit) for unit in site.storage]
        self._own = Heartbeat(files.watchdog)
        self._beats: HeartbeatReader | None = None
        self._lost = False
        self._systemd = SystemdFeeder()
        self._hardware = HardwareFeeder(site.hardware_watchdog)
        self._feed_ns = 0
        self._systemd.tell("READY=1")

    def look(self) -> None:
        """One look at the heartbeat."""
        lost = not self._is_fresh()
        if lost and not self._lost:
            _log.critical("no completed cycle for %d ms", self._timeout_ns // NS_PER_MS)
        if self._lost and not lost:
            _log.warning("cycles complete again")
        self._lost = lost
        for hand in self._hands:
            if lost:
                hand.take_to_zero()
            else:
                hand.release()
        if not lost:
            self._feed()
        armed = all(hand.reaches_inverter for hand in self._hands)
        self._own.beat(time.monotonic_ns(), int(armed))

    def _feed(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns >= self._feed_ns:
            self._feed_ns = now_ns + FEED_EVERY_NS
            self._systemd.tell("WATCHDOG=1")
            self._hardware.feed()

    def close(self) -> None:
        """End, and leave the site as it is."""
        self._systemd.tell("STOPPING=1")
        self._hardware.close()
        for hand in self._hands:
            hand.close()

    def _is_fresh(self) -> bool:
        if self._beats is None:
            try:
                self._beats = HeartbeatReader(self._files.heartbeat)
            except OSError:
                return False
        beat_ns, _ = self._beats.last()
        return 0 <= time.monotonic_ns() - beat_ns <= self._timeout_ns


def run(site: Site, files: SiteFiles, end: threading.Event) -> None:
    """Watch until told to end."""
    enter_real_time(PRIORITY)
    watchdog = Watchdog(site, files)
    freeze_collector()
    while not end.wait(LOOK_EVERY_S):
        watchdog.look()
    watchdog.close()


def main() -> int:
    """Entry point of the process."""
    return run_process("watchdog", "Takes the site to 0 W when the controller is lost.", run)


if __name__ == "__main__":
    sys.exit(main())
