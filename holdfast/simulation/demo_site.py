"""The demonstration site is a simulated house in its own folder, on free loopback ports."""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.quarter_hours import quarter_start
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.gpio_profile import GpioProfile
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import Outline, load_profile, outline_of
from holdfast.devices.roles import ROLES, Per
from holdfast.markets.prices import PriceSeries
from holdfast.markets.site_prices import SitePrices, SiteTariffs
from holdfast.markets.sources.entsoe import parse_entsoe
from holdfast.safety.goals import GOALS
from holdfast.simulation.net import free_port
from holdfast.simulation.sample_prices import redated
from holdfast.site.site_file import parse_site

TIMEZONE = "Europe/Berlin"
_REVERT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSite:
    """Tells where the demonstration lives."""

    config: Path
    pages_url: str
    emergency_url: str
    metrics_url: str
    broker_port: int | None
    """A broker has to listen here. None: nobody needs one."""


def sample_prices_text() -> str:
    """Returns the price document that comes with Holdfast.

    It is a sample: no market ever paid these prices.
    """
    return (files("holdfast.simulation") / "data" / "sample_day_ahead.xml").read_text("utf-8")


def make_demo_site(
    folder: Path, now: datetime, table: str | None = None, *, over_mqtt: bool = False
) -> DemoSite:
    """Makes the demonstration's folder anew: site.yaml, and sample prices moved to ``now``.

    One device follows ``table``, in all roles that it has; None: plain devices. It is behind a
    stick if it is ``over_mqtt``.

    The prices are moved so that a cheap hour begins about now, which gives the plan something
    to do while somebody watches.
    """
    state_dir = folder / "state"
    if state_dir.exists():
        shutil.rmtree(state_dir)
    folder.mkdir(parents=True, exist_ok=True)
    prices = folder / "prices.xml"
    prices.write_text(_prices_from(sample_prices_text(), now), encoding="utf-8")
    port, api_port = free_port(), free_port()
    config = folder / "site.yaml"
    content = demo_content(folder)
    if table is not None:
        content = with_table(content, table, over_mqtt=over_mqtt)
    content |= {
        "prices": demo_prices("prices.xml"),
        "planner": {"interval_s": 60},
        "gateway": {"host": "127.0.0.1", "port": port},
        "api": {"host": "127.0.0.1", "port": api_port, "open_to_view": True},
    }
    header = "# The demonstration site. Devices are simulated; prices are a sample.\n"
    config.write_text(header + yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return DemoSite(
        config=config,
        pages_url=f"http://127.0.0.1:{api_port}/",
        emergency_url=f"http://127.0.0.1:{port}/",
        metrics_url=f"http://127.0.0.1:{port}/metrics",
        broker_port=_broker_port(content),
    )


def _broker_port(content: dict[str, Any]) -> int | None:
    boxes = [device["connection"] for device in content.get("devices", {}).values()]
    return next((box["port"] for box in boxes if box["kind"] == "mqtt"), None)


def demo_prices(path: str) -> dict[str, object]:
    """Returns a household's tariff on top of the exchange's price."""
    source = {"kind": "file", "path": path}
    return {
        "purchase": {"source": source, "levies_per_kwh": 0.14, "vat_pct": 19},
        "feed_in": {"source": source, "levies_per_kwh": -0.005},
    }


def simulated_site() -> Site:
    """Returns the demonstration's house for runs in one process: nothing listens anywhere."""
    content = demo_content(Path("/nowhere")) | {"prices": demo_prices("sample")}
    return parse_site(yaml.safe_dump(content))


def sample_site_prices(site: Site) -> SitePrices:
    """Returns what the owner of ``site`` would pay and get at the sample prices.

    The sample stands in for the exchange's prices.
    """
    sample = parse_entsoe(sample_prices_text())
    tariffs = SiteTariffs(site, lambda *_: sample)
    return tariffs.prices(sample.slots[0].start_utc, sample.slots[-1].end_utc)


def demo_content(folder: Path) -> dict[str, Any]:
    """Describes a house with a battery, an inverter and PV.

    The battery is of 10 kWh, low voltage, on CAN; the inverter is of 5 kW, PV of 6 kW.
    """
    devices, meter = free_port(), free_port()
    return {
        "name": "demo",
        "timezone": TIMEZONE,
        "currency": "EUR",
        "authority": "full",
        "commissioning": {"none": "a simulated site"},
        "state_dir": "state",
        "grid": {"import_max_w": 17000, "export_max_w": 10000},
        "meter": _modbus("generic_meter", meter, 1),
        "emergency_input": _modbus("generic_emergency_input", meter, 2),
        "storage": [
            {
                "name": "battery",
                "battery": {
                    "cells_in_series": 16,
                    "capacity_wh": 10240,
                    "charge_current_max_a": 110,
                    "discharge_current_max_a": 110,
                },
                "inverter_hardware": {
                    "charge_power_max_w": 5000,
                    "discharge_power_max_w": 5000,
                    "efficiency_pct": 96,
                    "revert_timeout_s": 5,
                },
                "bms": {
                    "profile": "pylontech_lv_can",
                    "connection": {
                        "kind": "can",
                        "interface": "slcan",
                        "channel": str((folder / "can0").absolute()),
                        "acts_as_inverter": True,
                    },
                },
                "inverter": _modbus("generic_inverter", devices, 1),
                "relays": _modbus("generic_relays", devices, 2),
            }
        ],
    }


def with_table(content: dict[str, Any], table: str, *, over_mqtt: bool = False) -> dict[str, Any]:
    """Returns ``content`` of a site.yaml with one box in all roles that ``table`` has, behind a
    stick with a broker if it is ``over_mqtt``.

    Raises ConfigError if there is no such table, or nothing is simulated that it is for.
    """
    profile = outline_of(load_profile(table))
    if isinstance(profile, GpioProfile):
        raise ConfigError(f"{table}: the lines of a computer are not simulated")
    (unit,) = content["storage"]
    stick = {"kind": "modbus_mqtt", "host": "127.0.0.1", "port": free_port()}
    connection = stick if over_mqtt else unit["inverter"]["connection"]
    if Role.INVERTER not in profile.roles:
        connection = _connection(profile.protocol, unit["bms"]["connection"])
    box = {"connection": connection, "profile": table}
    whole: dict[str, Any] = {
        ROLES[role].key: "box" for role in profile.roles if ROLES[role].per is Per.SITE
    }
    if whole.get("meter") and "pv_meter" not in whole:
        whole["pv_meter"] = {"none": "its table tells of none"}
    if Role.GRID_OPERATOR in profile.roles:
        whole["grid"] = content["grid"] | {"operator": {"consumption_w": 4200, "production_w": 0}}
    if Role.LOAD_SWITCH in profile.roles:
        whole |= _switched(profile)
    if Role.LOAD_METER in profile.roles:
        whole["metered_loads"] = [{"name": "car", "meter": "box"}]
    in_unit = {ROLES[role].key: "box" for role in profile.roles if ROLES[role].per is Per.UNIT}
    if in_unit:
        unit = unit | in_unit | _understood(unit, profile)
        whole |= {} if profile.confirmed else {"authority": "limited", "limited_power_w": 5000}
    return content | whole | {"devices": {"box": box}, "storage": [unit]}


def _understood(unit: dict[str, Any], profile: Outline) -> dict[str, Any]:
    """Returns what has to be said of a unit that has such a box in it."""
    said: dict[str, Any] = {}
    if Signal.INVERTER_ENABLED in profile.lacks:
        said["relays"] = {"none": "the box has its own"}
    if isinstance(profile, ModbusProfile) and Role.INVERTER in profile.roles:
        always_s = profile.constants.get(Signal.REVERT_TIMEOUT_READBACK_S, _REVERT_S)
        said["inverter_hardware"] = unit["inverter_hardware"] | {"revert_timeout_s": always_s}
    said["accepts"] = {
        goal.value: "a simulated box" for goal, row in GOALS.items()
        if not row.of_site and row.accepted > row.unguarded
    }  # fmt: skip
    return said


def _switched(profile: Outline) -> dict[str, Any]:
    """Returns a room for a thermostat, and a boiler for a switch."""
    if Signal.ROOM_TEMPERATURE_C not in profile.signals:
        return {"loads": [{"name": "boiler", "power_w": 2000, "energy_wh": 4000, "switch": "box"}]}
    air = {"capacity_wh_per_k": 300, "loss_w_per_k": 40, "comfort": [{"low_c": 20, "high_c": 23}]}
    return {"rooms": [{"name": "parlour", "power_max_w": 1500, "switch": "box", **air}]}


def _connection(protocol: str, bus: dict[str, Any]) -> dict[str, Any]:
    """Returns where a box is that is no inverter; ``bus`` is where a battery is."""
    here = {"host": "127.0.0.1", "port": free_port()}
    match protocol:
        case "can":
            return bus
        case "http":
            return {"kind": "http", **here}
        case "mqtt":
            return {"kind": "mqtt", **here, "topic": "demo/box"}
    return {"kind": "modbus_tcp", **here, "device_id": 1}


def _modbus(profile: str, port: int, device_id: int) -> dict[str, object]:
    connection = {"kind": "modbus_tcp", "host": "127.0.0.1", "port": port, "device_id": device_id}
    return {"profile": profile, "connection": connection}


def _prices_from(text: str, now: datetime) -> str:
    """Returns the sample, moved so that its first cheap hour begins at ``now``'s quarter hour."""
    prices = parse_entsoe(text)
    first = prices.slots[0].start_utc
    quarter = quarter_start(now.astimezone(UTC))
    return redated(text, quarter - (_cheapest_hour(prices) - first))


def _cheapest_hour(prices: PriceSeries) -> datetime:
    """Returns the start of the cheapest hour of the first day."""
    end = prices.slots[0].start_utc + timedelta(days=1)
    day = [slot for slot in prices.slots if slot.start_utc < end]
    hours = [day[index : index + 4] for index in range(len(day) - 3)]
    best = min(hours, key=lambda hour: sum(slot.price_per_kwh for slot in hour))
    return best[0].start_utc
