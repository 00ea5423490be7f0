"""The registers of a simulated Modbus device: a window on the plant, by the device's profile."""

from collections.abc import Callable, Sequence

from pymodbus.constants import ExcCodes

from holdfast.core.commands import Point, Write
from holdfast.core.signals import Producer
from holdfast.devices.profile import ModbusProfile, RegisterRead, RegisterWrite
from holdfast.testing.plant import SitePlant
from holdfast.testing.plant.reporting import Reporter
from holdfast.testing.protocol_faults import FaultSet, ProtocolFault

WriteObserver = Callable[[Producer, str, Point, float], None]

_TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
"""By function code."""
_WRITES = {5: "coil", 15: "coil", 6: "holding", 16: "holding"}
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


class DeviceRegisters:
    """What one device holds. ``owner`` is a storage unit, a load, or the site."""

    def __init__(
        self,
        plant: SitePlant,
        profile: ModbusProfile,
        owner: str,
        faults: FaultSet,
        observe: WriteObserver,
    ) -> None:
        self._plant, self._profile, self._owner = plant, profile, owner
        self._faults, self._observe = faults, observe
        self._reporter = Reporter(profile)
        self._frozen: dict[str, dict[int, int]] | None = None
        self._echo: Sequence[int] | None = None
        read_at = {(row.table, row.address) for row in profile.reads}
        self._unread = [row for row in profile.writes if (row.table, row.address) not in read_at]

    def read(self, function: int, address: int, count: int) -> list[int] | ExcCodes:
        """Raw words (or bits) as the device would answer."""
        if self._echo is not None and function in _SINGLE:
            echo, self._echo = list(self._echo), None
            return echo
        table = _TABLES.get(function) or _WRITES.get(function)
        if table is None:
            return ExcCodes.ILLEGAL_FUNCTION
        words = self._words()[table]
        try:
            return [words[place] for place in range(address, address + count)]
        except KeyError:
            return ExcCodes.ILLEGAL_ADDRESS

    def write(self, function: int, address: int, values: Sequence[int]) -> ExcCodes | None:
        """Store raw words (or bits): all of them, or none. None if that went well."""
        self._echo = None
        table = _WRITES.get(function)
        if table is None:
            return ExcCodes.ILLEGAL_FUNCTION
        rows = self._covered(table, address, len(values))
        if rows is None:
            return ExcCodes.ILLEGAL_ADDRESS
        for row, count in rows:
            start = row.address - address
            value = row.decode([int(word) for word in values[start : start + count]])
            self._observe(self._profile.role, self._owner, row.point, value)
            if ProtocolFault.IGNORE_SETPOINT in self._faults and row.point in _POWERS:
                self._echo = values
                continue
            if self._frozen is not None:
                self._echo = values
            self._plant.apply(
                Write(unit=self._owner, role=self._profile.role, point=row.point, value=value)
            )
        return None

    def _covered(
        self, table: str, address: int, count: int
    ) -> list[tuple[RegisterWrite, int]] | None:
        """The points that fill ``count`` places from ``address`` on; None if they do not."""
        rows: list[tuple[RegisterWrite, int]] = []
        place, end = address, address + count
        starts = {row.address: row for row in self._profile.writes if row.table == table}
        while place < end:
            row = starts.get(place)
            width = 0 if row is None else len(row.encode(0.0))
            if row is None or place + width > end:
                return None
            rows.append((row, width))
            place += width
        return rows

    def _words(self) -> dict[str, dict[int, int]]:
        return self._frozen or self._present_words()

    def refresh(self) -> None:
        """A fault of the device has begun or ended."""
        if ProtocolFault.FROZEN not in self._faults:
            self._frozen = None
        elif self._frozen is None:
            self._frozen = self._present_words()

    def _present_words(self) -> dict[str, dict[int, int]]:
        tables: dict[str, dict[int, int]] = {name: {} for name in _TABLES.values()}
        values = dict(self._reporter.report(self._plant.values(self._owner)))
        for row in self._profile.reads:
            _put(tables[row.table], row.address, self._encode(row, values[row.signal]))
        for write in self._unread:
            stored = self._plant.stored(self._owner, write.point)
            _put(tables[write.table], write.address, write.encode(stored))
        return tables

    @staticmethod
    def _encode(row: RegisterRead, value: float) -> list[int]:
        """Words of ``value``; a value beyond the register shows as the nearest it can hold."""
        try:
            return row.encode(value)
        except ValueError:
            return row.encode(_nearest(row, value))


def _nearest(row: RegisterRead, value: float) -> float:
    bits = 16 * row.count
    low = 0 if row.type.startswith("u") else -(1 << (bits - 1))
    high = low + (1 << bits) - 1
    return max(low, min(high, round(value / row.scale))) * row.scale


def _put(table: dict[int, int], address: int, words: Sequence[int]) -> None:
    for offset, word in enumerate(words):
        table[address + offset] = word
