"""The notification desk of a site has a postman for each recipient, and tells how they fare."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from holdfast.core.config import Site
from holdfast.monitoring.notices import TimedNotice
from holdfast.monitoring.notification.conditions import Seen
from holdfast.monitoring.notification.ledger import Ledger
from holdfast.runtime.notification.postman import Postman
from holdfast.runtime.notification.witness import acknowledged_since
from holdfast.site.files import SiteFiles


class NotificationDesk:
    """Hands notices to all recipients of a site."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._postmen = tuple(
            Postman(site, recipient, files, lambda since: acknowledged_since(files, since))
            for recipient in site.notifications.recipients
        )

    def start(self, end: threading.Event) -> None:
        """Begins to tell, each recipient in a thread of his own, until ``end`` is set."""
        for postman in self._postmen:
            postman.start(end)

    def take(self, told: Sequence[TimedNotice]) -> None:
        """Has all told of ``told``; what is returned from is on the disk."""
        for postman in self._postmen:
            postman.take(told)

    def ledgers(self) -> Mapping[str, Ledger]:
        """Returns what is remembered of each recipient, by name."""
        return {postman.recipient.name: postman.ledger for postman in self._postmen}

    def conditions(self, utc: datetime) -> Iterator[Seen]:
        """Yields who could not be told of anything for a day, which others have to know."""
        for name, ledger in self.ledgers().items():
            if ledger.unreachable(utc):
                yield Seen(row="recipient_unreachable", owner=name, text=ledger.last_error)
