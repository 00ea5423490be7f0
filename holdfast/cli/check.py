"""``holdfast check``: is the configuration right?"""

import argparse

from rich.console import Console
from rich.table import Table

from holdfast.cli.arguments import add_config, add_json, print_json
from holdfast.core.config import Site, load_site
from holdfast.core.signals import SITE
from holdfast.devices.profile import load_profile
from holdfast.runtime.assembly import check_site, devices, expected_signals
from holdfast.safety.limits import Limit, build_limits

NAME = "check"
HELP = "check site.yaml without touching any device"
DESCRIPTION = """\
Check the configuration: every key, every device profile, and that no limit is looser than
the hardware's. Nothing is connected to. Exits with 2 and names each wrong key if it is wrong.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of this command."""
    add_config(parser)
    add_json(parser)
    parser.add_argument(
        "--limits", action="store_true", help="print the limit table with this site's values"
    )


def execute(options: argparse.Namespace) -> int:
    """Check, and tell what was found."""
    site = load_site(options.config)
    check_site(site)
    limits = build_limits(site)
    warnings = _warnings(site, limits)
    if options.json:
        print_json({"site": site.name, "ok": True, "warnings": warnings, "limits": _rows(limits)})
        return 0
    print(f"{options.config}: {site.name} is right; authority: {site.authority}")
    for path, device in devices(site).values():
        print(f"  {path}: {device.profile} ({device.connection.kind})")
    for warning in warnings:
        print(f"  note: {warning}")
    if options.limits:
        _print_limits(limits)
    return 0


def _warnings(site: Site, limits: tuple[Limit, ...]) -> list[str]:
    warnings = []
    if site.prices is None:
        warnings.append("no prices: the site will run on self-consumption")
    elif not site.prices.entsoe_file.exists():
        warnings.append(f"prices.entsoe_file: {site.prices.entsoe_file} does not exist yet")
    if site.authority == "observe":
        warnings.append("authority is observe: nothing will be written to any device")
    provided = {
        owner: {
            signal
            for (device_owner, _), (_, device) in devices(site).items()
            if device_owner == owner
            for signal in load_profile(device.profile).signals
        }
        for owner in expected_signals(site)
    }
    warnings += [
        f"limit {limit.key} is not watched: no device of this site provides {limit.row.signal}"
        for limit in limits
        if limit.owner != SITE and limit.row.signal not in provided[limit.owner]
    ]
    return warnings


def _rows(limits: tuple[Limit, ...]) -> list[dict[str, object]]:
    return [
        {
            "owner": limit.owner,
            "row": limit.row.id,
            "signal": limit.row.signal,
            "unit": limit.unit,
            "levels": {level.name.lower(): value for level, value in limit.levels},
            "reaction": limit.row.reaction.name.lower(),
            "samples": limit.row.samples,
            "hold_s": limit.row.hold_s,
            "source": limit.row.source,
        }
        for limit in limits
    ]


def _print_limits(limits: tuple[Limit, ...]) -> None:
    columns = ("limit", "signal", "warning", "alarm", "trip", "unit", "at alarm", "m of n", "hold")
    table = Table(*columns, title="Limits")
    for limit in limits:
        levels = {level.name.lower(): f"{value:g}" for level, value in limit.levels}
        m, n = limit.row.samples
        table.add_row(
            limit.key,
            limit.row.signal,
            *(levels.get(name, "") for name in ("warning", "alarm", "trip")),
            limit.unit,
            limit.row.reaction.name.lower(),
            f"{m} of {n}",
            f"{limit.row.hold_s:g} s",
        )
    Console(width=160).print(table)
