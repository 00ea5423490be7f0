"""``holdfast savings`` tells what the site has cost, and what the battery has saved."""

import argparse
import os
from dataclasses import asdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.json_output import print_json
from holdfast.cli.money_text import money_text
from holdfast.core.config import Site
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.savings import METHOD, savings
from holdfast.monitoring.history.span_savings import SpanSavings
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Tell what today, yesterday, this month and this year have cost, beside what they would have without
a battery and by self-consumption on the same measured quarter hours; what that rests on, and what
is missing. Exits with 2 if there is no history.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Prints the savings. Raises HistoryError."""
    site = load_site(options.config)
    place = HistoryPlace.of(site.history, SiteFiles.of(site).history_db, os.environ)
    reader = HistoryReader(place, ZoneInfo(site.timezone))
    found = savings(site, reader, datetime.now(UTC))
    if options.json:
        print_json(
            {"currency": site.currency, "method": METHOD, "spans": [_json(s) for s in found]}
        )
    else:
        _print(site, found)
    return 0


def _json(span: SpanSavings) -> dict[str, object]:
    return asdict(span) | {
        "saved_against_no_battery": span.saved_against_no_battery,
        "saved_against_self_consumption": span.saved_against_self_consumption,
    }


def _print(site: Site, found: list[SpanSavings]) -> None:
    console = Console()
    table = Table(
        "", "paid", "no battery", "saved", "own use", "saved", "measured",
        title=f"{site.name}; in {site.currency}",
    )  # fmt: skip
    for span in found:
        table.add_row(
            span.span,
            money_text(span.paid),
            money_text(span.no_battery),
            money_text(span.saved_against_no_battery),
            money_text(span.self_consumption),
            money_text(span.saved_against_self_consumption),
            f"{span.measured:.0%}",
        )
    console.print(table)
    for span in found:
        for line in span.lines if span.span == "month" else ():
            console.print(f"  {line.what}: {line.quantity:.2f} {line.unit}, {line.amount:.2f}")
    for span in found:
        for missing in span.missing:
            console.print(f"{span.span}: {missing}")
    console.print(METHOD)
