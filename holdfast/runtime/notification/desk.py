"""The notification desk of a site has a postman for each recipient, and tells how they fare."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from holdfast.core.config import Site
from holdfast.core.config.notifications import Recipient, WebPushChannel
from holdfast.monitoring.notices import TimedNotice
from holdfast.monitoring.notification.conditions import Seen
from holdfast.monitoring.notification.ledger import Ledger
from holdfast.monitoring.notification.message import NoticeMessage
from holdfast.runtime.notification.browsers import BrowserPostmen, browsers_of
from holdfast.runtime.notification.channels import send
from holdfast.runtime.notification.postman import Postman, read_ledger
from holdfast.runtime.notification.witness import acknowledged_since
from holdfast.site.files import SiteFiles
from holdfast.site.push_book import PushShelf


def kept_ledgers(site: Site, files: SiteFiles) -> dict[str, Ledger]:
    """Returns what is on the disk of each recipient, and each browser of one, by name."""
    shelf = PushShelf(files.web_push)
    names: list[str] = []
    for one in site.notifications.recipients:
        match one.channel:
            case WebPushChannel() as channel:
                names += browsers_of(one, channel, shelf)
            case _:
                names.append(one.name)
    return {name: read_ledger(files.notice_ledger(name)) for name in names}


class NotificationDesk:
    """Hands notices to all recipients of a site."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        witness = partial(acknowledged_since, files)
        self._postmen: list[Postman] = []
        self._of_browsers: list[BrowserPostmen] = []
        for one in site.notifications.recipients:
            if isinstance(one.channel, WebPushChannel):
                self._of_browsers.append(BrowserPostmen(site, one, one.channel, files, witness))
            else:
                file, sends = files.notice_ledger(one.name), partial(_send, one, files)
                self._postmen.append(Postman(site, one, file, witness, sends))

    def start(self, end: threading.Event) -> None:
        """Begins to tell, each recipient in a thread of his own, until ``end`` is set."""
        for postman in self._postmen:
            postman.start(end)
        for one in self._of_browsers:
            one.start(end)

    def take(self, told: Sequence[TimedNotice]) -> None:
        """Has all told of ``told``; what is returned from is on the disk."""
        for postman in self._all():
            postman.take(told)

    def ledgers(self) -> Mapping[str, Ledger]:
        """Returns what is remembered of each recipient, by name."""
        return {postman.name: postman.ledger for postman in self._all()}

    def conditions(self, utc: datetime) -> Iterator[Seen]:
        """Yields who could not be told of anything for a day, which others have to know."""
        for name, ledger in self.ledgers().items():
            if ledger.unreachable(utc):
                yield Seen(row="recipient_unreachable", owner=name, text=ledger.last_error)
        for one in self._of_browsers:
            if not one.now():
                text = "nobody has switched notifications on in a browser"
                yield Seen(row="no_browser_told", owner=one.recipient.name, text=text)

    def _all(self) -> Iterator[Postman]:
        yield from self._postmen
        for one in self._of_browsers:
            yield from one.now().values()


def _send(recipient: Recipient, files: SiteFiles, message: NoticeMessage) -> None:
    send(recipient.channel, message, files)
