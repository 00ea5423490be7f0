"""The simulated batteries on CAN are these, by the profile that reads them."""

from collections.abc import Callable
from dataclasses import dataclass

from holdfast.simulation.plant.storage import StoragePlant
from holdfast.simulation.servers.pylontech import Frame, burst
from holdfast.simulation.servers.pylontech_hv import ASKED_BY, ensemble
from holdfast.simulation.servers.sunny_island import sunny_island_burst


@dataclass(frozen=True, slots=True, kw_only=True)
class CanDialect:
    """Says what a battery sends, and when."""

    frames: Callable[[StoragePlant], list[Frame]]
    asked_by: int | None = None
    """It answers frames with this identifier. None: it speaks by itself."""


DIALECTS: dict[str, CanDialect] = {
    "pylontech_lv_can": CanDialect(frames=burst),
    "sma_victron_lv_can": CanDialect(frames=sunny_island_burst),
    "pylontech_hv_can": CanDialect(frames=ensemble, asked_by=ASKED_BY),
}
