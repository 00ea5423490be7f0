"""``holdfast prices`` shows what the owner pays and gets, and where that is known from."""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from holdfast.cli.arguments import add_config, add_hours, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError, PriceDataError
from holdfast.core.quarter_hours import quarter_start
from holdfast.markets.price_collector import PriceCollector, SourceState
from holdfast.markets.prices import PriceSlot
from holdfast.markets.site_prices import SitePrices, SiteTariffs
from holdfast.runtime.price_watch import open_collector
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Ask the sources of prices whose time has come, and show what the owner pays and gets after
tariff, with the age of each source and how far it reaches. What was asked a little while ago
is not asked again; with --cached nobody is asked. 1 if a source is stale or no price is known.
"""
_HOURS = 36


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_json(parser)
    add_hours(parser, _HOURS)
    parser.add_argument("--cached", action="store_true", help="ask nobody, show what is kept")


def execute(options: argparse.Namespace) -> int:
    """Shows the prices; 1 if a source is stale or none is known for now."""
    site = load_site(options.config)
    if site.prices is None:
        raise ConfigError(f"{options.config}: prices: is missing; docs/prices.md shows how")
    now_utc = datetime.now(UTC)
    collector = open_collector(site, SiteFiles.of(site), now_utc)
    if not options.cached:
        collector.refresh(now_utc)
    states = collector.states()
    prices, problem = _prices(site, collector, now_utc)
    until_utc = quarter_start(now_utc) + timedelta(hours=options.hours)
    if options.json:
        _print_json(site, collector, prices, problem, now_utc, until_utc)
    else:
        _print(site, collector, prices, problem, now_utc, until_utc)
    known = prices is not None and prices.known_until(now_utc) is not None
    return 0 if known and not any(state.is_stale(now_utc) for state in states) else 1


def _prices(
    site: Site, collector: PriceCollector, now_utc: datetime
) -> tuple[SitePrices | None, str]:
    start_utc = quarter_start(now_utc)
    try:
        tariffs = SiteTariffs(site, collector.read)
        return tariffs.prices(start_utc, start_utc + timedelta(hours=_HOURS)), ""
    except PriceDataError as error:
        return None, str(error)


def _print_json(
    site: Site,
    collector: PriceCollector,
    prices: SitePrices | None,
    problem: str,
    now_utc: datetime,
    until_utc: datetime,
) -> None:
    print_json(
        {
            "site": site.name,
            "currency": site.currency,
            "known_until": None if prices is None else prices.known_until(now_utc),
            "problem": problem,
            "sources": [
                {
                    "kind": state.source.kind,
                    "fetched": None if state.fetched is None else state.fetched.utc,
                    "known_until": state.known_until(now_utc),
                    "stale": state.is_stale(now_utc),
                    "error": state.error,
                    "notes": state.notes,
                    "ask_again": state.ask_utc,
                }
                for state in collector.states()
            ],
            "files": [
                {"path": path, "notes": notes} for path, notes in collector.file_notes().items()
            ],
            "prices": [] if prices is None else _rows(prices, until_utc),
        }
    )


def _rows(prices: SitePrices, until_utc: datetime) -> list[dict[str, object]]:
    return [
        {
            "start": slot.start_utc,
            "end": slot.end_utc,
            "purchase_per_kwh": slot.price_per_kwh,
            "feed_in_per_kwh": prices.feed_in.price_at(slot.start_utc),
        }
        for slot in _shown(prices, until_utc)
    ]


def _print(
    site: Site,
    collector: PriceCollector,
    prices: SitePrices | None,
    problem: str,
    now_utc: datetime,
    until_utc: datetime,
) -> None:
    zone = ZoneInfo(site.timezone)
    for state in collector.states():
        print(_source_line(state, zone, now_utc))
        _print_notes(state.notes)
    for path, notes in collector.file_notes().items():
        print(path)
        _print_notes(notes)
    if prices is None:
        print(problem)
        return
    until = prices.known_until(now_utc)
    known = "no price is known for now" if until is None else f"known until {_local(until, zone)}"
    print(f"{site.currency} per kWh after tariff; {known}")
    rows = [("from", "to", "purchase", "feed-in")]
    for run in _runs(prices, until_utc):
        sold = prices.feed_in.price_at(run[0].start_utc)
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


def _runs(prices: SitePrices, until_utc: datetime) -> list[list[PriceSlot]]:
    """Neighbouring slots of equal prices belong to one line."""
    runs: list[list[PriceSlot]] = []
    for slot in _shown(prices, until_utc):
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and last.end_utc == slot.start_utc
            and last.price_per_kwh == slot.price_per_kwh
            and prices.feed_in.price_at(last.start_utc) == prices.feed_in.price_at(slot.start_utc)
        ):
            runs[-1].append(slot)
        else:
            runs.append([slot])
    return runs


def _shown(prices: SitePrices, until_utc: datetime) -> Iterator[PriceSlot]:
    return takewhile(lambda slot: slot.start_utc < until_utc, prices.purchase)


def _minutes(age: timedelta) -> str:
    minutes = round(age / timedelta(minutes=1))
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


def _local(utc: datetime, zone: ZoneInfo) -> str:
    return f"{utc.astimezone(zone):%a %H:%M}"
