"""This module has a ready-made site: one 10 kWh low-voltage battery, all devices on loopback."""

from pathlib import Path
from typing import Any

import yaml

from holdfast.core.config import Site
from holdfast.simulation.net import free_port
from holdfast.site.site_file import parse_site


def example_content(folder: Path, *, bms_on_can: bool = True) -> dict[str, Any]:
    """Returns the content of a ``site.yaml`` in ``folder``, with free ports; change it before use.

    Inverter and relays share a port, as device ids 1 and 2.
    """
    meter, inputs, unit, bms = (free_port() for _ in range(4))
    can = {"kind": "can", "interface": "slcan", "channel": str(folder / "can_battery")}
    return {
        "name": "example",
        "authority": "full",
        "commissioning": {"none": "a simulated site"},
        "state_dir": "state",
        "grid": {"import_max_w": 17_000, "export_max_w": 10_000},
        "meter": _modbus("generic_meter", meter),
        "emergency_input": _modbus("generic_emergency_input", inputs),
        "storage": [
            {
                "name": "battery",
                "battery": {
                    "cells_in_series": 16,
                    "capacity_wh": 10_240,
                    "charge_current_max_a": 110,
                    "discharge_current_max_a": 110,
                },
                "inverter_hardware": {"charge_power_max_w": 5000, "discharge_power_max_w": 5000},
                "accepts": {
                    "cell_overvoltage": "the pack's BMS opens at 3.65 V",
                    "cell_undervoltage": "the pack's BMS opens at 2.5 V",
                },
                "bms": {"profile": "pylontech_lv_can", "connection": can}
                if bms_on_can
                else _modbus("generic_bms", bms),
                "inverter": _modbus("generic_inverter", unit, device_id=1),
                "relays": _modbus("generic_relays", unit, device_id=2),
            }
        ],
    }


def example_loads(port: int | None = None) -> dict[str, Any]:
    """Returns ``loads`` and ``rooms`` of a ``site.yaml``: a boiler, a heater with a thermometer,
    and a thermostat.

    Their switches share ``port`` (None: a free one), as device ids 3 to 5: an inverter and its
    relays may share it too.
    """
    port = free_port() if port is None else port
    room = {"capacity_wh_per_k": 300, "loss_w_per_k": 40, "comfort": [{"low_c": 20, "high_c": 23}]}
    return {
        "loads": [
            {
                "name": "boiler",
                "power_w": 2000,
                "energy_wh": 4000,
                "switch": _modbus("generic_load_switch", port, device_id=3),
            }
        ],
        "rooms": [
            {
                "name": "parlour",
                "power_max_w": 1500,
                "switch": _modbus("generic_room_switch", port, device_id=4),
                **room,
            },
            {
                "name": "bath",
                "power_max_w": 800,
                "switch": _modbus("generic_thermostat", port, device_id=5),
                **room,
            },
        ],
    }


def example_site(folder: Path, *, bms_on_can: bool = True) -> Site:
    """Returns the site of :func:`example_content`."""
    content = example_content(folder, bms_on_can=bms_on_can)
    return parse_site(yaml.safe_dump(content), folder=folder)


def _modbus(profile: str, port: int, *, device_id: int = 1) -> dict[str, Any]:
    connection = {
        "kind": "modbus_tcp",
        "host": "127.0.0.1",
        "port": port,
        "device_id": device_id,
    }
    return {"profile": profile, "connection": connection}
