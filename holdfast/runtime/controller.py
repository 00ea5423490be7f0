"""The controller process does device I/O and runs the cycle, nothing else."""

import asyncio
import logging
import signal
import sys

from holdfast.core.commands import Command
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore
from holdfast.core.errors import HoldfastError
from holdfast.core.latches import CRASH_LOOP
from holdfast.core.ports import DeviceDriver
from holdfast.core.role import DeviceKey
from holdfast.core.units import NS_PER_MS
from holdfast.devices.drivers import Wires, open_driver
from holdfast.runtime.audit.trail import open_trail
from holdfast.runtime.comms_log import CommsLog
from holdfast.runtime.control_loop import ControlLoop
from holdfast.runtime.control_socket import serve
from holdfast.runtime.crash_loop import StartRecord
from holdfast.runtime.latch_file import make_first
from holdfast.runtime.plan_holder import PlanHolder
from holdfast.runtime.process import open_site
from holdfast.runtime.realtime import PeriodicTimer, enter_real_time, freeze_collector
from holdfast.site.assembly import build_cycle
from holdfast.site.device_lock import hold_devices
from holdfast.site.devices import physical_devices, profile_of
from holdfast.site.files import SiteFiles
from holdfast.site.site_lock import hold_lock
from holdfast.site.taken_over_file import taken_over_file

_log = logging.getLogger(__name__)

PRIORITY = 50
SHUTDOWN_S = 4.0
"""This is longer than the contactor may take to open: 1 s under load, then its feedback."""
EXIT_CYCLE_FAILED = 70
EXIT_NOT_AT_REST = 71
_REST = {True: "told to end; at rest", False: "told to end; not seen at rest"}


def open_drivers(site: Site, store: DataStore) -> dict[DeviceKey, DeviceDriver]:
    """Opens a driver for every device of a site; one that has several roles has one driver."""
    drivers: dict[DeviceKey, DeviceDriver] = {}
    wires = Wires()
    for one in physical_devices(site):
        profile, connection = profile_of(site, one), one.device.connection
        before = taken_over_file(site, one.owners)
        driver = open_driver(one.name, one.owners, profile, connection, store, wires, before)
        drivers |= {(owner, role): driver for role, owner in one.owners.items()}
    return drivers


async def run(site: Site, files: SiteFiles) -> int:
    """Runs until SIGTERM or SIGINT, or until the cycle fails. Gives the exit code."""
    store = DataStore(site.unit_names, site.load_names)
    drivers = open_drivers(site, store)
    cycle = build_cycle(site)
    real_time = enter_real_time(PRIORITY)
    make_first(files.latches, files.traces)
    starts = StartRecord(files.starts)
    faults = (CRASH_LOOP,) if starts.begin() else ()
    audit = open_trail(site, files)
    plans = PlanHolder(site, audit)
    loop = ControlLoop(
        site, cycle, store, drivers, plans, files, real_time=real_time, audit=audit, faults=faults
    )
    await loop.save_latches()
    audit.started(loop.state.latches, real_time=real_time)
    each = tuple(dict.fromkeys(drivers.values()))
    tasks = [asyncio.create_task(driver.run()) for driver in each]
    tasks.append(asyncio.create_task(CommsLog(each).watch()))
    server = await serve(files.control_socket, loop, plans, stops=files.stop_socket, audit=audit)
    freeze_collector()
    _log.info("controller of %s runs, real time: %s", site.name, real_time)
    rested = await _cycle_until_told(site, loop)
    await server.close()
    for path in (files.control_socket, files.stop_socket):
        path.unlink(missing_ok=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(driver.close() for driver in each))
    audit.ended("the cycle failed" if loop.failed.is_set() else _REST[rested])
    if loop.failed.is_set():
        return EXIT_CYCLE_FAILED
    starts.end()
    return 0 if rested else EXIT_NOT_AT_REST


async def _cycle_until_told(site: Site, loop: ControlLoop) -> bool:
    """Cycles until SIGTERM or SIGINT, then comes to rest. True if rest was seen."""
    events = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        events.add_signal_handler(number, stop.set)
    timer = PeriodicTimer(site.cycle.period_ms * NS_PER_MS)
    events.add_reader(timer, lambda: loop.tick(*timer.expire()))
    waits = [asyncio.create_task(event.wait()) for event in (stop, loop.failed)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    rested = not loop.failed.is_set() and await _come_to_rest(loop)
    events.remove_reader(timer)
    timer.close()
    loop.release_loads()
    await loop.flush()
    for wait in waits:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    return rested


async def _come_to_rest(loop: ControlLoop) -> bool:
    """Stops, and keeps cycling until 0 W is read back and the contactors are seen open; False if
    that was not seen in time."""
    loop.resume.hold()
    await loop.command(Command.STOP)
    try:
        async with asyncio.timeout(SHUTDOWN_S):
            while not loop.at_rest():  # noqa: ASYNC110 - what is awaited is a measurement
                await asyncio.sleep(0.02)
    except TimeoutError:
        _log.critical("not seen at rest within %g s", SHUTDOWN_S)
        return False
    _log.info("at rest: 0 W, contactors open")
    return True


def main() -> int:
    """Runs the process; returns its exit code."""
    try:
        site, files, _ = open_site("controller", "Device I/O and the control cycle of one site.")
        with hold_lock(files, "controller"), hold_devices(site, "controller"):
            return asyncio.run(run(site, files))
    except HoldfastError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the supervisor shows it
        return 2


if __name__ == "__main__":
    sys.exit(main())
