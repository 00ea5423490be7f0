"""This module tells lines of earlier versions as this version tells them.

They had an event of its own for each kind of actuator. A log is never rewritten, so they stand in
it for as long as it is kept.
"""

import json
from collections.abc import Callable
from typing import Any

_Fields = dict[str, Any]


def present_event(content: bytes) -> bytes:
    """Returns an event's ``content`` as of this version. Raises ValueError for a broken old one."""
    kind = next((kind for kind in _OLD if content.startswith(b'{"kind":"%s"' % kind.encode())), "")
    if not kind:
        return content
    try:
        return json.dumps({"kind": "quantity"} | _OLD[kind](json.loads(content))).encode()
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"an event of kind {kind} in pieces: {error!r}") from error


def _setpoint(old: _Fields) -> _Fields:
    beside = {
        "soc_pct": old["soc_pct"],
        "pack_voltage_v": old["pack_voltage_v"],
        "charge_current_limit_a": old["charge_limit_a"],
        "discharge_current_limit_a": old["discharge_limit_a"],
    }
    return {
        "quantity": {
            "owner": old["unit"],
            "name": "battery_power",
            "unit": "W",
            "asked": old["asked_w"],
            "asked_of_site": old["request_w"],
            "source": old["source"],
            "reason": old["reason"],
            "low": old["min_w"],
            "low_by": old["min_by"],
            "high": old["max_w"],
            "high_by": old["max_by"],
            "limited_by": old["limited_by"],
            "permitted": old["permitted_w"],
            "ramped": old["ramped_w"],
            "written": old["written_w"],
            "read_back": old["read_back_w"],
            "measured": old["measured_w"],
        },
        "slot": old["slot"],
        "grid_power_w": old["grid_power_w"],
        "beside": _known(beside),
        "causes": old["causes"],
        "left_out": old["writes"] - 1,
        "lowest": old["lowest_w"],
        "highest": old["highest_w"],
    }


def _export_limit(old: _Fields) -> _Fields:
    return {
        "quantity": {
            "owner": old["unit"],
            "name": "export_limit",
            "unit": "W",
            "asked": None,
            "source": "plan" if old["by_plan"] else "grid_connection",
            "reason": old["reason"],
            "permitted": None,
            "written": old["limit_w"],
            "read_back": None,
            "measured": None,
        },
        "left_out": old["changes"] - 1,
    }


def _load(old: _Fields) -> _Fields:
    """Converts a line about a load: of a switch, or else of a thermostat."""
    switched, temperature_c = old["on"] is not None, old["temperature_c"]
    return {
        "quantity": {
            "owner": old["load"],
            "name": "load" if switched else "room_setpoint",
            "unit": "0/1" if switched else "°C",
            "asked": None,
            "source": old["source"],
            "reason": old["reason"],
            "high_by": old["blocked_by"],
            "limited_by": old["blocked_by"],
            "permitted": None,
            "written": float(old["on"]) if switched else old["setpoint_c"],
            "read_back": None,
            "measured": None if switched else temperature_c,
        },
        "beside": _known({"room_temperature_c": temperature_c}),
        "left_out": old["switches"] - 1,
    }


def _known(readings: dict[str, float | None]) -> dict[str, float]:
    return {signal: value for signal, value in readings.items() if value is not None}


_OLD: dict[str, Callable[[_Fields], _Fields]] = {
    "setpoint": _setpoint,
    "export_limit": _export_limit,
    "load": _load,
}
