"""Derating says how much of the rated current is left near a limit, by piecewise-linear rows."""

from dataclasses import dataclass
from itertools import pairwise

from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.signals import SIGNALS, Signal
from holdfast.safety.bounds import (
    CELL_COLD,
    CELL_HOT,
    CELL_MAX,
    CELL_MIN,
    CHARGE_COLD,
    CHARGE_HOT,
    Bound,
    fixed,
)
from holdfast.safety.island import is_islanded
from holdfast.safety.limits import Side

_CHARGE, _DISCHARGE = 1, -1


@dataclass(frozen=True, slots=True, kw_only=True)
class DeratingRow:
    """Describes a curve over the distance of a value from its bound, inwards positive."""

    id: str
    signal: Signal
    direction: int
    """Tells the direction: 1 for charging, -1 for discharging."""
    side: Side
    bound: Bound
    points: tuple[tuple[float, float], ...]
    """Lists (distance, fraction of the rated current), both rising; it is flat beyond the ends."""
    source: str

    @property
    def of_battery(self) -> bool:
        """Says whether this is the battery's own protection."""
        return SIGNALS[self.signal].of_battery


_INVERTER_HOT = fixed(85.0)
_HIGH, _LOW = Side.HIGH, Side.LOW
_HOT = ((0.0, 0.0), (5.0, 0.25), (10.0, 0.5), (15.0, 1.0))
_COLD = ((0.0, 0.0), (2.0, 0.25), (5.0, 0.5), (10.0, 1.0))

# fmt: off
DERATINGS: tuple[DeratingRow, ...] = tuple(
    DeratingRow(id=id_, signal=signal, direction=direction, side=side, bound=bound, points=points, source=source)
    for id_, signal, direction, side, bound, points, source in (
        # id                           signal                         direction   side   bound          points                                    source
        ("cell_voltage_charge",        Signal.CELL_VOLTAGE_MAX_V,     _CHARGE,    _HIGH, CELL_MAX,      ((0.05, 0.0), (0.10, 0.1), (0.20, 1.0)),  "FENECON Home 64: 3.45 V full, 3.55 V a tenth, 3.60 V nothing"),
        ("cell_voltage_discharge",     Signal.CELL_VOLTAGE_MIN_V,     _DISCHARGE, _LOW,  CELL_MIN,      ((0.30, 0.0), (0.40, 0.25), (0.60, 1.0)), "FENECON Home 64: 3.10 V full, 2.90 V a quarter, 2.80 V nothing"),
        ("cell_temperature_charge_hot",    Signal.CELL_TEMPERATURE_MAX_C, _CHARGE,    _HIGH, CHARGE_HOT,   _HOT,  "dbus-serialbattery: 40 °C full, 55 °C nothing"),
        ("cell_temperature_charge_cold",   Signal.CELL_TEMPERATURE_MIN_C, _CHARGE,    _LOW,  CHARGE_COLD,  _COLD, "dbus-serialbattery: 10 °C full, 0 °C nothing"),
        ("cell_temperature_discharge_hot", Signal.CELL_TEMPERATURE_MAX_C, _DISCHARGE, _HIGH, CELL_HOT,     _HOT,  "dbus-serialbattery, moved to the hardware's own limit"),
        ("cell_temperature_discharge_cold", Signal.CELL_TEMPERATURE_MIN_C, _DISCHARGE, _LOW, CELL_COLD,    _COLD, "dbus-serialbattery, moved to the hardware's own limit"),
        ("inverter_temperature_charge",    Signal.INVERTER_TEMPERATURE_C, _CHARGE,    _HIGH, _INVERTER_HOT, ((0.0, 0.0), (10.0, 1.0)), "power stages of this class derate from 75 °C"),
        ("inverter_temperature_discharge", Signal.INVERTER_TEMPERATURE_C, _DISCHARGE, _HIGH, _INVERTER_HOT, ((0.0, 0.0), (10.0, 1.0)), "power stages of this class derate from 75 °C"),
    )
)
# fmt: on
PACK_VOLTAGE_CHARGE = DeratingRow(
    id="pack_voltage_charge",
    signal=Signal.PACK_VOLTAGE_V,
    direction=_CHARGE,
    side=_HIGH,
    bound=CELL_MAX,
    points=((0.0, 0.0), (0.05, 1.0)),
    source="per cell, below the voltage that the BMS asks to charge up to; half of the 0.1 V of "
    "FENECON and Soltaro, for a BMS lowers its current limit as well (assumed)",
)
"""It is in volts per cell. The BMS's own limit narrows its bound, so it is no row of DERATINGS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Derated:
    """Tells what is left of the rated current in each direction, 0 to 1, and which row says so."""

    charge: float
    charge_by: str
    """Names the row; empty where all of it is left."""
    discharge: float
    discharge_by: str


def derate(unit: StorageUnit, snapshot: Snapshot) -> Derated:
    """Returns the smallest fraction in each direction. A value that is not good derates nothing
    here: that it is lost is a finding, and closes the envelope. On an island only the battery's own
    curves derate its discharge."""
    charge = discharge = 1.0
    charge_by = discharge_by = ""
    islanded = is_islanded(unit.name, snapshot)
    for row in DERATINGS:
        value = snapshot.good(unit.name, row.signal)
        if value is None:
            continue
        left = fraction(row, value, row.bound(unit))
        if row.direction == _CHARGE and left < charge:
            charge, charge_by = left, row.id
        elif row.direction == _DISCHARGE and left < discharge and (row.of_battery or not islanded):
            discharge, discharge_by = left, row.id
    return Derated(
        charge=charge, charge_by=charge_by, discharge=discharge, discharge_by=discharge_by
    )


def fraction(row: DeratingRow, value: float, bound: float) -> float:
    """Returns what ``row`` leaves of the rated current at ``value``, 0 to 1; nothing for NaN."""
    distance = row.side * (bound - value)
    first, last = row.points[0], row.points[-1]
    if distance >= last[0]:
        return last[1]
    if not distance > first[0]:
        return first[1]
    (x0, y0), (x1, y1) = next(part for part in pairwise(row.points) if distance < part[1][0])
    return y0 + (y1 - y0) * (distance - x0) / (x1 - x0)


def _check_table() -> None:
    rows = (*DERATINGS, PACK_VOLTAGE_CHARGE)
    for row in rows:
        for (x0, y0), (x1, y1) in pairwise(row.points):
            assert x0 < x1, f"{row.id}: distances must rise"
            assert y0 < y1, f"{row.id}: fractions must rise"
        assert row.points[0][1] == 0.0, f"{row.id}: must begin with nothing"
        assert row.points[-1][1] == 1.0, f"{row.id}: must end with all"
        assert row.source, f"{row.id}: no source"
    assert len({row.id for row in rows}) == len(rows), "a row stands twice"


_check_table()
