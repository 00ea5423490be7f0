"""Roles tell what a device does on a site. :mod:`holdfast.devices.roles` says what each entails."""

from enum import StrEnum


class Role(StrEnum):
    """Tells what a device does for the site, one of its storage units, or one of its loads."""

    BMS = "bms"
    INVERTER = "inverter"
    RELAYS = "relays"
    METER = "meter"
    PV_METER = "pv_meter"
    EMERGENCY_INPUT = "emergency_input"
    GRID_OPERATOR = "grid_operator"
    """It tells of the limits that the grid operator sets."""
    LOAD_SWITCH = "load_switch"
    """It switches a flexible load or a heated room."""
    LOAD_METER = "load_meter"
    """It measures one load, such as a wallbox."""


DeviceKey = tuple[str, Role]
"""Names a device of a site: its owner (the site, a storage unit, or a load), and its role there."""
