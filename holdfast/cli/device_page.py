"""This module makes the page of all device tables: what each is for, can do, and is known for."""

from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files
from itertools import takewhile

from holdfast.cli.markdown import table_head, table_row
from holdfast.core.commands import Point
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.profile import Profile, load_profile, outline_of, profile_names
from holdfast.devices.verb_step import Verb
from holdfast.devices.verbs import VerbWrite
from holdfast.simulation.makers.catalogue import BOXES

_TOP = """\
# Which batteries and inverters work?

Made by `holdfast devices list --markdown`; do not edit. These are the device tables that come with
Holdfast: one table for a family of devices that speak alike.

**None of them has been confirmed on hardware by us.** They come from what each names as its
source, and what takes commands is tried on a simulated box that was written from that source. "Not
yet" below means just that: begin with `authority: observe`, which writes nothing, and have
[`holdfast devices prove`](commissioning.md) find out on yours what it does.

Not in the list? If it speaks Modbus, SunSpec or CAN, sends JSON over HTTP or MQTT, or hangs on
GPIO lines, a table of your own is enough, and no code: [device-tables.md](device-tables.md). A
generic table is a template for that. What has no local interface, only a maker's cloud, does not
work, and will not.

To find out which one fits a box in your house: `holdfast devices scan`
([commissioning.md](commissioning.md)). What has to be wired beside it: [wiring.md](wiring.md)."""

_MAKERS = {
    "byd": "BYD",
    "carlo_gavazzi": "Carlo Gavazzi",
    "deye": "Deye, Sunsynk",
    "eastron": "Eastron",
    "foxess": "Fox ESS",
    "fronius": "Fronius",
    "generic": "template",
    "goodwe": "GoodWe",
    "gpio": "template",
    "growatt": "Growatt",
    "homewizard": "HomeWizard",
    "huawei": "Huawei",
    "mqtt": "template",
    "precharge": "template",
    "pylontech": "Pylontech",
    "shelly": "Shelly",
    "sma": "SMA",
    "sma_victron": "SMA, Victron",
    "solaredge": "SolarEdge",
    "sungrow": "Sungrow",
    "sunspec": "any with SunSpec",
    "tasmota": "Tasmota",
    "victron": "Victron",
}
"""By what the names of their tables begin with."""

_WIRED = frozenset({Role.RELAYS, Role.EMERGENCY_INPUT})
_KINDS: tuple[tuple[str, Callable[[Profile], bool]], ...] = (
    ("Inverters and hybrids that take commands", lambda table: Role.INVERTER in table.roles),
    ("Batteries, by their BMS", lambda table: Role.BMS in table.roles),
    ("Meters", lambda table: bool({Role.METER, Role.PV_METER} & set(table.roles))),
    ("Relays and emergency inputs", lambda table: bool(_WIRED & set(table.roles))),
    ("Loads", lambda table: bool({Role.LOAD_SWITCH, Role.LOAD_METER} & set(table.roles))),
    ("Grid operator", lambda table: Role.GRID_OPERATOR in table.roles),
)
"""A table stands in the first section that it belongs to."""
_TAKES = {
    Point.SETPOINT_W: "charge, discharge",
    Point.EXPORT_LIMIT_W: "limit feed-in",
    Point.PV_ON: "switch PV off",
    Point.ENABLE: "switch off",
    Point.CONTACTOR: "contactor",
    Point.PRECHARGE: "precharge",
    Point.LOAD_ON: "on and off",
    Point.ROOM_SETPOINT_C: "a temperature",
    Point.CHARGE_POWER_W: "a limit of charging",
    Point.DISCHARGE_POWER_W: "a limit of discharging",
}
"""What can be told a device, in words; what only keeps another point is left out."""


def device_page() -> str:
    """Returns the page, as ``docs/hardware.md`` shows it."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield _TOP
    left = [load_profile(name) for name in profile_names()]
    for title, belongs in _KINDS:
        here = [table for table in left if belongs(table)]
        left = [table for table in left if table not in here]
        yield from ("", f"## {title}", "")
        yield from _overview(here)
        for table in here:
            yield from ("", f"### {table.name}", "", _known(table.name), "", _whence(table))
    assert not left, f"{left[0].name} belongs to no section"


def _overview(tables: Iterable[Profile]) -> Iterator[str]:
    heading = ("table", "maker", "speaks", "is", "can be told to", "its own timer")
    yield from table_head(*heading, "confirmed on hardware", "tried on a simulated box")
    for table in tables:
        yield table_row(*_cells(table))


def _cells(table: Profile) -> tuple[str, ...]:
    return (
        f"[{table.name}](#{table.name})",
        maker_of(table.name),
        table.protocol,
        ", ".join(role.replace("_", " ") for role in table.roles),
        ", ".join(_abilities(table)) or "– (it is read)",
        _timer(table),
        table.confirmed or "not yet",
        "yes" if table.name in BOXES else "",
    )


def maker_of(name: str) -> str:
    """Returns whose devices the table called ``name`` is about.

    >>> maker_of("sma_victron_lv_can"), maker_of("sma_sbs")
    ('SMA, Victron', 'SMA')
    """
    return _MAKERS[max((start for start in _MAKERS if name.startswith(start)), key=len)]


def _abilities(table: Profile) -> Iterator[str]:
    for point, words in _TAKES.items():
        if point in table.points:
            yield words
    for write in getattr(outline_of(table), "writes", ()):
        if isinstance(write, VerbWrite) and Verb.RELEASE in write.verbs:
            yield "be given back"


def _timer(table: Profile) -> str:
    """Tells whether the device ends a command by itself when it hears nothing more."""
    if Role.INVERTER not in table.roles:
        return ""
    signal = Signal.REVERT_TIMEOUT_READBACK_S
    if signal in table.lacks:
        return "**none**"
    constant = getattr(outline_of(table), "constants", {}).get(signal)
    return "yes" if constant is None else f"{constant:g} s, fixed"


def _known(name: str) -> str:
    """Returns what is known of a family of devices: the words that its table begins with."""
    text = (files("holdfast.devices") / "profiles" / f"{name}.yaml").read_text("utf-8")
    head = takewhile(lambda line: line.startswith("#"), text.splitlines())
    return "\n".join(line.removeprefix("#").strip() for line in head)


def _whence(table: Profile) -> str:
    source = f"*Source:* {table.source}."
    lacking = "; ".join(f"`{signal}` ({why})" for signal, why in table.lacks.items())
    return f"{source} *Does not tell:* {lacking}." if lacking else source
