"""A low-voltage battery that speaks as SMA Sunny Island and Victron want it has these frames.

This is written from SMA's "FSS-ConnectingBat-TI-en-10" and what Victron's CAN-bms sends, not from
the profile that reads them: one checks the other.
"""

import struct

from holdfast.simulation.plant.bms import BmsFlag
from holdfast.simulation.plant.storage import StoragePlant
from holdfast.simulation.servers.pylontech import Frame, burst

_PAIRS: dict[BmsFlag, tuple[int, int]] = {
    BmsFlag.OVER_VOLTAGE: (0, 2),
    BmsFlag.UNDER_VOLTAGE: (0, 4),
    BmsFlag.OVER_TEMPERATURE: (0, 6),
    BmsFlag.UNDER_TEMPERATURE: (1, 0),
    BmsFlag.DISCHARGE_OVER_CURRENT: (1, 6),
    BmsFlag.CHARGE_OVER_CURRENT: (2, 0),
    BmsFlag.SYSTEM_ERROR: (2, 6),
}
"""It gives byte and lower bit of each alarm in 0x35A; warnings are four bytes further on."""
_ARRIVED, _GONE = 0b01, 0b10
_AS_PYLONTECH = frozenset({0x351, 0x356, 0x373})


def sunny_island_burst(unit: StoragePlant) -> list[Frame]:
    """Returns the complete set of frames, in the order of their identifiers."""
    bms, hardware = unit.bms, unit.bms.hardware
    shared = {id_: data for id_, data in burst(unit) if id_ in _AS_PYLONTECH}
    lowest_v = hardware.cells_in_series * hardware.cell_voltage_min_v
    charge = struct.pack("<HHH", round(bms.soc_pct), 100, round(bms.soc_pct * 100))
    return [
        (0x351, shared[0x351] + struct.pack("<H", round(lowest_v * 10))),
        (0x355, charge),
        (0x356, shared[0x356]),
        (0x35A, _pairs(bms.protections) + _pairs(bms.alarms)),
        (0x35E, b"HOLDFAST"),
        (0x35F, struct.pack("<HHHH", 0, 1, 100, 0)),
        (0x373, shared[0x373]),
    ]


def _pairs(flags: int) -> bytes:
    content = bytearray(4)
    for byte in range(4):
        for bit in range(0, 8, 2):
            content[byte] |= _GONE << bit
    for flag, (byte, bit) in _PAIRS.items():
        if flags & flag:
            content[byte] ^= (_ARRIVED | _GONE) << bit
    return bytes(content)
