"""This module tries each device of a site through the drivers that run it live; it never writes."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from holdfast.core.config import Site
from holdfast.core.data_store import DataStore
from holdfast.core.errors import AlreadyRunning
from holdfast.core.reading import MISSING, Bad, Good, Reading
from holdfast.core.signals import Signal
from holdfast.devices.drivers import Wires, open_driver
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import Profile, outline_of
from holdfast.devices.verbs import VerbWrite
from holdfast.monitoring.status.comms import comms_status
from holdfast.monitoring.status.schema import CommsStatus
from holdfast.site.devices import PhysicalDevice, physical_devices, profile_of
from holdfast.site.files import SiteFiles
from holdfast.site.site_lock import refuse_second

HOLDERS = ("supervisor", "controller", "watchdog")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Holds what one device told."""

    path: str
    """Tells its place in site.yaml."""
    profile: str
    readings: dict[Signal, Reading]
    """Holds a reading of every signal that its profile has; Missing: it did not come."""
    lacking: tuple[Signal, ...]
    """Names what the site needs to start, and did not come or cannot be true."""
    untold: tuple[Signal, ...] = ()
    """Names what shows a command, where the device holds none: it follows its own rule."""
    comms: CommsStatus

    @property
    def answers(self) -> bool:
        """Says whether it told everything that the site needs."""
        return not self.lacking


def refuse_while_running(files: SiteFiles) -> None:
    """Many a device has one client at a time. Raises AlreadyRunning if the site runs."""
    try:
        refuse_second(files, *HOLDERS)
    except AlreadyRunning as error:
        raise AlreadyRunning(
            f"{error}; it holds the devices, and `holdfast status --json` tells what it reads"
        ) from error


async def try_devices(site: Site, within_s: float) -> tuple[Tried, ...]:
    """Reads every device of ``site``, all at a time, until all have told everything or time is up.

    ``acts_as_inverter`` holds here, too: some packs tell nothing without its keep-alive.
    """
    store = DataStore(site.unit_names, site.load_names)
    wires = Wires()
    trials = [_Trial(one, profile_of(site, one), store, wires) for one in physical_devices(site)]
    changed = asyncio.Event()
    store.on_change(lambda *_: changed.set())
    tasks = [asyncio.create_task(trial.driver.run()) for trial in trials]
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while not all(trial.result().answers for trial in trials):
                await changed.wait()
                changed.clear()
    results = tuple(trial.result() for trial in trials)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(trial.driver.close() for trial in trials))
    return results


def shows_commands(profile: Profile) -> frozenset[Signal]:
    """Returns what tells nothing before a command: verbs are found in what they left behind."""
    outline = outline_of(profile)
    points = outline.points.values() if isinstance(outline, ModbusProfile) else ()
    return frozenset(write.readback for write in points if isinstance(write, VerbWrite))


class _Trial:
    """Holds one device while it is tried."""

    def __init__(
        self, one: PhysicalDevice, profile: Profile, store: DataStore, wires: Wires
    ) -> None:
        connection = one.device.connection
        self.driver = open_driver(one.name, one.owners, profile, connection, store, wires)
        self._owners, self._path, self._store = one.owners, one.path, store
        self._profile = profile

    def result(self) -> Tried:
        """Returns what it has told so far."""
        whole = self._store.image()
        image = {
            signal: sample
            for owner in self._owners.values()
            for signal, sample in whole[owner].items()
        }
        told = [signal for signal in Signal if signal in self._profile.signals]
        absent = tuple(signal for signal in told if not isinstance(image.get(signal), Good))
        later = shows_commands(self._profile)
        return Tried(
            path=self._path,
            profile=self._profile.name,
            readings={signal: image.get(signal, MISSING) for signal in told},
            lacking=tuple(signal for signal in absent if signal in self._profile.required - later),
            untold=tuple(
                signal
                for signal in absent
                if signal in later and isinstance(image.get(signal), Bad)
            ),
            comms=comms_status(self.driver.counters, time.monotonic_ns()),
        )
