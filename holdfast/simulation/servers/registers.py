"""The registers of a simulated Modbus device are a window on the plant, by the device's profile."""

from collections.abc import Callable, Mapping, Sequence

from pymodbus.constants import ExcCodes

from holdfast.core.commands import Point, Write
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.register_image import Place, Table
from holdfast.devices.registers import RegisterWrite
from holdfast.devices.roles import ROLE_OF
from holdfast.devices.sunspec.profile import SunSpecProfile
from holdfast.devices.verbs import VerbWrite
from holdfast.simulation.makers.bound import box_of, served
from holdfast.simulation.makers.box import Box, Refused
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.plant.reporting import Reporter
from holdfast.simulation.servers.coding import coded
from holdfast.simulation.servers.protocol_faults import FaultSet, ProtocolFault
from holdfast.simulation.servers.verb_bank import VerbBank

WriteObserver = Callable[[Role, str, Point, float], None]

_TABLES: Mapping[int, Table] = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
"""They are keyed by function code."""
_WRITES: Mapping[int, Table] = {5: "coil", 15: "coil", 6: "holding", 16: "holding"}
_SINGLE = frozenset({5, 6})
_POWERS = frozenset(
    {
        Point.SETPOINT_W,
        Point.CHARGE_POWER_W,
        Point.DISCHARGE_POWER_W,
        Point.LOAD_ON,
        Point.ROOM_SETPOINT_C,
    }
)
_IGNORED = {
    ProtocolFault.IGNORE_SETPOINT: _POWERS,
    ProtocolFault.IGNORE_EXPORT_LIMIT: frozenset({Point.EXPORT_LIMIT_W}),
    ProtocolFault.IGNORE_PV_SWITCH: frozenset({Point.PV_ON}),
}


class DeviceRegisters:
    """Holds what one device has. It serves ``owners`` (storage units, loads, the site), by role."""

    def __init__(
        self,
        plant: SitePlant,
        table: ModbusProfile | SunSpecProfile,
        owners: Mapping[Role, str],
        faults: FaultSet,
        observe: WriteObserver,
    ) -> None:
        self._box = box_of(table)
        profile, self._beside = served(table, self._box)
        assert isinstance(profile, ModbusProfile)
        self._plant, self.profile, self._owners = plant, profile, owners
        self._faults, self._observe = faults, observe
        self._reporter = Reporter(profile)
        self._frozen: dict[Place, int] | None = None
        self._echo: Sequence[int] | None = None
        self._plain = [row for row in profile.writes if isinstance(row, RegisterWrite)]
        read_at = {place for row in profile.reads for run in row.runs for place in run}
        self._unread = [row for row in self._plain if row.places[0] not in read_at]
        verbs = [row for row in profile.writes if isinstance(row, VerbWrite)]
        self._bank = VerbBank(profile, verbs[0]) if verbs and self._box is None else None
        if self._box is not None:
            plant.units[owners[Role.INVERTER]].box = self._box
        self.device_ids = {place[0] for row in profile.tellers for run in row.runs for place in run}
        """Tells behind which it answers; None is that of its connection."""

    def read(
        self, function: int, address: int, count: int, device_id: int | None = None
    ) -> list[int] | ExcCodes:
        """Returns raw words (or bits) as the device would answer."""
        if self._echo is not None and function in _SINGLE:
            echo, self._echo = list(self._echo), None
            return echo
        table = _TABLES.get(function) or _WRITES.get(function)
        if table is None:
            return ExcCodes.ILLEGAL_FUNCTION
        held = self._words()
        words = [held.get((device_id, table, place)) for place in range(address, address + count)]
        if any(word is None for word in words) and not self.profile.read_gap:
            return ExcCodes.ILLEGAL_ADDRESS
        return [word or 0 for word in words]

    def write(
        self, function: int, address: int, values: Sequence[int], device_id: int | None = None
    ) -> ExcCodes | None:
        """Stores raw words (or bits): all of them, or none. Returns None if that went well."""
        self._echo = None
        table = _WRITES.get(function)
        if table is None:
            return ExcCodes.ILLEGAL_FUNCTION
        words = [int(word) for word in values]
        if self._box is not None and device_id == self._box.id_of(address) and table == "holding":
            return self._write_box(self._box, function, address, words)
        if self._bank is not None and self._bank.has(table, address, len(words)):
            return self._write_verb(self._bank, table, address, words)
        rows = self._covered(table, address, len(words))
        if rows is None:
            return ExcCodes.ILLEGAL_ADDRESS
        for row, count in rows:
            start = row.address - address
            self._take(row.point, row.decode(words[start : start + count]), words)
        return None

    def _write_box(
        self, box: Box, function: int, address: int, words: list[int]
    ) -> ExcCodes | None:
        owner = self._owners[Role.INVERTER]
        if self._is_ignored(Point.SETPOINT_W):
            self._echo = words
            return None
        try:
            box.write(address, words, multiple=function not in _SINGLE)
        except Refused as refused:
            return ExcCodes(refused.code)
        self._echo = words  # whatever the box makes of it
        power_w = self._plant.follow_box(owner)
        self._observe(Role.INVERTER, owner, Point.SETPOINT_W, power_w)
        return None

    def _write_verb(
        self, bank: VerbBank, table: str, address: int, words: list[int]
    ) -> ExcCodes | None:
        if self._is_ignored(Point.SETPOINT_W):
            self._echo = words
            return None
        power_w = bank.write(table, address, words)
        if power_w is not None:
            self._take(Point.SETPOINT_W, power_w, words)
        return None

    def _take(self, point: Point, value: float, words: Sequence[int]) -> None:
        """Does what was written, unless a fault keeps it from that."""
        role = ROLE_OF[point]
        owner = self._owners[role]
        self._observe(role, owner, point, value)
        if self._is_ignored(point):
            self._echo = words
            return
        if self._frozen is not None:
            self._echo = words
        self._plant.apply(Write(unit=owner, role=role, point=point, value=value))

    def _is_ignored(self, point: Point) -> bool:
        return any(point in _IGNORED[fault] for fault in _IGNORED if fault in self._faults)

    def _covered(
        self, table: str, address: int, count: int
    ) -> list[tuple[RegisterWrite, int]] | None:
        """Returns the points that fill ``count`` places from ``address`` on; None if that fails."""
        rows: list[tuple[RegisterWrite, int]] = []
        place, end = address, address + count
        starts = {row.address: row for row in self._plain if row.table == table}
        while place < end:
            row = starts.get(place)
            width = 0 if row is None else len(row.encode(0.0))
            if row is None or place + width > end:
                return None
            rows.append((row, width))
            place += width
        return rows

    def _words(self) -> dict[Place, int]:
        return self._frozen or self._present_words()

    def refresh(self) -> None:
        """A fault of the device has begun or ended."""
        if ProtocolFault.FROZEN not in self._faults:
            self._frozen = None
        elif self._frozen is None:
            self._frozen = self._present_words()

    def _present_words(self) -> dict[Place, int]:
        told: dict[Signal, float] = {}
        for owner in set(self._owners.values()):
            told |= self._plant.values(owner)
        values = dict(self._reporter.report(told))
        rows = (*self.profile.reads, *self.profile.aside)
        words = {**self._beside, **coded(rows, told | values, self._beside)}
        for write in self._unread:
            stored = self._plant.stored(self._owners[ROLE_OF[write.point]], write.point)
            words |= dict(zip(write.places, write.encode(stored), strict=True))
        if self._box is not None:
            words |= {
                (self._box.id_of(address), "holding", address): word
                for address, word in self._box.shown().items()
            }
        return words if self._bank is None else words | self._bank.words
