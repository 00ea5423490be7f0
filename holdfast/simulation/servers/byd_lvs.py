"""A BYD Battery-Box Premium LVS on CAN has the frames that were read off a real one.

This is written from what dfch/BydCanProtocol saw of it at a Victron GX, not from the profile that
reads them: one checks the other.
"""

import struct

from holdfast.simulation.plant.storage import StoragePlant
from holdfast.simulation.servers.pylontech import Frame, burst
from holdfast.simulation.servers.sunny_island import sunny_island_burst

_AS_PYLONTECH = frozenset({0x356, 0x373})
_AS_SUNNY_ISLAND = frozenset({0x351, 0x35A})
_ORDER = (
    0x35E, 0x382, 0x35F, 0x35A, 0x35B, 0x351, 0x355, 0x356, 0x360, 0x372, 0x373,
)  # fmt: skip


def byd_lvs_burst(unit: StoragePlant) -> list[Frame]:
    """Returns the complete set of frames, each of eight bytes, in the order in which they come."""
    told = {id_: data for id_, data in burst(unit) if id_ in _AS_PYLONTECH}
    told |= {id_: data for id_, data in sunny_island_burst(unit) if id_ in _AS_SUNNY_ISLAND}
    told |= {
        0x355: struct.pack("<HH", round(unit.bms.soc_pct), 100),
        0x35B: b"",
        0x35E: b"BYD",
        0x35F: b"Li\x01\x17" + struct.pack("<H", 105),
        0x360: b"",
        0x372: struct.pack("<H", 2),
        0x382: b"PREMIUM",
    }
    return [(id_, told[id_].ljust(8, b"\0")) for id_ in _ORDER]
