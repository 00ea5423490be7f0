"""This module says why a device cannot be reached, in words for the person who wired it."""

import errno
import socket
from collections.abc import Iterator

_CAUSES = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "the device closed the connection",
    errno.EHOSTUNREACH: "no route to this address",
    errno.ENETUNREACH: "no route to this address",
    errno.ETIMEDOUT: "no answer from this address",
    errno.ENOENT: "there is no such adapter",
    errno.ENODEV: "there is no such adapter",
    errno.ENXIO: "there is no such adapter",
    errno.ENETDOWN: "the interface is down",
    errno.ENOBUFS: "frames cannot be sent: nobody on this bus acknowledges them",
    errno.EAFNOSUPPORT: "this computer has no such kind of bus",
    errno.EBUSY: "another program uses it",
    errno.EACCES: "permission denied; serial adapters are open to the group dialout",
    errno.EPERM: "permission denied",
}


def cause_in_words(error: BaseException) -> str:
    """Tells what ``error``, or the one behind it, says about the wire.

    >>> cause_in_words(ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
    'connection refused'
    """
    for link in _chain(error):
        if isinstance(link, socket.gaierror | UnicodeError):
            return "this host name is not known"
        if isinstance(link, OSError) and link.errno in _CAUSES:
            return _CAUSES[link.errno]
    return f"{type(error).__name__}: {error}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yields ``error``, and what it was raised for: libraries wrap what the system said."""
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__
