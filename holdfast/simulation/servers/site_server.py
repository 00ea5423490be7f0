"""The simulated site speaks Modbus, CAN, HTTP and MQTT, and has a control socket.

``python -m holdfast.simulation.servers.site_server --config site.yaml`` runs it in its own process;
a test or a benchmark runs it inside its own event loop with ``async with SiteServer(...)``.
"""

import argparse
import asyncio
import gc
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.config.device import CanBus, HttpHost, Modbus, ModbusMqtt, MqttBroker
from holdfast.core.errors import ConfigError
from holdfast.core.role import DeviceKey, Role
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.profile import RegisterTable
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.plant.load import LoadPlant
from holdfast.simulation.servers.can_bms import CanBms
from holdfast.simulation.servers.can_dialects import DIALECTS
from holdfast.simulation.servers.endpoint import Endpoints
from holdfast.simulation.servers.json_device import JsonDevice
from holdfast.simulation.servers.modbus_desk import ModbusDevice
from holdfast.simulation.servers.plant_socket import PlantSocket
from holdfast.simulation.servers.protocol_faults import FaultSet, ProtocolFault
from holdfast.simulation.servers.registers import DeviceRegisters
from holdfast.simulation.servers.stick_telemetry import NAMES, telemetry
from holdfast.site.devices import PhysicalDevice, physical_devices, profile_of
from holdfast.site.site_file import load_site

_FIFO_PRIORITY = 50
STEP_S = 0.01
"""The plant is stepped in real time so often, in s."""

OnWrite = Callable[[Role, str, Point, float, int], None]
"""It takes (role, unit or load, point, value, monotonic ns of the request's receipt)."""


class SiteServer:
    """Serves ``plant`` as the devices of ``site``, and steps it in real time.

    ``utc_offset_s`` moves the plant's sun and habits away from the real time of day.
    """

    def __init__(
        self,
        site: Site,
        plant: SitePlant,
        *,
        step_s: float = STEP_S,
        utc_offset_s: float = 0.0,
        on_write: OnWrite | None = None,
        burst_period_s: float | None = None,
        control_socket: bool = True,
    ) -> None:
        self.site, self.plant = site, plant
        self.on_write = on_write
        self.faults: dict[DeviceKey, FaultSet] = {}
        """They are keyed by owner (a storage unit, a load, or ``site``) and role."""
        self.can: dict[str, CanBms] = {}
        """It is the BMS on CAN, by storage unit."""
        self.late_steps = 0
        """So many steps came more than one period late and were made longer instead."""
        self._refreshers: dict[DeviceKey, Callable[[], None]] = {}
        self._step_s = step_s
        self._utc_offset_s = utc_offset_s
        self._endpoints = Endpoints()
        self._tasks: list[asyncio.Task[None]] = []
        self._control = PlantSocket(self) if control_socket else None
        self._burst_period_s = burst_period_s
        # A stick is there before who listens to it.
        for one in sorted(physical_devices(site), key=_listens):
            self._add(one)

    async def __aenter__(self) -> Self:
        try:
            for endpoint in self._endpoints:
                await endpoint.refresh()
            for bms in self.can.values():
                bms.adapter.open_port()
                self._tasks.append(asyncio.create_task(bms.run(), name="can bms"))
            for stick in self._endpoints.sticks:
                self._tasks.append(asyncio.create_task(stick.run(), name="stick"))
            self.plant.step(self._step_s, self._utc_s())
            self._tasks.append(asyncio.create_task(self._run(), name="plant"))
            if self._control is not None:
                await self._control.open(Path(self.site.state_dir) / "plant.sock")
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends everything; links and sockets are gone afterwards."""
        if self._control is not None:
            await self._control.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        for bms in self.can.values():
            bms.adapter.close_port()
        for endpoint in self._endpoints:
            await endpoint.close()

    async def set_fault(
        self, owner: str, role: Role, fault: ProtocolFault, value: float | None = None
    ) -> None:
        """Begins a protocol fault. Raises KeyError, ValueError for one that cannot be."""
        self.faults[owner, role].set(fault, value)
        await self._refresh(owner, role)

    async def clear_fault(self, owner: str, role: Role, fault: ProtocolFault | None = None) -> None:
        """Ends a protocol fault of a device, or all that it has."""
        self.faults[owner, role].clear(fault)
        await self._refresh(owner, role)

    def status(self) -> dict[str, Any]:
        """Tells what the plant and its devices are like now, ready for JSON."""
        plant = self.plant
        return {
            "time_s": plant.time_s,
            "utc_s": plant.utc_s,
            "late_steps": self.late_steps,
            "grid_power_w": plant.grid_power_w,
            "pv_power_w": plant.pv_power_w,
            "load_power_w": plant.load_power_w,
            "battery_power_w": plant.battery_power_w,
            "emergency_loop_closed": plant.emergency_loop_closed,
            "energies": asdict(plant.energies),
            "units": {name: self._unit_status(name) for name in plant.units},
            "loads": {name: _load_status(load) for name, load in plant.loads.items()},
            "faults": {
                f"{owner}/{role}": faults.as_dict()
                for (owner, role), faults in self.faults.items()
                if faults.as_dict()
            },
        }

    def _unit_status(self, name: str) -> dict[str, Any]:
        unit = self.plant.units[name]
        status: dict[str, Any] = {str(signal): value for signal, value in unit.values().items()}
        status["soc_true_pct"] = float(unit.cells.soc.mean()) * 100.0
        status["pack_open"] = unit.bms.pack_open
        status["damage"] = dict(unit.damage.counts)
        status["damage_first_s"] = dict(unit.damage.first_s)
        bms = self.can.get(name)
        if bms is not None:
            received = bms.adapter.received.items()
            status["can_received"] = {f"0x{key:03X}": count for key, count in received}
        return status

    async def _refresh(self, owner: str, role: Role) -> None:
        self._refreshers[owner, role]()
        for endpoint in self._endpoints:
            await endpoint.refresh()

    def _add(self, one: PhysicalDevice) -> None:
        profile = profile_of(self.site, one)
        connection = one.device.connection
        is_stick = isinstance(connection, ModbusMqtt)
        faults = FaultSet(one.name, connection.kind if is_stick else profile.protocol)
        if isinstance(profile, RegisterTable) and isinstance(connection, Modbus):
            registers = DeviceRegisters(self.plant, profile, one.owners, faults, self._written)
            refresh = registers.refresh
            for inner_id in registers.device_ids:
                device = ModbusDevice(registers=registers, faults=faults, inner_id=inner_id)
                if isinstance(connection, ModbusMqtt):
                    names = NAMES.get(profile.name)
                    tell = None if names is None else partial(telemetry, self.plant, names)
                    self._endpoints.add_stick(connection, device, tell)
                else:
                    self._endpoints.add_modbus(connection, device)
        elif isinstance(profile, HttpProfile) and isinstance(connection, HttpHost):
            sender = JsonDevice(self.plant, profile, one.owners, faults, self._written)
            refresh = sender.refresh
            self._endpoints.add_http(connection, sender)
        elif isinstance(profile, MqttProfile) and self._endpoints.has_stick(connection):
            refresh = _nothing
        elif isinstance(profile, MqttProfile) and isinstance(connection, MqttBroker):
            sender = JsonDevice(self.plant, profile, one.owners, faults, self._written)
            refresh = sender.refresh
            self._endpoints.add_mqtt(connection, sender)
        elif isinstance(profile, CanProfile) and isinstance(connection, CanBus):
            if connection.interface != "slcan" or profile.name not in DIALECTS:
                raise ConfigError(
                    f"{one.name}: the simulator serves {', '.join(DIALECTS)} on slcan only"
                )
            (owner,) = one.owners.values()
            self.can[owner] = CanBms(
                unit=self.plant.units[owner],
                dialect=DIALECTS[profile.name],
                address=connection.address,
                channel=connection.channel,
                period_s=self._burst_period_s or profile.burst_period_s,
                faults=faults,
            )
            refresh = self.can[owner].refresh
        else:
            raise ConfigError(
                f"{one.name}: profile {one.device.profile} does not speak {connection.kind}"
            )
        for role, served in one.owners.items():
            self.faults[served, role] = faults
            self._refreshers[served, role] = refresh

    def _written(self, role: Role, unit: str, point: Point, value: float) -> None:
        if self.on_write is not None:
            self.on_write(role, unit, point, value, time.monotonic_ns())

    def _utc_s(self) -> float:
        return time.time() + self._utc_offset_s

    async def _run(self) -> None:
        """Steps the plant at absolute deadlines; a late step is longer, so time never drifts."""
        last_s = deadline_s = time.monotonic()
        while True:
            deadline_s += self._step_s
            await asyncio.sleep(deadline_s - time.monotonic())
            now_s = time.monotonic()
            if now_s - deadline_s > self._step_s:
                self.late_steps += 1
                deadline_s = now_s
            self.plant.step(now_s - last_s, self._utc_s())
            last_s = now_s


def _listens(one: PhysicalDevice) -> bool:
    return isinstance(one.device.connection, MqttBroker)


def _nothing() -> None:
    """No fault of it changes what is served."""


def _load_status(load: LoadPlant) -> dict[str, float]:
    told = {str(signal): value for signal, value in load.values().items()}
    return told | {"power_w": load.power_w, "energy_wh": load.energy_wh}


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT. Returns 0 if it ended that way, 2 if it could not start."""
    options = _parser().parse_args(arguments)
    try:
        site = load_site(options.config)
        if options.fifo:
            _become_real_time()
        plant = SitePlant.from_site(
            site, seed=options.seed, soc_pct=options.soc, ambient_c=options.ambient
        )
        server = SiteServer(
            site,
            plant,
            step_s=options.step_ms / 1000.0,
            utc_offset_s=options.utc_offset_h * 3600.0,
        )
        asyncio.run(_serve(server))
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


async def _serve(server: SiteServer) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with server:
        gc.freeze()
        sys.stdout.write("plant ready\n")
        sys.stdout.flush()
        await stop.wait()


def _become_real_time() -> None:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_FIFO_PRIORITY))
    except PermissionError as error:
        sys.stderr.write(f"SCHED_FIFO is not permitted here, going on without: {error}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m holdfast.simulation.servers.site_server",
        description="Simulate a battery site on Modbus, CAN (slcan), HTTP and MQTT.",
    )
    parser.add_argument("--config", type=Path, required=True, help="site.yaml")
    parser.add_argument("--soc", type=float, default=50.0, help="state of charge, %%")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ambient", type=float, default=20.0, help="temperature, °C")
    parser.add_argument("--utc-offset-h", type=float, default=0.0, help="move the time of day")
    parser.add_argument("--step-ms", type=float, default=STEP_S * 1000.0)
    parser.add_argument("--fifo", action="store_true", help="run with SCHED_FIFO")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
