"""``holdfast check`` tells whether the configuration is right."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.core.config import Site
from holdfast.site.assurance import highest_authority
from holdfast.site.devices import address_of, devices
from holdfast.site.examination import Examination, examine
from holdfast.site.guards import guard_rows
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
    found = examine(site)
    report = _connect(site, options.within) if options.connect else None
    if options.json:
        devices_told = {} if report is None else {"devices": report.content}
        print_json(found.content() | devices_told)
    else:
        told = _devices(site) if report is None else report.lines
        print("\n".join((_verdict(options.config, found), *(f"  {line}" for line in told))))
        _print_notes(found)
    return 0 if report is None or report.answered else 1


def _verdict(path: Path, found: Examination) -> str:
    site, count = found.site, len(found.doubts)
    verdict = f"can be run; {count} doubtful" if count else "is right"
    return f"{path}: {site.name} {verdict}; authority: {site.authority}"


def _print_notes(found: Examination) -> None:
    notes = [*(f"doubt: {doubt}" for doubt in found.doubts)]
    notes += [f"note: {warning}" for warning in found.warnings]
    if found.idle_limits:
        notes.append(
            f"note: {len(found.idle_limits)} limits are not watched, for no device of this site "
            "tells what they need; `holdfast limits` marks them"
        )
    for note in notes:
        print(f"  {note}")
    print(f"who guards what; it permits authority: {highest_authority(found.guards).key}")
    print_columns(guard_rows(found.guards))


def _connect(site: Site, within_s: float) -> "Report":
    # Without --connect no driver is loaded.
    from holdfast.cli.check_devices import report_devices

    return report_devices(site, within_s)


def _devices(site: Site) -> Iterator[str]:
    for path, device in dict(devices(site).values()).items():  # a meter has PV's channel in it
        yield f"{path}: {device.profile} at {address_of(device.connection)}"
