"""``holdfast check``: is the configuration right?"""

import argparse

from holdfast.cli.arguments import add_config, add_json, print_json
from holdfast.core.config import Site
from holdfast.core.price_config import FileSource, Prices
from holdfast.core.signals import SITE
from holdfast.core.site_file import load_site
from holdfast.devices.profile import load_profile
from holdfast.markets.sources import check_source
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


def execute(options: argparse.Namespace) -> int:
    """Check, and tell what was found."""
    site = load_site(options.config)
    check_site(site)
    for tariff in () if site.prices is None else (site.prices.purchase, site.prices.feed_in):
        check_source(tariff.source)
    limits = build_limits(site)
    warnings = _warnings(site, limits)
    if options.json:
        print_json({"site": site.name, "ok": True, "warnings": warnings})
        return 0
    print(f"{options.config}: {site.name} is right; authority: {site.authority}")
    for path, device in devices(site).values():
        print(f"  {path}: {device.profile} ({device.connection.kind})")
    for warning in warnings:
        print(f"  note: {warning}")
    return 0


def _missing_files(prices: Prices) -> list[str]:
    sources = {"purchase": prices.purchase.source, "feed_in": prices.feed_in.source}
    return [
        f"prices.{direction}.source.path: {source.path} does not exist yet"
        for direction, source in sources.items()
        if isinstance(source, FileSource) and not source.path.exists()
    ]


def _warnings(site: Site, limits: tuple[Limit, ...]) -> list[str]:
    warnings = []
    if site.prices is None:
        warnings.append("no prices: the site will run on self-consumption")
    else:
        warnings += _missing_files(site.prices)
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
