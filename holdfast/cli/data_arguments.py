"""This module has arguments of the commands that work on measured data, and reads these."""

import argparse
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from holdfast.backtest.columns import columns_of
from holdfast.backtest.data import SiteData
from holdfast.backtest.data_file import PRICE_MAX_PER_KWH, Gaps, read_data
from holdfast.core.config import Site
from holdfast.core.config.device import Without
from holdfast.core.errors import ConfigError
from holdfast.simulation.demo_site import simulated_site
from holdfast.site.site_file import load_site

DATA_HELP = (
    "measured data: time_utc, import_price_per_kwh, export_price_per_kwh, load_w, pv_w; UTC, start "
    "of the interval, equal steps of 1 to 60 minutes; other columns are ignored"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Holds the rows to work on, and those before them."""

    past: SiteData
    data: SiteData


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Adds how the file is read, and which part of it counts."""
    parser.add_argument(
        "--from",
        dest="start",
        metavar="TIME",
        help="begin here, such as 2024-03-01 (the site's local midnight) or 2024-03-01T12:00Z; "
        "what is before is history",
    )
    parser.add_argument(
        "--column",
        dest="columns",
        action="append",
        default=[],
        metavar="QUANTITY=NAME[:UNIT]",
        help="where a quantity stands, and in which unit: load_w=P_Load:kWh. Of powers: W, kW, or "
        "Wh, kWh of each row; of prices: per_kWh, ct, per_MWh. May be repeated",
    )
    parser.add_argument("--days", type=float, metavar="N", help="so many days (default: all)")
    parser.add_argument(
        "--gaps",
        type=Gaps,
        choices=list(Gaps),
        default=Gaps.REFUSE,
        help="missing rows or values: refuse the file (default), or skip that time",
    )
    parser.add_argument(
        "--price-max",
        type=float,
        default=PRICE_MAX_PER_KWH,
        metavar="PRICE",
        help=f"a price per kWh beyond +/- this is refused (default: {PRICE_MAX_PER_KWH:g})",
    )


def read_measured(options: argparse.Namespace, site: Site) -> Measured:
    """Reads the data that the options name. Raises ConfigError, DataError."""
    if not 0.0 < options.price_max < 1e9:
        raise ConfigError(f"--price-max {options.price_max:g}: must be above 0")
    if options.days is not None and not 0.0 < options.days <= 3660.0:
        raise ConfigError(f"--days {options.days:g}: from more than 0 to 3660 can be run")
    start = None if options.start is None else _time(options.start, ZoneInfo(site.timezone))
    read = read_data(
        options.data,
        gaps=options.gaps,
        price_max_per_kwh=options.price_max,
        columns=columns_of(options.columns),
    )
    past, data = read.split(start, options.days)
    return Measured(past=past, data=data)


def site_to_run(config: Path | None) -> Site:
    """Returns the site of ``config``, or the demonstration's; one that only observes acts here."""
    return acting(simulated_site() if config is None else load_site(config))


def acting(site: Site) -> Site:
    """Returns ``site`` with the authority to act."""
    if site.authority != "observe":
        return site
    released = Without(none="it is simulated")
    return site.model_copy(update={"authority": "full", "commissioning": released})


def left_out(site: Site, *, loads: bool, rooms: bool) -> str:
    """Says in a line what measured data cannot tell; empty if the site has none of it."""
    names = [load.name for load in site.loads if loads] + [r.name for r in site.rooms if rooms]
    if not names:
        return ""
    return f"left out, since the data know nothing of it: {', '.join(names)}"


def check_soc(soc_pct: float) -> None:
    """Refuses what is no percentage. Raises ConfigError."""
    if not 0.0 <= soc_pct <= 100.0:
        raise ConfigError(f"--soc {soc_pct:g}: is a percentage from 0 to 100")


def _time(text: str, zone: ZoneInfo) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"--from {text!r}: is no time such as 2024-03-01") from error
    return time.replace(tzinfo=zone) if time.tzinfo is None else time
