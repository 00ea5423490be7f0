"""``holdfast status`` shows what a running site is doing, and why."""

import argparse
from collections.abc import Iterable, Iterator

from rich.console import Console

from holdfast.cli.arguments import add_config, add_json, add_remote
from holdfast.cli.commands import load
from holdfast.cli.json_output import print_json
from holdfast.cli.money_text import money_text
from holdfast.cli.view import status_view
from holdfast.client.history_state_reader import HistoryStateReader
from holdfast.client.status_reader import StatusReader
from holdfast.core.errors import NotRunning
from holdfast.monitoring.history.span_savings import SpanSavings
from holdfast.monitoring.status.schema import Status
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Show state, plan, findings, and the way of the setpoint through the layers: asked, permitted,
ramped, written, read back, measured. Exits with 2 if no controller is running.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_remote(parser)
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Prints the latest status. Raises NotRunning."""
    if options.url is not None:
        return int(load("remote").status(options))
    site = load_site(options.config)
    files = SiteFiles.of(site)
    status = StatusReader(files).fresh()
    if status is None:
        raise NotRunning(
            f"no controller is running for {options.config} (start it with `holdfast run`)"
        )
    show_status(status, site.timezone, as_json=options.json)
    if not options.json:
        _show_money(files)
    return 0


def show_status(status: Status, timezone: str, *, as_json: bool) -> None:
    """Prints ``status``."""
    if as_json:
        print_json(status)
    else:
        Console().print(status_view(status, timezone))


def _show_money(files: SiteFiles) -> None:
    """Prints what today and this month have cost, as far as the history has told it."""
    found = HistoryStateReader(files).latest()
    if found is None:
        return
    history, _ = found
    for line in money_lines(history.savings, history.currency):
        Console().print(line)


def money_lines(spans: Iterable[SpanSavings], currency: str) -> Iterator[str]:
    """Yields a line for each span whose cost is known."""
    for span in spans:
        if span.paid is not None:
            yield (
                f"{span.span}: paid {money_text(span.paid)} {currency}, saved "
                f"{money_text(span.saved_against_no_battery)} against no battery, "
                f"{money_text(span.saved_against_self_consumption)} against self-consumption"
            )
