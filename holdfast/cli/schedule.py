"""``holdfast schedule preview`` shows what the schedule comes to on the next days."""

import argparse
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from holdfast.calendars.expansion import Expansion, ScheduledWindow, expand
from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.json_output import print_json
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.scheduling.schedule_asker import in_words
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Show what the schedule in site.yaml comes to on the next days, by the site's clock: each window
with the entry that it comes from, and what is left out and why (a holiday, a vacation, a change
of clocks). Nothing else is read than site.yaml and the calendars that it names. 1 if something of
the schedule does not count: entries that meet, a calendar that cannot be read.
"""
DAYS = 7
MAX_DAYS = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    preview = actions.add_parser(
        "preview", help="show the coming windows, and what is left out", description=DESCRIPTION
    )
    add_config(preview)
    add_json(preview)
    preview.add_argument(
        "--days",
        type=int,
        default=DAYS,
        metavar="N",
        help=f"how many days, 1 to {MAX_DAYS} (default: {DAYS})",
    )
    preview.add_argument(
        "--from",
        dest="begin",
        type=date.fromisoformat,
        metavar="DATE",
        help="begin with this day, such as 2026-10-25 (default: today)",
    )


def execute(options: argparse.Namespace) -> int:
    """Prints the preview; 1 if something of the schedule does not count."""
    if not 1 <= options.days <= MAX_DAYS:
        raise ConfigError(f"--days {options.days}: is 1 to {MAX_DAYS}")
    site = load_site(options.config)
    zone = ZoneInfo(site.timezone)
    first = options.begin or datetime.now(zone).date()
    since = datetime(first.year, first.month, first.day, tzinfo=zone)
    until = since + timedelta(days=options.days)
    found = expand(site, since.astimezone(UTC), until.astimezone(UTC))
    if options.json:
        print_json(_content(found, zone))
    else:
        _print(found, site, zone)
    return 1 if found.problems else 0


def _content(found: Expansion, zone: ZoneInfo) -> dict[str, object]:
    return {
        "windows": [
            {
                "name": window.entry.name,
                "start": window.start.astimezone(zone),
                "end": window.end.astimezone(zone),
                "hours": (window.end - window.start) / timedelta(hours=1),
                "does": in_words(window.entry),
                "because": window.because,
            }
            for window in found.windows
        ],
        "left_out": [
            {"name": each.name, "day": each.day, "why": each.why} for each in found.left_out
        ],
        "problems": found.problems,
    }


def _print(found: Expansion, site: Site, zone: ZoneInfo) -> None:
    for problem in found.problems:
        print(f"wrong: {problem}")
    if not site.schedule.entries:
        print("there is no schedule: docs/schedule.md shows how")
    lines = [(window.day, _line(window, zone)) for window in found.windows]
    lines += [(each.day, f"  not {each.name}: {each.why}") for each in found.left_out]
    lines.sort(key=lambda line: line[0])
    for day, of_day in groupby(lines, key=lambda line: line[0]):
        print(f"{day:%a %Y-%m-%d}")
        for _, text in of_day:
            print(text)


def _line(window: ScheduledWindow, zone: ZoneInfo) -> str:
    start, end = window.start.astimezone(zone), window.end.astimezone(zone)
    until = f"{end:%H:%M}" if end.date() == start.date() else f"{end:%a %H:%M}"
    hours = (window.end - window.start) / timedelta(hours=1)
    because = f" ({window.because})" if window.because else ""
    begin = f"{start:%H:%M}" if start.date() == window.day else f"{start:%a %H:%M}"
    told = f"  {begin} to {until} ({hours:.3g} h) {window.entry.name}{because}"
    return f"{told}: {in_words(window.entry)}"
