"""A browser is told here; one that its push service knows no more is struck out of the book."""

import logging
from functools import partial

from holdfast.core.config.notifications import WebPushChannel
from holdfast.core.errors import HoldfastError, SourceError
from holdfast.site.push_book import PushBrowser, PushShelf, with_key, without_browser
from holdfast.web.carrier import Carrier
from holdfast.web.request import NothingThere
from holdfast.web.web_push import PushText, push

_log = logging.getLogger(__name__)


def tell_browser(
    shelf: PushShelf,
    channel: WebPushChannel,
    browser: PushBrowser,
    text: PushText,
    carrier: Carrier | None = None,
) -> None:
    """Returns once the push service has taken ``text``. Raises SourceError; as NothingThere, the
    browser is told nothing any more."""
    if not browser.address.is_known(channel.services):
        raise SourceError(
            f"{browser.address.service} is no push service of a browser's maker; name it in "
            "site.yaml as one of services, if it is right"
        )
    key = shelf.read().key or shelf.change(with_key).key
    try:
        (carrier or Carrier()).carry(push(browser.address, text, key=key, contact=channel.contact))
    except NothingThere as error:
        _strike_out(shelf, browser)
        raise NothingThere(
            f"{error}: the push service does not know this browser any more"
        ) from None


def _strike_out(shelf: PushShelf, browser: PushBrowser) -> None:
    _log.warning("%s of %s is not told any more", browser.name, browser.account)
    try:
        shelf.change(partial(without_browser, one_id=browser.id))
    except HoldfastError as error:
        _log.error("it stays in the book: %s", error)
