"""A quantity is on its way to a device: it tells of every actuator in the same words.

Whoever reads it needs nothing of the control cycle.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.device_mode import mode_of
from holdfast.core.signals import BARE_UNITS

ON_OFF = "0/1"
"""This is the unit of what is on or off."""
MODE = "mode"
"""This is the unit of a rule that an inverter keeps by itself, told by its number."""
METRIC_UNITS = {"W": "watts", "°C": "celsius", ON_OFF: "on", MODE: "number"}
"""These names stand for each unit in the name of a metric."""
_DECIMALS = {"W": 0, "°C": 1}


class QuantityName(StrEnum):
    """Names what Holdfast sets; the table of quantities says how each is taken from a cycle."""

    BATTERY_POWER = "battery_power"
    DEVICE_MODE = "device_mode"
    EXPORT_LIMIT = "export_limit"
    PV_SWITCH = "pv_switch"
    LOAD = "load"
    ROOM_SETPOINT = "room_setpoint"


MEANINGS = {
    QuantityName.BATTERY_POWER: "power of a storage unit, + charging",
    QuantityName.DEVICE_MODE: "rule that an inverter keeps by itself, 0 if it follows its setpoint",
    QuantityName.EXPORT_LIMIT: "most that an inverter lets the site export, by throttling PV",
    QuantityName.PV_SWITCH: "whether an inverter lets its PV through",
    QuantityName.LOAD: "whether a flexible load or a room's heat has power",
    QuantityName.ROOM_SETPOINT: "temperature of a room, kept by its thermostat",
}
assert MEANINGS.keys() == set(QuantityName)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """Holds one value, layer by layer. None is not known or does not apply; 1 is on, 0 is off."""

    owner: str
    """Names the storage unit, flexible load or heated room."""
    name: str
    unit: str
    asked: float | None
    """Tells what is asked of this owner."""
    asked_of_site: float | None = None
    """Tells what is asked of all owners together, where it is divided among them."""
    source: str
    """Tells who asks."""
    reason: str
    low: float | None = None
    """Values are permitted from here"""
    low_by: str = ""
    high: float | None = None
    """to here; ``low_by`` and ``high_by`` tell what sets either end."""
    high_by: str = ""
    limited_by: str = ""
    """Tells what keeps the wish from being served whole; empty if it is."""
    permitted: float | None
    """Tells what the permit leaves of what is asked."""
    ramped: float | None = None
    """Tells what the ramp has reached of it."""
    written: float | None
    """Tells what the device was last told."""
    read_back: float | None
    measured: float | None


def by_owner(quantities: Iterable[Quantity], name: QuantityName) -> dict[str, Quantity]:
    """Returns those of one name, by owner."""
    return {quantity.owner: quantity for quantity in quantities if quantity.name == name}


def words(name: str) -> str:
    """Returns the name of a quantity, for people."""
    return name.replace("_", " ")


def number(value: float | None, unit: str, *, grouped: bool = False) -> str:
    """Returns a value without its unit, for a table; a dash for what is not known.

    >>> number(-2394.4, "W"), number(20.46, "°C"), number(1.0, "0/1"), number(None, "W")
    ('-2394', '20.5', 'on', '–')
    >>> number(1.0, "mode"), number(0.0, "mode")
    ('load_first', 'setpoint')
    """
    if value is None or not math.isfinite(value):
        return "–"
    if unit == ON_OFF:
        return "on" if value else "off"
    if unit == MODE:
        return str(mode_of(value) or "setpoint")
    decimals = _DECIMALS.get(unit)
    if decimals is None:
        return f"{value:g}"
    rounded = round(value, decimals) + 0.0  # no minus before a zero
    return f"{rounded:,.{decimals}f}" if grouped else f"{rounded:.{decimals}f}"


def amount(value: float | None, unit: str) -> str:
    """Returns a value with its unit, for a sentence.

    >>> amount(-2394.4, "W"), amount(0.0, "0/1"), amount(None, "W"), amount(0.95, "pu")
    ('-2,394 W', 'off', '–', '0.95 pu')
    """
    text = number(value, unit, grouped=True)
    return text if text == "–" or unit in BARE_UNITS else f"{text} {unit}"
