"""Browsers come and go while a site runs: each that is told has a postman of its own.

So one whose push service hangs holds up no other, and what one was told is not told again because
another could not be.
"""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from holdfast.core.config import Site
from holdfast.core.config.notifications import Recipient, WebPushChannel
from holdfast.core.errors import SourceError
from holdfast.monitoring.notification.message import NoticeMessage
from holdfast.monitoring.notification.push_text import push_text
from holdfast.runtime.notification.postman import Postman, Witness
from holdfast.site.files import SiteFiles
from holdfast.site.push_book import PushBrowser, PushShelf
from holdfast.site.push_sending import tell_browser
from holdfast.web.request import NothingThere


def browsers_of(
    recipient: Recipient, channel: WebPushChannel, shelf: PushShelf
) -> dict[str, PushBrowser]:
    """Returns the browsers that are told as ``recipient``, by the names of their ledgers."""
    told = (one for one in shelf.read().browsers if channel.tells(one.account))
    return {f"{recipient.name}.{one.id}": one for one in told}


def tell_browsers(channel: WebPushChannel, message: NoticeMessage, files: SiteFiles) -> None:
    """Tells all browsers of ``channel``. Raises SourceError if one could not be, or there is
    none."""
    shelf = PushShelf(files.web_push)
    told = [one for one in shelf.read().browsers if channel.tells(one.account)]
    if not told:
        raise SourceError("nobody has switched notifications on in a browser")
    wrong = []
    for browser in told:
        try:
            tell_browser(shelf, channel, browser, push_text(message))
        except SourceError as error:
            wrong.append(f"{browser.name} of {browser.account}: {error}")
    if wrong:
        raise SourceError("; ".join(wrong))


class BrowserPostmen:
    """Has a postman for each browser that is told as one recipient."""

    def __init__(
        self,
        site: Site,
        recipient: Recipient,
        channel: WebPushChannel,
        files: SiteFiles,
        witness: Witness,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.recipient = recipient
        self._site, self._channel, self._files = site, channel, files
        self._witness, self._clock = witness, clock
        self._shelf = PushShelf(files.web_push)
        self._lock = threading.Lock()
        self._postmen: dict[str, Postman] = {}
        self._end: threading.Event | None = None

    def start(self, end: threading.Event) -> None:
        """Begins to tell, also browsers that come later, until ``end`` is set."""
        with self._lock:
            self._end = end
            for postman in self._postmen.values():
                postman.start(end)

    def now(self) -> Mapping[str, Postman]:
        """Returns the postmen of the browsers that are told now."""
        with self._lock:
            browsers = browsers_of(self.recipient, self._channel, self._shelf)
            for name in self._postmen.keys() - browsers.keys():
                self._postmen.pop(name).retire()
            for name in browsers.keys() - self._postmen.keys():
                self._postmen[name] = postman = self._postman(name)
                if self._end is not None:
                    postman.start(self._end)
            return dict(self._postmen)

    def _postman(self, name: str) -> Postman:
        return Postman(
            self._site,
            self.recipient,
            self._files.notice_ledger(name),
            self._witness,
            partial(self._send, name),
            now=self._clock,
        )

    def _send(self, name: str, message: NoticeMessage) -> None:
        """Tells a browser, with the keys that it has now."""
        browser = browsers_of(self.recipient, self._channel, self._shelf).get(name)
        if browser is None:
            raise NothingThere("this browser is not told any more")
        tell_browser(self._shelf, self._channel, browser, push_text(message))
