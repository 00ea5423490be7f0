"""A small control channel takes and gives one JSON object per line, on a Unix socket.

================================================  ==========================================
request                                           effect
================================================  ==========================================
``{"get": "status"}``                             the status
``{"set": {"emergency_loop_closed": false}}``     properties of the plant, see ``_SETTERS``
``{"fault": {"unit", "role", "kind", "value"}}``  a protocol fault begins; value is optional
``{"clear": {"unit", "role", "kind"}}``           it ends; a key that is left out means all
================================================  ==========================================

``unit`` is a storage unit, a load, or ``site`` for meter and emergency input. Each answer has
``ok``.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from holdfast.core.role import DeviceKey, Role
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.protocol_faults import FaultSet, ProtocolFault

_LONGEST_LINE = 4096


def _set_loop(plant: SitePlant, value: Any) -> None:
    plant.emergency_loop_closed = bool(value)


def _set_islanded(plant: SitePlant, value: Any) -> None:
    plant.islanded = bool(value)


def _set_soc(plant: SitePlant, value: Any) -> None:
    for unit in plant.units.values():
        unit.cells.soc[:] = float(value) / 100.0


def _set_ambient(plant: SitePlant, value: Any) -> None:
    plant.ambient_c = float(value)


def _set_cells(plant: SitePlant, value: Any) -> None:
    for unit in plant.units.values():
        unit.cells.set_temperature(float(value))


def _set_load(plant: SitePlant, value: Any) -> None:
    plant.household.load_override_w = None if value is None else float(value)


def _set_pv(plant: SitePlant, value: Any) -> None:
    plant.household.pv_override_w = None if value is None else float(value)


def _set_room(plant: SitePlant, value: Any) -> None:
    for load in plant.loads.values():
        load.temperature_c = float(value)


def _set_silence(plant: SitePlant, value: Any) -> None:
    for load in plant.loads.values():
        load.be_silent(float(value))


def _set_fault(plant: SitePlant, value: Any) -> None:
    for unit in plant.units.values():
        if value:
            unit.inverter.trip()
        else:
            unit.inverter.faulted = False


def _set_runaway(plant: SitePlant, value: Any) -> None:
    for unit in plant.units.values():
        unit.inverter.runaway_w = None if value is None else float(value)


def _set_welded(plant: SitePlant, value: Any) -> None:
    for unit in plant.units.values():
        unit.contactor.welded = bool(value)


def _set_resistor(plant: SitePlant, value: Any) -> None:
    for unit in plant.units.values():
        if unit.link is None:
            raise ValueError(f"{unit.name} has no precharge")
        unit.link.resistor_ohm = float(value)


_SETTERS: dict[str, Callable[[SitePlant, Any], None]] = {
    "emergency_loop_closed": _set_loop,
    "islanded": _set_islanded,
    "soc_pct": _set_soc,
    "ambient_c": _set_ambient,
    "cell_temperature_c": _set_cells,
    "load_override_w": _set_load,
    "pv_override_w": _set_pv,
    "room_temperature_c": _set_room,
    "load_switch_silence_s": _set_silence,
    "inverter_fault": _set_fault,
    "inverter_runaway_w": _set_runaway,
    "contactor_welded": _set_welded,
    "precharge_resistor_ohm": _set_resistor,
}


class Controlled(Protocol):
    """The socket controls this: the site's server."""

    plant: SitePlant
    faults: dict[DeviceKey, FaultSet]

    def status(self) -> dict[str, Any]:
        """Tells what the plant and its devices are like now, ready for JSON."""

    async def set_fault(
        self, owner: str, role: Role, fault: ProtocolFault, value: float | None = None
    ) -> None:
        """Begins a protocol fault."""

    async def clear_fault(self, owner: str, role: Role, fault: ProtocolFault | None = None) -> None:
        """Ends a protocol fault."""


def _make_room(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_socket():
        path.unlink()


class PlantSocket:
    """Listens while the server runs; its file appears when everything else is up."""

    def __init__(self, server: Controlled) -> None:
        self._server = server
        self._path: Path | None = None
        self._listener: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self, path: Path) -> None:
        """Listens at ``path``; what a killed predecessor left there is replaced."""
        _make_room(path)
        self._listener = await asyncio.start_unix_server(
            self._serve, path=str(path), limit=_LONGEST_LINE
        )
        self._path = path

    async def close(self) -> None:
        """Stops listening, hangs up, removes the file."""
        if self._listener is None or self._path is None:
            return
        self._listener.close()
        for writer in self._writers:
            writer.close()
        await self._listener.wait_closed()
        self._path.unlink(missing_ok=True)
        self._listener = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                answer = await self._answer(line)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # the other side went away, or sent a line without end
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            ((verb, content),) = json.loads(line).items()
            return {"ok": True} | await self._carry_out(verb, content)
        except (AttributeError, ValueError, KeyError, TypeError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    async def _carry_out(self, verb: str, content: Any) -> dict[str, Any]:
        match verb, content:
            case "get", "status":
                return {"status": self._server.status()}
            case "set", dict():
                setters = [(_SETTERS[name], value) for name, value in content.items()]
                for setter, value in setters:
                    setter(self._server.plant, value)
            case "fault", dict():
                owner, role = content["unit"], Role(content["role"])
                kind = ProtocolFault(content["kind"])
                await self._server.set_fault(owner, role, kind, content.get("value"))
            case "clear", dict():
                await self._clear(content)
            case _:
                raise ValueError(f"do not understand {verb}")
        return {}

    async def _clear(self, content: dict[str, Any]) -> None:
        kind = ProtocolFault(content["kind"]) if "kind" in content else None
        for owner, role in self._server.faults:
            if content.get("unit", owner) == owner and content.get("role", role) == role:
                await self._server.clear_fault(owner, role, kind)
