"""A Growatt low-voltage battery on CAN has its frames coded from the protocol document.

This is written from "Growatt BMS CAN-Bus-protocol low voltage V1.04" and what was captured of two
GBLI6532, not from the profile that reads them: one checks the other.
"""

import struct

from holdfast.simulation.plant.bms import BmsFlag
from holdfast.simulation.plant.storage import StoragePlant
from holdfast.simulation.servers.pylontech import Frame

ASKED_BY = 0x301
_STANDBY, _CHARGING, _DISCHARGING = 0b01, 0b10, 0b11
_DISCHARGE_ENABLE, _CHARGE_ENABLE = 0x20, 0x40
_STOOD_STILL = 0x60
"""What a real one has in the place of permissions in 0x319, whatever it permits."""
_BITS = {
    BmsFlag.UNDER_VOLTAGE: 1,
    BmsFlag.OVER_VOLTAGE: 2,
    BmsFlag.CHARGE_OVER_CURRENT: 6,
    BmsFlag.DISCHARGE_OVER_CURRENT: 7,
    BmsFlag.UNDER_TEMPERATURE: 9,
    BmsFlag.OVER_TEMPERATURE: 10,
    BmsFlag.SYSTEM_ERROR: 12,
}
"""The document has a bit for each; which it is makes no difference to who reads any of them."""


def growatt_lv_answer(unit: StoragePlant) -> list[Frame]:
    """Returns what the battery tells when it is asked, in the order of the identifiers."""
    bms, cells = unit.bms, unit.cells
    current_a = bms.measured_current_a(cells)
    state = _CHARGING if current_a > 0.05 else _DISCHARGING if current_a < -0.05 else _STANDBY
    permits = _CHARGE_ENABLE * bms.charge_allowed | _DISCHARGE_ENABLE * bms.discharge_allowed
    limits = (
        round(bms.charge_voltage_limit_v * 10),
        round(bms.charge_limit_a * 10),
        round(bms.discharge_limit_a * 10),
    )
    measured = (
        round(cells.voltage_v * 100),
        round(current_a * 10),
        round(cells.temperature_max_c * 10),
        round(bms.soc_pct),
        100,
    )
    extremes = (round(cells.voltage_max_v * 1000), round(cells.voltage_min_v * 1000))
    flags = _flags(bms.protections), _flags(bms.alarms)
    return [
        (0x311, struct.pack(">HHHBB", *limits, state << 2, state | permits)),
        (0x312, struct.pack(">HHBBBB", *flags, 1, 0xAA, 0xBB, bms.hardware.cells_in_series)),
        (0x313, struct.pack(">hhhBB", *measured)),
        (0x314, struct.pack(">HHHH", 5000, 10_000, extremes[0] - extremes[1], 12)),
        (0x319, struct.pack(">BHHBBB", _STOOD_STILL, *extremes, 1, 2, 0)),
        (0x320, b"GT\x01\x01" + bytes(4)),
        (0x321, bytes(8)),
    ]


def _flags(raised: int) -> int:
    return sum(1 << bit for flag, bit in _BITS.items() if raised & flag)
