"""Which maker's box stands behind a table that comes with Holdfast."""

from collections.abc import Mapping

from holdfast.simulation.makers.box import Box
from holdfast.simulation.makers.foxess import FoxH3
from holdfast.simulation.makers.fronius import FroniusGen24
from holdfast.simulation.makers.sunspec import Der704

BOXES: Mapping[str, type[Box]] = {
    "foxess_h3": FoxH3,
    "fronius_gen24": FroniusGen24,
    "sunspec_704": Der704,
}
"""By the name of the table. A table of an owner's own is served by what it says itself."""
