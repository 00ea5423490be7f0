"""``holdfast notices`` shows what people were told, tries whether they can be, and acknowledges."""

import argparse
import getpass
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.client.acknowledgement import acknowledge, last_acknowledgement
from holdfast.core.config import Site
from holdfast.core.config.notifications import Recipient
from holdfast.core.errors import ConfigError, HoldfastError, SourceError
from holdfast.monitoring.language import Language
from holdfast.monitoring.notices import NoticeKind, TimedNotice
from holdfast.monitoring.notification.ledger import Ledger
from holdfast.monitoring.notification.message import trial, urgency_of, what
from holdfast.runtime.notice_board import read_notices
from holdfast.runtime.notification.channels import send
from holdfast.runtime.notification.desk import kept_ledgers
from holdfast.site.files import SiteFiles, write_atomically
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Without an action: show what was told last, and how each recipient in site.yaml fares; 1 if nothing
could be delivered to one of them at the last try.
test  sends a notice to each recipient now, and says what came of it; 1 if one could not be told.
ack   says that you have seen the alarms: recipients with after_minutes are not told any more.
"""
SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("action", nargs="?", choices=tuple(_DO), default="show")
    parser.add_argument("--to", metavar="NAME", help="test: this recipient alone")
    add_config(parser)
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Does what is asked."""
    site = load_site(options.config)
    return _DO[options.action](site, SiteFiles.of(site), options)


def _show(site: Site, files: SiteFiles, options: argparse.Namespace) -> int:
    told = read_notices(files)[-SHOWN:]
    ledgers = kept_ledgers(site, files)
    seen = last_acknowledgement(files.acknowledgement)
    if options.json:
        fares = {name: _fares(ledger) for name, ledger in ledgers.items()}
        print_json({"told": told, "recipients": fares, "acknowledged": seen})
    else:
        _print_told(site, told)
        _print_recipients(site, ledgers)
        if seen is not None:
            print(f"acknowledged last by {seen.who}, {_local(site, seen.utc)}")
    return 1 if any(ledger.failing_since for ledger in ledgers.values()) else 0


def _fares(ledger: Ledger) -> dict[str, object]:
    return {
        "delivered": ledger.delivered,
        "failed": ledger.failed,
        "waiting": len(ledger.waiting) + ledger.left_out,
        "last_told": ledger.last_told,
        "failing_since": ledger.failing_since,
        "last_error": ledger.last_error,
        "retry_at": ledger.retry_at,
    }


def _print_told(site: Site, told: tuple[TimedNotice, ...]) -> None:
    if not told:
        print("nobody had to be told of anything yet")
    for one in told:
        notice = one.notice
        kind = "" if notice.kind is NoticeKind.OVER else f"{notice.kind}: "
        _, word = urgency_of(notice)
        about = what(notice, Language.EN, site.unit_names)
        print(f"{_local(site, one.utc)}  {word.en}: {kind}{about}")
        if notice.kind is not NoticeKind.OVER:
            print(f"    {notice.text}")


def _print_recipients(site: Site, ledgers: dict[str, Ledger]) -> None:
    if not site.notifications.recipients:
        print("site.yaml names nobody who is told (notifications): docs/notifications.md shows how")
        return
    print()
    print_columns(_table(site, ledgers))
    for one in site.notifications.recipients:
        if one.name not in map(_recipient, ledgers):
            print(f"{one.name}: nobody has switched notifications on in a browser")


def _table(site: Site, ledgers: dict[str, Ledger]) -> Iterator[tuple[str, ...]]:
    yield "recipient", "by", "messages", "waiting", "told last", "trouble"
    kinds = {one.name: one.channel.kind for one in site.notifications.recipients}
    for name, ledger in ledgers.items():
        told = "never" if ledger.last_told is None else _local(site, ledger.last_told)
        since = ledger.failing_since
        trouble = "" if since is None else f"since {_local(site, since)}: {ledger.last_error}"
        waiting = str(len(ledger.waiting) + ledger.left_out)
        yield name, kinds[_recipient(name)], str(ledger.delivered), waiting, told, trouble


def _recipient(name: str) -> str:
    """Returns whose ledger that is; a browser's has the browser behind a dot."""
    return name.partition(".")[0]


def _test(site: Site, files: SiteFiles, options: argparse.Namespace) -> int:
    recipients = [one for one in site.notifications.recipients if options.to in (None, one.name)]
    if not recipients:
        names = ", ".join(one.name for one in site.notifications.recipients) or "nobody"
        raise ConfigError(f"notifications.recipients: {names}; not {options.to or 'anybody'}")
    wrong = {one.name: _failure(site, files, one) for one in recipients}
    if options.json:
        print_json({name: {"told": why is None, "why": why} for name, why in wrong.items()})
    else:
        for name, why in wrong.items():
            print(f"{name}: {'told' if why is None else f'could not be told: {why}'}")
    return 1 if any(why is not None for why in wrong.values()) else 0


def _failure(site: Site, files: SiteFiles, recipient: Recipient) -> str | None:
    try:
        send(recipient.channel, trial(site, recipient, datetime.now(UTC)), files)
    except SourceError as error:
        return str(error)
    return None


def _ack(_: Site, files: SiteFiles, options: argparse.Namespace) -> int:
    try:
        done = acknowledge(
            files.acknowledgement, getpass.getuser(), datetime.now(UTC), write_atomically
        )
    except OSError as error:
        raise HoldfastError(f"acknowledged.json cannot be written: {error.strerror}") from error
    if options.json:
        print_json(done)
    else:
        print("acknowledged: nobody else is told of what has happened up to now")
    return 0


def _local(site: Site, utc: datetime) -> str:
    return f"{utc.astimezone(ZoneInfo(site.timezone)):%Y-%m-%d %H:%M}"


_DO = {"show": _show, "test": _test, "ack": _ack}
