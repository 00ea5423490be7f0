"""``holdfast check`` tells whether the configuration is right."""

import argparse
from collections.abc import Iterator, Set
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.json_output import print_json
from holdfast.core.config import Site
from holdfast.core.config.prices import FileSource, Prices
from holdfast.core.role import Role
from holdfast.core.signals import SITE, Signal
from holdfast.devices.profile import load_profile
from holdfast.markets.price_doubts import price_doubts
from holdfast.markets.sources.catalogue import check_source
from holdfast.safety.derived import RESTS_ON
from holdfast.safety.limits import Limit, build_limits
from holdfast.site.devices import (
    address_of,
    check_site,
    devices,
    expected_signals,
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
    for tariff in () if site.prices is None else (site.prices.purchase, site.prices.feed_in):
        check_source(tariff.source)
    limits = build_limits(site)
    found, warnings = (*doubts(site), *price_doubts(site)), _warnings(site, limits)
    report = _connect(site, options.within) if options.connect else None
    if options.json:
        devices_told = {} if report is None else {"devices": report.content}
        content = {"site": site.name, "ok": True, "doubts": found, "warnings": warnings}
        print_json(content | devices_told)
    else:
        verdict = f"can be run; {len(found)} doubtful" if found else "is right"
        print(f"{options.config}: {site.name} {verdict}; authority: {site.authority}")
        told = _devices(site) if report is None else report.lines
        notes = (*(f"doubt: {doubt}" for doubt in found), *(f"note: {note}" for note in warnings))
        print("\n".join(f"  {line}" for line in (*told, *notes)))
    return 0 if report is None or report.answered else 1


def _connect(site: Site, within_s: float) -> "Report":
    # Without --connect no driver is loaded.
    from holdfast.cli.check_devices import report_devices

    return report_devices(site, within_s)


def _devices(site: Site) -> Iterator[str]:
    for path, device in devices(site).values():
        yield f"{path}: {device.profile} at {address_of(device.connection)}"


def _missing_files(prices: Prices) -> list[str]:
    sources = {"purchase": prices.purchase.source, "feed_in": prices.feed_in.source}
    return [
        f"prices.{direction}.source.path: {source.path} does not exist yet"
        for direction, source in sources.items()
        if isinstance(source, FileSource) and not Path(source.path).exists()
    ]


def _warnings(site: Site, limits: tuple[Limit, ...]) -> list[str]:
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
    provided = {
        owner: {
            signal
            for (device_owner, role), (_, device) in devices(site).items()
            if device_owner == owner
            for signal in load_profile(device.profile).of(role).signals
        }
        for owner in expected_signals(site)
    }
    for limit in limits:
        if limit.owner != SITE and (lacks := _lacking(limit.row.signal, provided[limit.owner])):
            warnings.append(
                f"limit {limit.key} is not watched: no device of this site provides "
                f"{' and '.join(lacks)}"
            )
    return warnings


def _lacking(signal: Signal, provided: Set[Signal]) -> list[Signal]:
    """Returns what is missing to watch ``signal``."""
    needed = RESTS_ON.get(signal, (signal,))
    return [source for source in needed if source not in provided]
