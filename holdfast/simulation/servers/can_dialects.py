"""The simulated batteries on CAN are these, by the profile that reads them."""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.simulation.plant.storage import StoragePlant
from holdfast.simulation.servers import foxess_hv, growatt_lv
from holdfast.simulation.servers.byd_lvs import byd_lvs_burst
from holdfast.simulation.servers.foxess_hv import foxess_hv_answer
from holdfast.simulation.servers.growatt_lv import growatt_lv_answer
from holdfast.simulation.servers.pylontech import Frame, burst
from holdfast.simulation.servers.pylontech_hv import ASKED_BY, ensemble
from holdfast.simulation.servers.sunny_island import sunny_island_burst


@dataclass(frozen=True, slots=True, kw_only=True)
class CanDialect:
    """Says what a battery sends, and when."""

    frames: Callable[[StoragePlant], list[Frame]]
    asked_by: int | None = None
    """It answers frames with this identifier. None: it speaks by itself."""
    asked_with: bytes = b""
    """So the data of such a frame begins."""


DIALECTS: dict[str, CanDialect] = {
    "pylontech_lv_can": CanDialect(frames=burst),
    "sma_victron_lv_can": CanDialect(frames=sunny_island_burst),
    "pylontech_hv_can": CanDialect(frames=ensemble, asked_by=ASKED_BY, asked_with=b"\0"),
    "byd_lvs_can": CanDialect(frames=byd_lvs_burst),
    "growatt_lv_can": CanDialect(frames=growatt_lv_answer, asked_by=growatt_lv.ASKED_BY),
    "foxess_hv_can": CanDialect(
        frames=foxess_hv_answer, asked_by=foxess_hv.ASKED_BY, asked_with=foxess_hv.ASKED_WITH
    ),
}
