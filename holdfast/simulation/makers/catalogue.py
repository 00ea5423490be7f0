"""Which maker's box stands behind a table that comes with Holdfast."""

from collections.abc import Mapping

from holdfast.simulation.makers.box import Box
from holdfast.simulation.makers.foxess import FoxH3
from holdfast.simulation.makers.growatt import GrowattMod, GrowattSph, GrowattVpp

BOXES: Mapping[str, type[Box]] = {
    "foxess_h3": FoxH3,
    "growatt_sph": GrowattSph,
    "growatt_mod": GrowattMod,
    "growatt_vpp": GrowattVpp,
}
"""By the name of the table. A table of an owner's own is served by what it says itself."""
