"""YAML and DBC: tables of devices, and site.yaml, as an owner may write them."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import assert_never

import yaml

from fuzz.believed import check_told
from fuzz.plant import house_content
from fuzz.target import Target
from holdfast.core.errors import ConfigError
from holdfast.core.strict_yaml import MAX_CHARACTERS
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.gpio_profile import GpioProfile
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.json_path import Document
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.profile import Outline, Profile, outline_of, parse_profile
from holdfast.site.check import check_site
from holdfast.site.doubts import doubts
from holdfast.site.site_file import parse_site

_NOW_NS = 10**12
_LINE = re.compile(r"\bline \d+")
_TOO_LONG = f"and {MAX_CHARACTERS} are permitted"
_LONGEST = 8192


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="fuzz-")


# ------------------------------------------------------------------ tables of devices


def _run_table(data: bytes) -> bool:
    return _taken(_text(data), Path(_folder().name))


def _taken(text: str, folder: Path) -> bool:
    """Says whether a table is accepted. One that is can be used; any other is told why, and
    where."""
    try:
        profile = parse_profile(text, source="table", folder=folder)
    except ConfigError as error:
        told = str(error)
        assert _LINE.search(told) or _TOO_LONG in told, f"it is not told where: {told}"
        return False
    _use(profile)
    return True


def _use(profile: Profile) -> None:
    """Does with a table what is done with every other."""
    outline = outline_of(profile)
    assert outline.signals >= outline.required
    assert all(trait.step >= 0.0 for trait in outline.traits.values())
    assert outline.roles
    for role in outline.roles:
        outline.of(role)
    for word in (0, 1, 0x7FFF, 0x8000, 0xFFFF):
        _read(outline, word)


def _read(outline: Outline, word: int) -> None:
    match outline:
        case ModbusProfile():
            places = [place for block in outline.blocks() for place in block.places]
            image = dict.fromkeys(places, word)
            check_told(outline.told(image, dict.fromkeys(places, _NOW_NS)), _NOW_NS)
        case CanProfile():
            for frame in outline.at(0).frames:
                frame.decode(4 * word.to_bytes(2))
        case HttpProfile() | MqttProfile():
            for document in outline.reads:
                document.read(Document(content=float(word)))
        case GpioProfile():
            pass  # a line tells 0 or 1, and the driver which
        case _:
            assert_never(outline)


@cache
def _shipped() -> tuple[str, ...]:
    folder = files("holdfast.devices") / "profiles"
    return tuple(
        entry.read_text(encoding="utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    )


def _table_seeds() -> Iterator[bytes]:
    yield from (text.encode() for text in _shipped())


# ------------------------------------------------------------------ DBC files

_DBC_TABLE = """
name: mine
protocol: can
roles: [bms]
source: its maker
burst_period_s: 0.5
dbc: my.dbc
signals:
  - {signal: pack_voltage_v, message: Pack, name: Voltage}
  - {signal: battery_current_a, message: Pack, name: Current, scale: -1}
  - {signal: soc_pct, message: Pack, name: SOC, up_to: 100, not_available: [255]}
  - {signal: cell_voltage_max_v, message: Cells, name: MaxCell, scale: 0.001}
  - {signal: cell_temperature_max_c, message: Cells, name: MaxTemp, plus: 0.5}
  - {signal: bms_protection, message: Flags, name: OverVoltage}
  - {signal: charge_allowed, message: Flags, name: MayCharge}
"""
_DBC = """VERSION ""

NS_ :

BS_:

BU_: BMS Inverter

BO_ 100 Pack: 8 BMS
 SG_ Voltage : 0|16@1+ (0.1,0) [0|0] "V" Inverter
 SG_ Current : 16|16@1- (0.1,0) [0|0] "A" Inverter
 SG_ SOC : 32|8@1+ (0.5,0) [0|100] "%" Inverter

BO_ 2566844672 Cells: 8 BMS
 SG_ MaxCell : 7|16@0+ (1,0) [0|0] "mV" Inverter
 SG_ MaxTemp : 39|8@0+ (1,-40) [0|0] "degC" Inverter

BO_ 101 Flags: 4 BMS
 SG_ OverVoltage : 0|1@1+ (1,0) [0|1] "" Inverter
 SG_ MayCharge : 7|1@1+ (1,0) [0|1] "" Inverter

BO_ 102 Muxed: 8 BMS
 SG_ Which M : 0|8@1+ (1,0) [0|0] "" Inverter
 SG_ Inner m0 : 8|16@1+ (1,0) [0|0] "" Inverter

CM_ SG_ 100 SOC "state of charge";
VAL_ 101 OverVoltage 0 "no" 1 "yes" ;
SIG_VALTYPE_ 102 Inner : 0;
"""


def _run_dbc(data: bytes) -> bool:
    folder = Path(_folder().name)
    (folder / "my.dbc").write_bytes(data)
    return _taken(_DBC_TABLE, folder)


def _dbc_seeds() -> Iterator[bytes]:
    yield _DBC.encode()


# ------------------------------------------------------------------ site.yaml


def _run_site(data: bytes) -> bool:
    try:
        site = parse_site(_text(data), folder=Path(_folder().name))
        check_site(site)
    except ConfigError as error:
        assert str(error).partition(": ")[2], "it is not told why"
        return False
    assert all(doubts(site))
    return True


def _site_seeds() -> Iterator[bytes]:
    template = files("holdfast.cli") / "templates" / "site.yaml"
    yield template.read_bytes()
    yield from (
        yaml.safe_dump(content, sort_keys=False).encode()
        for content in (house_content(), house_content() | {"prices": _prices()})
    )


def _prices() -> dict[str, object]:
    source = {"kind": "entsoe", "zone": "DE_LU", "token_env": "ENTSOE_TOKEN"}
    hours = {"price_per_kwh": 0.2, "from": "22:00", "to": "06:00", "days": ["mon"]}
    rows = list(chain([hours], [{"price_per_kwh": 0.3}]))
    return {
        "purchase": {"source": source, "levies_per_kwh": 0.14, "vat_pct": 19},
        "feed_in": {"source": {"kind": "time_of_use", "prices": rows}},
    }


TARGETS = (
    Target(
        name="device_tables",
        eats="a device's table, as an owner may write it",
        seeds=_table_seeds,
        run=_run_table,
        longest=_LONGEST,
    ),
    Target(
        name="dbc_files",
        eats="the DBC file of a battery, as its maker may write it",
        seeds=_dbc_seeds,
        run=_run_dbc,
        longest=_LONGEST,
    ),
    Target(
        name="site_files",
        eats="site.yaml, as an owner may write it",
        seeds=_site_seeds,
        run=_run_site,
        longest=_LONGEST,
    ),
)
