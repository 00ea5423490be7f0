"""``holdfast check`` tells whether the configuration is right."""

import argparse
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.guards import guard_content, guard_rows
from holdfast.cli.json_output import print_json
from holdfast.core.config import Site
from holdfast.core.config.prices import FileSource, Prices
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.markets.price_doubts import price_doubts
from holdfast.markets.sources.catalogue import check_source
from holdfast.site.assurance import assurance, hangs_on_lines, highest_authority, unwatched
from holdfast.site.check import check_site
from holdfast.site.devices import (
    address_of,
    devices,
    left_out,
)
from holdfast.site.doubts import doubts
from holdfast.site.site_file import load_site

if TYPE_CHECKING:
    from holdfast.cli.check_devices import Report

DESCRIPTION = """\
Check the configuration: every key, every device profile, and that no limit is looser than
the hardware's. Exits with 2 and names each wrong key if it is wrong. What is possible and
hardly meant is told as a doubt: a kW for a W, cents for euros, an address of the example.
Without --connect nothing is connected to.

--connect then reads each device, as the site would, and prints what it tells, or why it does
not answer. Nothing is written. Refused while the site runs. Exits with 1 if a device does not
tell what the site needs.
"""
WITHIN_S = 8.0
"""A serial CAN adapter takes two seconds to open, and a pack speaks once in one or two."""


_WITHOUT = {
    Role.RELAYS: "a trip takes the power stage away and opens nothing",
    Role.EMERGENCY_INPUT: "`holdfast estop` is the only stop that Holdfast hears",
    Role.PV_METER: "there is no PV, and never will be",
}
"""Tells what it means that a site does without a device."""
_PACKAGES = {
    "mqtt": ("aiomqtt", "mqtt"),
    "modbus_mqtt": ("aiomqtt", "mqtt"),
    "gpio": ("gpiod", "gpio"),
}
"""Names what each kind of connection needs beside Holdfast, and the extra that brings it."""
_ON_LINES = (
    "a controller that hangs keeps its lines until it is killed, 5 s later, and only then does the "
    "watchdog open; if this computer stops, nothing of Holdfast opens: take a relay that is off "
    "without a signal, and an inverter with a timer of its own"
)
"""Tells what it means that relays hang on GPIO lines."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_json(parser)
    parser.add_argument("--connect", action="store_true", help="read each device")
    parser.add_argument(
        "--within",
        type=float,
        default=WITHIN_S,
        metavar="SECONDS",
        help=f"wait no longer than this for the devices (default: {WITHIN_S:g})",
    )


def execute(options: argparse.Namespace) -> int:
    """Checks, and tells what was found."""
    site = load_site(options.config)
    check_site(site)
    _check_packages(site)
    for tariff in () if site.prices is None else (site.prices.purchase, site.prices.feed_in):
        check_source(tariff.source)
    found, warnings = (*doubts(site), *price_doubts(site)), _warnings(site)
    idle = _idle_limits(site)
    guards = assurance(site)
    report = _connect(site, options.within) if options.connect else None
    if options.json:
        devices_told = {} if report is None else {"devices": report.content}
        content = {
            "site": site.name,
            "ok": True,
            "doubts": found,
            "warnings": [*warnings, *idle],
            "guards": guard_content(guards),
        }
        print_json(content | devices_told)
    else:
        verdict = f"can be run; {len(found)} doubtful" if found else "is right"
        print(f"{options.config}: {site.name} {verdict}; authority: {site.authority}")
        if idle:
            warnings.append(
                f"{len(idle)} limits are not watched, for no device of this site tells what they "
                "need; `holdfast limits` marks them"
            )
        told = _devices(site) if report is None else report.lines
        notes = (*(f"doubt: {doubt}" for doubt in found), *(f"note: {note}" for note in warnings))
        print("\n".join(f"  {line}" for line in (*told, *notes)))
        print(f"who guards what; it permits authority: {highest_authority(guards).key}")
        print_columns(guard_rows(guards))
    return 0 if report is None or report.answered else 1


def _connect(site: Site, within_s: float) -> "Report":
    # Without --connect no driver is loaded.
    from holdfast.cli.check_devices import report_devices

    return report_devices(site, within_s)


def _check_packages(site: Site) -> None:
    """Raises ConfigError where the site would not start for want of a package."""
    for path, device in devices(site).values():
        package, extra = _PACKAGES.get(device.connection.kind, ("", ""))
        if package and find_spec(package) is None:
            raise ConfigError(
                f"{path}: {device.connection.kind} needs another package: "
                f"pip install 'holdfast[{extra}]'"
            )


def _devices(site: Site) -> Iterator[str]:
    for path, device in dict(devices(site).values()).items():  # a meter has PV's channel in it
        yield f"{path}: {device.profile} at {address_of(device.connection)}"


def _missing_files(prices: Prices) -> list[str]:
    sources = {"purchase": prices.purchase.source, "feed_in": prices.feed_in.source}
    return [
        f"prices.{direction}.source.path: {source.path} does not exist yet"
        for direction, source in sources.items()
        if isinstance(source, FileSource) and not Path(source.path).exists()
    ]


def _warnings(site: Site) -> list[str]:
    warnings = []
    if site.prices is None:
        warnings.append("no prices: the site will run on self-consumption")
    else:
        warnings += _missing_files(site.prices)
    if site.authority == "observe":
        warnings.append("authority is observe: nothing will be written to any device")
    warnings += [
        f"{path} is left out: {_WITHOUT[role]} ({reason})"
        for path, (role, reason) in left_out(site).items()
    ]
    warnings += [
        f"storage[{index}].relays: {_ON_LINES}"
        for index, unit in enumerate(site.storage)
        if hangs_on_lines(unit)
    ]
    return warnings


def _idle_limits(site: Site) -> list[str]:
    return [
        f"limit {key} is not watched: no device of this site provides {' and '.join(lacks)}"
        for key, lacks in unwatched(site).items()
    ]
