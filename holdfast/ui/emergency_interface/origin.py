"""This module finds out requests that another page made a browser send.

Anybody may stop the site, and no page on the internet may make anybody's browser do it. A name
that leads to this computer is believed only if nobody outside can make it lead here, so a page
whose name is pointed at this address (DNS rebinding) is refused as well.
"""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from holdfast.ui.emergency_interface.exchange import PageRequest

_LOCAL = (".local", ".localhost", ".localdomain", ".lan", ".home", ".internal", ".home.arpa")
"""No domain of the internet ends in one of these."""
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_OWN = frozenset({"same-origin", "none"})
"""``none``: somebody typed the address, or took it from his bookmarks."""


def foreign_host(request: PageRequest, names: Collection[str]) -> str | None:
    """Returns the name by which this computer was addressed if it is not known to be its own.

    Addresses in numbers are, names of a local network, and ``names``. Browsers always tell it; who
    does not is none, and is let in.
    """
    host = request.headers.get("host")
    if host is None:
        return None
    name = _hostname(host)
    if name is None:
        return host
    local = _NAME.fullmatch(name) and ("." not in name or name.endswith(_LOCAL))
    return None if local or _is_address(name) or name in names else host


def is_cross_site(request: PageRequest) -> bool:
    """Says whether another page than one of ours made a browser send this."""
    headers = request.headers
    if headers.get("sec-fetch-site", "none") not in _OWN:
        return True
    sender = headers.get("origin", headers.get("referer"))
    if sender is None:
        return False
    return _place(sender) is None or _place(sender) != _place(f"//{headers.get('host', '')}")


def _place(address: str) -> tuple[str, int | None] | None:
    """Returns host and port of an address; the scheme is the business of who ends TLS before us."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname:
        return None
    return parts.hostname, None if port in {80, 443} else port


def _hostname(host: str) -> str | None:
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    if parts.netloc != host or "@" in host or not parts.hostname:
        return None
    return parts.hostname.rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
