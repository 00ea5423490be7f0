"""Bounds come from site.yaml: the limit table and the derating curves measure from them."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from holdfast.core.config import Site, StorageUnit

Bound = Callable[[Any], float]
"""Maps the storage unit, or for a row of the site the site, to the bound."""

CELL_MAX: Bound = attrgetter("battery.cell_voltage_max_v")
CELL_MIN: Bound = attrgetter("battery.cell_voltage_min_v")
CHARGE_RATED: Bound = attrgetter("battery.charge_current_max_a")
CHARGE_HOT: Bound = attrgetter("battery.charge_temperature_max_c")
CHARGE_COLD: Bound = attrgetter("battery.charge_temperature_min_c")
CELL_HOT: Bound = attrgetter("battery.discharge_temperature_max_c")
CELL_COLD: Bound = attrgetter("battery.discharge_temperature_min_c")
SOC_MAX: Bound = attrgetter("operation.soc_max_pct")
SOC_MIN: Bound = attrgetter("operation.soc_min_pct")
IMPORT_MAX: Bound = attrgetter("grid.import_max_w")
GRID_VOLTAGE: Bound = attrgetter("grid.nominal_voltage_v")
GRID_FREQUENCY: Bound = attrgetter("grid.nominal_frequency_hz")


def pack_max(unit: StorageUnit) -> float:
    """Returns the cells' own upper limit, times the cells, in V."""
    return unit.battery.cell_voltage_max_v * unit.battery.cells_in_series


def pack_min(unit: StorageUnit) -> float:
    """Returns the cells' own lower limit, times the cells, in V."""
    return unit.battery.cell_voltage_min_v * unit.battery.cells_in_series


def discharge_rated(unit: StorageUnit) -> float:
    """Returns the rating as a current, which is negative while discharging, in A."""
    return -unit.battery.discharge_current_max_a


def rated_power(unit: StorageUnit) -> float:
    """Returns the larger of both directions, in W."""
    return max(unit.charge_power_max_w, unit.discharge_power_max_w)


def site_power(site: Site) -> float:
    """Returns the rated power of all storage units together, W."""
    return sum(map(rated_power, site.storage))


def export_max(site: Site) -> float:
    """Returns the limit as a power at the grid, which is negative while exporting, in W."""
    return -site.grid.export_max_w


def link_mismatch_max(unit: StorageUnit) -> float:
    """A full step of power between two samples of the pack moves it by a sixth of this, in V."""
    return 0.05 * pack_max(unit)


def fixed(value: float) -> Bound:
    """Returns a bound that is the same for every site."""
    return lambda _: value
