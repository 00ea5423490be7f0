"""``holdfast savings`` tells what the site has cost, and what the battery has saved."""

import argparse
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.json_output import print_json
from holdfast.cli.money_text import money_text
from holdfast.client.judgement_reader import read_judgement
from holdfast.core.config import Site
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.savings import METHOD, savings
from holdfast.monitoring.history.span_savings import SpanSavings
from holdfast.monitoring.judgement import Judgement
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Tell what today, yesterday, this month and this year have cost, beside what they would have without
a battery and by self-consumption on the same measured quarter hours; what that rests on, and what
is missing; whether plans or self-consumption lead, and why. Exits with 2 if there is no history.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Prints the savings. Raises HistoryError."""
    site, now = load_site(options.config), datetime.now(UTC)
    files = SiteFiles.of(site)
    place = HistoryPlace.of(site.history, files.history_db, os.environ)
    reader = HistoryReader(place, ZoneInfo(site.timezone))
    found, judgement = savings(site, reader, now), read_judgement(site, files, now)
    if options.json:
        print_json(
            {
                "currency": site.currency,
                "method": METHOD,
                "spans": [_json(span) for span in found],
                "judgement": None
                if judgement is None
                else asdict(judgement) | {"why": judgement.why},
            }
        )
    else:
        _print(site, found, judgement)
    return 0


def _json(span: SpanSavings) -> dict[str, object]:
    return asdict(span) | {
        "saved_against_no_battery": span.saved_against_no_battery,
        "saved_against_self_consumption": span.saved_against_self_consumption,
    }


def _told(judgement: Judgement) -> Iterator[str]:
    """Yields who leads and why, with the bounds by which that is judged."""
    yield judgement.why
    found = judgement.weighed
    if found is not None:
        yield (
            f"a day {money_text(found.mean)} {judgement.currency}, surely from "
            f"{money_text(found.low)} to {money_text(found.high)}"
        )


def _print(site: Site, found: list[SpanSavings], judgement: Judgement | None) -> None:
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
        more = span.saved_against_self_consumption
        if span.span == "month" and more is not None:
            word = "more" if more >= 0.0 else "less"
            earned = f"{money_text(abs(more))} {site.currency} {word}"
            console.print(f"this month the battery earned {earned} than by self-consumption")
    for told in () if judgement is None else _told(judgement):
        console.print(told)
    for span in found:
        for missing in span.missing:
            console.print(f"{span.span}: {missing}")
    console.print(METHOD)
