"""``holdfast prices`` shows what the owner pays and gets, and where that is known from."""

import argparse
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.cli.arguments import add_config, add_hours, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.core.errors import ConfigError
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.price_collector import SourceState, open_collector
from holdfast.markets.price_report import REPORT_HOURS, PriceReport, price_report
from holdfast.markets.prices import PriceSlot
from holdfast.site.files import SiteFiles, write_atomically
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Ask the sources of prices whose time has come, and show what the owner pays and gets after
tariff, with the age of each source and how far it reaches. What was asked a little while ago
is not asked again; with --cached nobody is asked. 1 if a source is stale or no price is known.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_json(parser)
    add_hours(parser, REPORT_HOURS)
    parser.add_argument("--cached", action="store_true", help="ask nobody, show what is kept")


def execute(options: argparse.Namespace) -> int:
    """Shows the prices; 1 if a source is stale or none is known for now."""
    site = load_site(options.config)
    if site.prices is None:
        raise ConfigError(f"{options.config}: prices: is missing; docs/prices.md shows how")
    files, now_utc = SiteFiles.of(site), datetime.now(UTC)
    collector = open_collector(site, PriceCache(files.prices, write_atomically), now_utc)
    if not options.cached:
        collector.refresh(now_utc)
    report = price_report(site, collector, now_utc)
    if options.json:
        print_json(report.content(options.hours))
    else:
        _print(report, options.hours)
    return 0 if report.is_good else 1


def _print(report: PriceReport, hours: float) -> None:
    site = report.site
    zone = ZoneInfo(site.timezone)
    for state in report.sources:
        print(_source_line(state, zone, report.now_utc))
        _print_notes(state.notes)
    for path, notes in report.file_notes.items():
        print(path)
        _print_notes(notes)
    if report.prices is None:
        print(report.problem)
        return
    until = report.known_until
    known = "no price is known for now" if until is None else f"known until {_local(until, zone)}"
    print(f"{site.currency} per kWh after tariff; {known}")
    rows = [("from", "to", "purchase", "feed-in")]
    for run in _runs(report, hours):
        sold = report.feed_in_at(run[0].start_utc)
        rows.append(
            (
                _local(run[0].start_utc, zone),
                f"{run[-1].end_utc.astimezone(zone):%H:%M}",
                f"{run[0].price_per_kwh:.4f}",
                "not known" if sold is None else f"{sold:.4f}",
            )
        )
    print_columns(rows)


def _print_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        print(f"  note: {note}")


def _source_line(state: SourceState, zone: ZoneInfo, now_utc: datetime) -> str:
    age, until = state.age(now_utc), state.known_until(now_utc)
    told = "never answered" if age is None else f"answered {_minutes(age)} ago"
    reach = "knows no price for now" if until is None else f"knows until {_local(until, zone)}"
    failed = f"; last time: {state.error}" if state.error else ""
    return f"{state.source.kind}: {told}, {reach}{failed}"


def _runs(report: PriceReport, hours: float) -> list[list[PriceSlot]]:
    """Neighbouring slots of equal prices belong to one line."""
    runs: list[list[PriceSlot]] = []
    for slot in report.slots(hours):
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and last.end_utc == slot.start_utc
            and last.price_per_kwh == slot.price_per_kwh
            and report.feed_in_at(last.start_utc) == report.feed_in_at(slot.start_utc)
        ):
            runs[-1].append(slot)
        else:
            runs.append([slot])
    return runs


def _minutes(age: timedelta) -> str:
    minutes = round(age / timedelta(minutes=1))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _local(utc: datetime, zone: ZoneInfo) -> str:
    return f"{utc.astimezone(zone):%a %H:%M}"
