"""A Pylontech high-voltage battery on CAN has its frames coded from what is known of V1.26.

This is written from what others read of such a battery and tell in its name, not from the profile
that reads them: one checks the other.
"""

import struct

from holdfast.simulation.plant.bms import BmsFlag
from holdfast.simulation.plant.storage import StoragePlant
from holdfast.simulation.servers.pylontech import Frame

ASKED_BY = 0x4200
"""The battery answers this frame; with 0 as its first byte it is asked for what follows."""
_NO_CURRENT, _NO_TEMPERATURE = 30_000, 1_000
"""These raw numbers stand for 0 A and 0 °C."""
_CHARGE, _DISCHARGE, _IDLE = 1, 2, 3
_FORBIDDEN = 0xAA
_MOST = 0xFFFE


def ensemble(unit: StoragePlant) -> list[Frame]:
    """Returns what the battery tells when it is asked, in the order of the identifiers."""
    bms, cells = unit.bms, unit.cells
    current_a = bms.measured_current_a(cells)
    hardware = bms.hardware
    measured = (
        _tenths(cells.voltage_v),
        _current(current_a),
        _temperature(cells.temperature_mean_c),
        round(bms.soc_pct),
        100,
    )
    limits = (
        _tenths(bms.charge_voltage_limit_v),
        _tenths(hardware.cells_in_series * hardware.cell_voltage_min_v),
        _current(bms.charge_limit_a),
        _current(-bms.discharge_limit_a),
    )
    voltages = (round(cells.voltage_max_v * 1000), round(cells.voltage_min_v * 1000), 1, 2)
    temperatures = (_temperature(cells.temperature_max_c), _temperature(cells.temperature_min_c))
    return [
        (0x4210, struct.pack("<HHHBB", *measured)),
        (0x4220, struct.pack("<HHHH", *limits)),
        (0x4230, struct.pack("<HHHH", *(_clipped(number) for number in voltages))),
        (0x4240, struct.pack("<HHHH", *temperatures, 1, 2)),
        (0x4250, _status(current_a, bms.alarms, bms.protections)),
        (0x4260, struct.pack("<HHHH", *measured[:1], *measured[:1], 1, 1)),
        (0x4270, struct.pack("<HHHH", *temperatures, 1, 1)),
        (0x4280, _forbidden(charge=not bms.charge_allowed, discharge=not bms.discharge_allowed)),
        (0x4290, bytes(8)),
    ]


def _status(current_a: float, alarms: int, protections: int) -> bytes:
    state = _CHARGE if current_a > 0.05 else _DISCHARGE if current_a < -0.05 else _IDLE
    error = 1 if protections & BmsFlag.SYSTEM_ERROR else 0
    return struct.pack("<BHBHH", state, 0, error, alarms, protections & ~BmsFlag.SYSTEM_ERROR)


def _forbidden(*, charge: bool, discharge: bool) -> bytes:
    return bytes([_FORBIDDEN * charge, _FORBIDDEN * discharge]) + bytes(6)


def _tenths(value: float) -> int:
    return _clipped(value * 10)


def _current(current_a: float) -> int:
    return _clipped(current_a * 10 + _NO_CURRENT)


def _temperature(temperature_c: float) -> int:
    return _clipped(temperature_c * 10 + _NO_TEMPERATURE)


def _clipped(value: float) -> int:
    return max(0, min(_MOST, round(value)))
