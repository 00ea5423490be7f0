"""The wires of a proof are the drivers that run live, to all devices of a unit and of its site."""

import asyncio
import time
from collections.abc import Collection, Mapping
from typing import Self

from holdfast.core.commands import Point, Write
from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import DataStore, Snapshot, freeze
from holdfast.core.errors import DeviceError
from holdfast.core.ports import DeviceDriver
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.devices.drivers import open_driver
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.roles import ROLE_OF
from holdfast.safety.limits import Limit, build_limits
from holdfast.site.devices import expected_signals, physical_devices, profile_of, site_ages
from holdfast.site.taken_over_file import taken_over_file

_TRIES, _AGAIN_S = 5, 0.1
"""A device that is busy for a moment is asked again."""
_RECORDED = (Signal.BATTERY_POWER_W, Signal.SETPOINT_READBACK_W)
_JUDGED_APART = frozenset({Signal.SETPOINT_READBACK_W, Signal.WATCHDOG_ARMED})
"""A device that nobody commands shows no command; and nobody watches yet."""


class UnitWires:
    """Reads all devices, records what the inverter tells, and writes to those of one unit."""

    def __init__(self, site: Site, unit: StorageUnit) -> None:
        owners = {SITE, unit.name}
        self._unit = unit.name
        self._store = DataStore(site.unit_names, site.load_names)
        self._ages = site_ages(site)
        self.limits: tuple[Limit, ...] = tuple(
            limit for limit in build_limits(site) if limit.owner in owners
        )
        self.expected: Mapping[str, Collection[Signal]] = {
            owner: set(signals) - _JUDGED_APART
            for owner, signals in expected_signals(site).items()
            if owner in owners
        }
        self._drivers: list[DeviceDriver] = []
        self._by_role: dict[Role, DeviceDriver] = {}
        for one in physical_devices(site):
            if not owners.intersection(one.owners.values()):
                continue
            profile = profile_of(site, one)
            driver = open_driver(
                one.name,
                one.owners,
                profile,
                one.device.connection,
                self._store,
                before=taken_over_file(site, one.owners),
            )
            self._drivers.append(driver)
            self._by_role |= {role: driver for role in one.owners if one.owners[role] == unit.name}
            if one.owners.get(Role.INVERTER) == unit.name:
                assert isinstance(profile, ModbusProfile), "who takes a setpoint speaks Modbus"
                self.profile = profile
        self._tasks: list[asyncio.Task[None]] = []
        self._records: dict[Signal, list[Good]] = {signal: [] for signal in _RECORDED}

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(driver.run()) for driver in self._drivers]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(driver.close() for driver in self._drivers))

    def look(self) -> Snapshot:
        """Returns what is known now, and records what is new."""
        image = self._store.image()
        for signal, record in self._records.items():
            sample = image[self._unit].get(signal)
            if isinstance(sample, Good) and (not record or record[-1].time_ns < sample.time_ns):
                record.append(sample)
        return freeze(image, time.monotonic_ns(), self._ages)

    def record(self, signal: Signal) -> list[Good]:
        """Returns what the inverter told of power or read-back since :meth:`forget`."""
        return self._records[signal]

    def forget(self) -> None:
        """Begins the record anew."""
        for record in self._records.values():
            record.clear()

    async def write(self, point: Point, value: float) -> int:
        """Writes, and again if the device is busy; returns when (monotonic). Raises DeviceError."""
        write = Write(unit=self._unit, role=ROLE_OF[point], point=point, value=value)
        for _ in range(_TRIES - 1):
            try:
                return await self._write_once(write)
            except DeviceError:
                await asyncio.sleep(_AGAIN_S)
        return await self._write_once(write)

    async def _write_once(self, write: Write) -> int:
        now_ns = time.monotonic_ns()
        await self._by_role[write.role].write(write)
        return now_ns

    def why_silent(self) -> str:
        """Tells of each device that is silent why."""
        silent = [
            f"{driver.name}: {driver.counters.why_silent}"
            for driver in self._drivers
            if driver.counters.why_silent
        ]
        return "; ".join(silent)
