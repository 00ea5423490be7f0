"""Device modes are rules that an inverter keeps by itself, where it is told no setpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class DeviceMode(StrEnum):
    """Names what an inverter can be left to do by itself."""

    LOAD_FIRST = "load_first"
    BATTERY_FIRST = "battery_first"
    GRID_FIRST = "grid_first"
    TIME_OF_USE = "time_of_use"
    BACKUP_RESERVE = "backup_reserve"
    OWN_RULE = "own_rule"
    """It is given back: what it then does is its owner's and its maker's affair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeRow:
    """Tells what the batteries may do in a mode; power and stop-SOC are set with it."""

    charges_from_grid: bool
    serves_load: bool
    exports: bool
    must_serve: bool = False
    """The load is served as far as power reaches: nobody asks."""

    @property
    def discharges(self) -> bool:
        """Says whether the battery may give power in this mode."""
        return self.serves_load or self.exports


MODES: Mapping[DeviceMode, ModeRow] = {
    # mode                                charges_from_grid        serves_load        exports
    DeviceMode.LOAD_FIRST: ModeRow(
        charges_from_grid=False, serves_load=True, exports=False, must_serve=True
    ),
    DeviceMode.BATTERY_FIRST: ModeRow(charges_from_grid=True, serves_load=False, exports=False),
    DeviceMode.GRID_FIRST: ModeRow(charges_from_grid=False, serves_load=True, exports=True),
    DeviceMode.TIME_OF_USE: ModeRow(charges_from_grid=True, serves_load=True, exports=False),
    DeviceMode.BACKUP_RESERVE: ModeRow(charges_from_grid=False, serves_load=False, exports=False),
    DeviceMode.OWN_RULE: ModeRow(charges_from_grid=True, serves_load=True, exports=True),
}
"""PV surplus charges in every mode but GRID_FIRST. As Growatt's hybrids do it: battery_first
charges from the grid too, and load_first serves the load whatever the plan would like."""

assert tuple(MODES) == tuple(DeviceMode), "each mode has one row, in the order of their names"

PLANNED = tuple(mode for mode in DeviceMode if mode is not DeviceMode.OWN_RULE)
"""A plan may ask for these: of the others nobody knows what the battery will do."""
ON_ISLAND = (DeviceMode.OWN_RULE, DeviceMode.LOAD_FIRST)
"""In these an inverter that carries an island serves its load; the first that it knows counts."""

NO_MODE = 0.0
"""Stands, where a mode is a number, for an inverter that follows its setpoint."""


def number_of(mode: DeviceMode | None) -> float:
    """Returns the number that stands for ``mode``.

    >>> number_of(None), number_of(DeviceMode.LOAD_FIRST)
    (0.0, 1.0)
    """
    return NO_MODE if mode is None else float(1 + tuple(DeviceMode).index(mode))


def mode_of(number: float) -> DeviceMode | None:
    """Returns the mode for which ``number`` stands; None for one that is none.

    >>> mode_of(1.0)
    <DeviceMode.LOAD_FIRST: 'load_first'>
    """
    return next((mode for mode in DeviceMode if number_of(mode) == number), None)
