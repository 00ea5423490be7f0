"""The push book holds the key by which push services know a site, and the browsers that are told.

They are in one file, for they are worth nothing without each other. The API writes whoever is to be
told, the gateway strikes out what a push service knows no more, and the command line who has lost
his account: one at a time.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter

from holdfast.core.errors import ConfigError, HoldfastError
from holdfast.site.changed_alone import changed_alone
from holdfast.site.files import Stamp, file_stamp, keep_corrupt, write_atomically
from holdfast.web.web_push import PushAddress, new_push_key, public_push_key

EACH, ALL = 5, 30
"""So many browsers has one account, and so many have all of a site."""
_log = logging.getLogger(__name__)


class BookFull(HoldfastError):
    """No browser more can be told; the text says what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushBrowser:
    """Tells of a browser that is told, and whose it is."""

    account: str
    name: str
    """Is what its owner knows it by."""
    made: AwareDatetime
    address: PushAddress

    @property
    def id(self) -> str:
        """Returns what tells it from others; the same browser has the same again."""
        return browser_id(self.address.endpoint)


def browser_id(endpoint: str) -> str:
    """Returns the id of the browser that is told at ``endpoint``, which it does not give away."""
    return hashlib.sha256(endpoint.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True, kw_only=True)
class PushBook:
    """Holds all of it."""

    key: str = field(default="", repr=False)
    """Is the private key as PEM; empty until it is needed."""
    browsers: tuple[PushBrowser, ...] = ()

    def of(self, account: str) -> tuple[PushBrowser, ...]:
        """Returns the browsers of one account."""
        return tuple(one for one in self.browsers if one.account == account)


def with_key(book: PushBook) -> PushBook:
    """Returns the book with a key; the one that it has stays."""
    return book if book.key else replace(book, key=new_push_key())


def with_browser(book: PushBook, browser: PushBrowser) -> PushBook:
    """Returns the book with one browser more, or the same one anew. Raises BookFull."""
    others = without_browser(book, browser.id)
    if len(others.of(browser.account)) >= EACH:
        raise BookFull(f"{EACH} browsers of {browser.account} are told already: remove one first")
    if len(others.browsers) >= ALL:
        raise BookFull(f"{ALL} browsers are told already, which is all that a site tells")
    return replace(others, browsers=(*others.browsers, browser))


def without_browser(book: PushBook, one_id: str) -> PushBook:
    """Returns the book without that browser."""
    return replace(book, browsers=tuple(one for one in book.browsers if one.id != one_id))


def without_account(book: PushBook, account: str) -> PushBook:
    """Returns the book without the browsers of an account that is gone."""
    return replace(book, browsers=tuple(one for one in book.browsers if one.account != account))


_BOOK = TypeAdapter(PushBook)


class PushShelf:
    """Reads and changes the push book of one site; threads may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[Stamp | None, PushBook] = (None, PushBook())

    def read(self) -> PushBook:
        """Returns the book as it is now; an empty one if there is none that can be read."""
        stamp = file_stamp(self._path)
        known, book = self._known
        if stamp != known:
            book = PushBook() if stamp is None else self._read()
            self._known = stamp, book
        return book

    def change(self, edit: Callable[[PushBook], PushBook]) -> PushBook:
        """Puts what ``edit`` makes of the book in its place, and returns it; on the disk.

        Raises what ``edit`` does, AlreadyRunning if somebody else is at it for long, and
        ConfigError if it cannot be written.
        """
        try:
            with changed_alone(self._path):
                before = self.read()
                after = edit(before)
                if after != before:
                    write_atomically(self._path, _BOOK.dump_json(after))
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be written: {error}") from error
        return after

    def _read(self) -> PushBook:
        try:
            book = _BOOK.validate_json(self._path.read_bytes())
            if book.key:
                public_push_key(book.key)
            for browser in book.browsers:
                browser.address.check()
        except (OSError, ValueError) as error:
            # What is wrong with its content would repeat some of it, and that is secret.
            why = error.strerror if isinstance(error, OSError) else "it is not as it was written"
            _log.error(
                "%s cannot be used (%s): notifications have to be switched on anew in each browser",
                self._path,
                why,
            )
            keep_corrupt(self._path)
            return PushBook()
        return book
