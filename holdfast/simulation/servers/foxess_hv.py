"""A Fox ESS high-voltage battery on CAN has its frames coded from what others have captured.

This is written from the lists of FozzieUK and hughes4262, not from the profile that reads them: one
checks the other.
"""

import struct

from holdfast.simulation.plant.storage import StoragePlant
from holdfast.simulation.servers.pylontech import Frame

ASKED_BY = 0x1871
ASKED_WITH = b"\x01\x00\x01\x00\x00"
"""So it begins when it asks for the whole battery, and not for single packs."""
_NO_CHARGE, _FAULT = 0x01, 0x02
_CONSTANT_MV = 3300
"""0x1874 has this where voltages of cells would be."""
_CHARGING, _DISCHARGING = 0x35, 0x2B


def foxess_hv_answer(unit: StoragePlant) -> list[Frame]:
    """Returns what the battery tells of itself as a whole, in the order of the identifiers."""
    bms, cells, hardware = unit.bms, unit.cells, unit.bms.hardware
    current_a = bms.measured_current_a(cells)
    limits = (
        round(bms.charge_voltage_limit_v * 10),
        round(hardware.cells_in_series * hardware.cell_voltage_min_v * 10),
        round(bms.charge_limit_a * 10),
        round(bms.discharge_limit_a * 10),
    )
    left_wh = hardware.capacity_wh * bms.soc_pct / 100.0
    measured = (round(cells.voltage_v * 10), round(current_a * 10), round(bms.soc_pct), 0)
    temperatures = (round(cells.temperature_max_c * 10), round(cells.temperature_min_c * 10))
    highest, lowest = round(cells.voltage_max_v * 1000), round(cells.voltage_min_v * 1000)
    no_charge = 0 if bms.charge_allowed else _NO_CHARGE
    fault = _FAULT if bms.protections else 0
    state = _CHARGING if current_a > 0.0 else _DISCHARGING
    return [
        (0x1872, struct.pack("<HHHH", *limits)),
        (0x1873, struct.pack("<HhBBH", *measured, round(left_wh / 10.0))),
        (0x1874, struct.pack("<hhHH", *temperatures, _CONSTANT_MV, _CONSTANT_MV)),
        (0x1875, struct.pack("<hBBBBH", temperatures[0], 0xFF, 8, 1, 0, 142)),
        (0x1876, struct.pack("<HHHH", no_charge, highest, 0, lowest)),
        (0x1877, bytes([fault, 0, 0, 0, 0x52, 0, 0x12, 0x01])),
        (0x1878, struct.pack("<HHI", 2567, 0, 0)),
        (0x1879, bytes([0, state, 0, 0, 0, 0, 0, 0])),
    ]
