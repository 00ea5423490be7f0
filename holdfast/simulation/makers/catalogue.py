"""Which maker's box stands behind a table that comes with Holdfast."""

from collections.abc import Mapping

from holdfast.simulation.makers.box import Box
from holdfast.simulation.makers.foxess import FoxH1, FoxH1G2, FoxH3, FoxH3Pro
from holdfast.simulation.makers.fronius import FroniusGen24
from holdfast.simulation.makers.goodwe import GoodWeEt
from holdfast.simulation.makers.growatt import GrowattMod, GrowattSph, GrowattVpp
from holdfast.simulation.makers.huawei import HuaweiSun2000
from holdfast.simulation.makers.sma import SunnyBoyStorage, SunnyIsland
from holdfast.simulation.makers.solaredge import StorEdge
from holdfast.simulation.makers.sungrow import SungrowSh
from holdfast.simulation.makers.sunspec import Der704
from holdfast.simulation.makers.victron import VictronGx, VictronGx3p

BOXES: Mapping[str, type[Box]] = {
    "foxess_h1": FoxH1,
    "foxess_h1_g2": FoxH1G2,
    "foxess_h3": FoxH3,
    "growatt_sph": GrowattSph,
    "growatt_mod": GrowattMod,
    "growatt_vpp": GrowattVpp,
    "foxess_h3_pro": FoxH3Pro,
    "solaredge_storedge": StorEdge,
    "sungrow_sh": SungrowSh,
    "goodwe_et": GoodWeEt,
    "huawei_sun2000": HuaweiSun2000,
    "sma_sbs": SunnyBoyStorage,
    "sma_sunny_island": SunnyIsland,
    "victron_gx": VictronGx,
    "victron_gx_3p": VictronGx3p,
    "fronius_gen24": FroniusGen24,
    "sunspec_704": Der704,
}
"""By the name of the table. A table of an owner's own is served by what it says itself."""
