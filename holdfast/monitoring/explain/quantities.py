"""This module tells what Holdfast sets beside the batteries' power, and why: a sentence each."""

from collections.abc import Callable, Iterator

from holdfast.control.loads.gate import IMPORT_LIMIT
from holdfast.core.asked_slot import AskedBy
from holdfast.core.signals import Signal
from holdfast.monitoring.explain.situation import Situation
from holdfast.monitoring.explain.wording import capital
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName, amount, by_owner, words

_STAYS_ON = "the grid connection has no room for more import, or that cannot be told"
_SAME_W = 10.0
"""Two limits that are closer to each other than this are one."""
_BLOCKED_BY = {
    "authority_observe": "the site only observes",
    "state_boot": "the self-test is not through",
    "state_stopped": "the emergency stop is latched",
    IMPORT_LIMIT: "an import limit was exceeded, or the batteries could not hold it",
    "island": "the site is an island",
}
"""Tells what keeps loads off; anything else is a fault that has tripped."""


def quantity_sentences(situation: Situation) -> Iterator[str]:
    """Yields a sentence for each quantity; an empty one where there is nothing to tell."""
    for quantity in situation.quantities:
        yield _SENTENCES.get(quantity.name, _any)(quantity, situation)


def _elsewhere(_quantity: Quantity, _situation: Situation) -> str:
    return ""


def _load(load: Quantity, situation: Situation) -> str:
    """Tells of a load; empty for a thermostat, which goes on and off by itself."""
    if load.owner in by_owner(situation.quantities, QuantityName.ROOM_SETPOINT):
        return ""
    return _loads_sentence(f"Load {load.owner} is", load, situation)


def _room_setpoint(room: Quantity, situation: Situation) -> str:
    heated = "is heated and " if situation.reading(room.owner, Signal.LOAD_ON) else ""
    return _loads_sentence(f"Room {room.owner} {heated}is to keep", room, situation)


def _loads_sentence(does: str, load: Quantity, situation: Situation) -> str:
    value = load.written if situation.recorded else load.read_back
    if value is None:
        return ""
    temperature_c = situation.reading(load.owner, Signal.ROOM_TEMPERATURE_C)
    at = "" if temperature_c is None else f", at {amount(temperature_c, '°C')}"
    why = load.reason
    if load.limited_by:
        why = f"it may not run, since {_BLOCKED_BY.get(load.limited_by, load.limited_by)}"
    return f"{does} {amount(value, load.unit)}{at}: {why}."


def _export_limit(limit: Quantity, situation: Situation) -> str:
    """Tells of an export limit; empty unless a plan set it or the inverter does not obey."""
    if limit.written is None:
        return ""
    told = (
        f"The inverter of {limit.owner} was told to let the site export "
        f"{amount(limit.written, limit.unit)} at most"
    )
    shown_w = None if situation.recorded else limit.read_back
    if shown_w is not None and abs(shown_w - limit.written) > _SAME_W:
        return f"{told}, and shows {amount(shown_w, limit.unit)}."
    return f"{told}, by throttling PV: {limit.reason}." if limit.source == AskedBy.PLAN else ""


def _pv_switch(switch: Quantity, situation: Situation) -> str:
    """Tells of PV that is off, is to be, or does not obey; empty where it is simply on."""
    if switch.written is None:
        return ""
    shown = None if situation.recorded else switch.read_back
    if shown is not None and shown != switch.written:
        does = f"was told to be {amount(switch.written, switch.unit)}"
        return f"PV behind {switch.owner} {does}, and shows {amount(shown, switch.unit)}."
    if not switch.written:
        return f"PV behind {switch.owner} is switched off: {switch.reason}."
    if switch.limited_by:
        return f"PV behind {switch.owner} stays on, since {_STAYS_ON}."
    return ""


def _device_mode(mode: Quantity, situation: Situation) -> str:
    """Tells of an inverter that keeps a rule of its own, or is to and may not."""
    value = mode.written if situation.recorded else mode.read_back
    if mode.limited_by:
        return (
            f"The inverter of {mode.owner} was to be left to {amount(mode.asked, mode.unit)}, and "
            f"follows its setpoint: not all that it might do is permitted ({mode.limited_by})."
        )
    if not value:
        return ""
    return f"The inverter of {mode.owner} is left to {amount(value, mode.unit)}: {mode.reason}."


def _any(quantity: Quantity, situation: Situation) -> str:
    value = quantity.written if situation.recorded else quantity.read_back
    if value is None:
        return ""
    limited = f", limited by {quantity.limited_by}" if quantity.limited_by else ""
    return (
        f"{capital(words(quantity.name))} of {quantity.owner} is {amount(value, quantity.unit)}"
        f"{limited}: {quantity.reason}."
    )


_SENTENCES: dict[str, Callable[[Quantity, Situation], str]] = {
    QuantityName.BATTERY_POWER: _elsewhere,
    QuantityName.LOAD: _load,
    QuantityName.ROOM_SETPOINT: _room_setpoint,
    QuantityName.DEVICE_MODE: _device_mode,
    QuantityName.EXPORT_LIMIT: _export_limit,
    QuantityName.PV_SWITCH: _pv_switch,
}
"""These have words of their own."""
