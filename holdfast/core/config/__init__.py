"""The configuration of a site says what is installed and what is wanted.

Each section of site.yaml has a module. Every key has a unit in its name. Unknown keys are errors,
and so is an operating limit that is looser than what the hardware permits.
"""

from holdfast.core.config.grid import Grid, OperatorLimits
from holdfast.core.config.planner import PlannerOptions
from holdfast.core.config.pv import Location, PvArray, PvPlant, Weather
from holdfast.core.config.site import CycleTiming, Gateway, Site
from holdfast.core.config.storage import (
    BatteryHardware,
    InverterHardware,
    LevelOverride,
    Operation,
    StorageUnit,
)

__all__ = [
    "BatteryHardware",
    "CycleTiming",
    "Gateway",
    "Grid",
    "InverterHardware",
    "LevelOverride",
    "Location",
    "Operation",
    "OperatorLimits",
    "PlannerOptions",
    "PvArray",
    "PvPlant",
    "Site",
    "StorageUnit",
    "Weather",
]
