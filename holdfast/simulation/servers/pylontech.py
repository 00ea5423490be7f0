"""A Pylontech low-voltage pack on CAN has its frames coded from the protocol document.

This is written from "CAN-Bus-protocol-PYLON-low-voltage V1.2 (2018-04-08)" and, for 0x373, from
what Victron's CAN-bms sends, not from the profile that reads them: one checks the other.
"""

import struct

from holdfast.simulation.plant.bms import BmsFlag
from holdfast.simulation.plant.storage import StoragePlant

_BITS: dict[BmsFlag, tuple[int, int]] = {
    BmsFlag.OVER_VOLTAGE: (0, 0x02),
    BmsFlag.UNDER_VOLTAGE: (0, 0x04),
    BmsFlag.OVER_TEMPERATURE: (0, 0x08),
    BmsFlag.UNDER_TEMPERATURE: (0, 0x10),
    BmsFlag.DISCHARGE_OVER_CURRENT: (0, 0x80),
    BmsFlag.CHARGE_OVER_CURRENT: (1, 0x01),
    BmsFlag.SYSTEM_ERROR: (1, 0x08),
}
"""It gives byte and bit of each flag in 0x359; alarms are two bytes further on."""
_KELVIN = 273
_CHARGE_ENABLE, _DISCHARGE_ENABLE = 0x80, 0x40

Frame = tuple[int, bytes]
"""It holds (identifier, data)."""


def burst(unit: StoragePlant) -> list[Frame]:
    """Returns the complete set of frames, in the order of their identifiers."""
    bms, cells = unit.bms, unit.cells
    limits = struct.pack(
        "<Hhh",
        round(bms.charge_voltage_limit_v * 10),
        round(bms.charge_limit_a * 10),
        round(bms.discharge_limit_a * 10),
    )
    measured = struct.pack(
        "<hhh",
        _int16(cells.voltage_v * 100),
        _int16(bms.measured_current_a(cells) * 10),
        _int16(cells.temperature_mean_c * 10),
    )
    requests = _CHARGE_ENABLE * bms.charge_allowed | _DISCHARGE_ENABLE * bms.discharge_allowed
    extremes = struct.pack(
        "<HHHH",
        _uint16(cells.voltage_min_v * 1000),
        _uint16(cells.voltage_max_v * 1000),
        _uint16(cells.temperature_min_c + _KELVIN),
        _uint16(cells.temperature_max_c + _KELVIN),
    )
    flags = _flag_bytes(bms.protections) + _flag_bytes(bms.alarms)
    return [
        (0x351, limits),
        (0x355, struct.pack("<HH", round(bms.soc_pct), 100)),
        (0x356, measured),
        (0x359, flags + b"\x01PN"),
        (0x35C, bytes([requests])),
        (0x35E, b"PYLON   "),
        (0x373, extremes),
    ]


def _flag_bytes(flags: int) -> bytes:
    content = bytearray(2)
    for flag, (byte, bit) in _BITS.items():
        if flags & flag:
            content[byte] |= bit
    return bytes(content)


def _int16(value: float) -> int:
    return max(-0x8000, min(0x7FFF, round(value)))


def _uint16(value: float) -> int:
    return max(0, min(0xFFFF, round(value)))
