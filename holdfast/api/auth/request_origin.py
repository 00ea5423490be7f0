"""Where a request comes from: whose page made it, from which address, and whether from here."""

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
"""One of these tells that a proxy stands between."""


def own_origin(connection: HTTPConnection, public_url: str | None) -> str:
    """Returns the origin that our own pages have in the browser of who asks.

    Where site.yaml names a ``public_url`` it is that, unless the page tells that it did not come
    through the proxy.
    """
    direct = _direct(connection)
    if public_url is None or connection.headers.get("origin") == direct:
        return direct
    parts = urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}"


def is_cross_site(connection: HTTPConnection, public_url: str | None) -> bool:
    """Says whether another site's page made the request; no browser leaves that untold."""
    if connection.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return True
    origin = connection.headers.get("origin")
    if origin is None:
        return False
    own = (_direct(connection), *([] if public_url is None else [public_url]))
    return not any(_is_page_of(origin, site) for site in own)


def host_of(origin: str) -> str:
    """Returns the host in an origin, without its port."""
    return urlsplit(origin).hostname or ""


def client_address(connection: HTTPConnection) -> str:
    """Returns the address of who asks; behind a proxy on this computer what that tells."""
    peer = "" if connection.client is None else connection.client.host
    forwarded = connection.headers.get("x-forwarded-for", "")
    if forwarded and _is_loopback(peer):
        return forwarded.rpartition(",")[2].strip()[:64] or peer
    return peer or "unknown"


def is_local(connection: HTTPConnection, public_url: str | None) -> bool:
    """Says whether somebody at this computer asks, and no proxy for somebody else."""
    return (
        public_url is None
        and connection.client is not None
        and _is_loopback(connection.client.host)
        and not any(name in connection.headers for name in FORWARDING)
    )


def _direct(connection: HTTPConnection) -> str:
    scheme = {"ws": "http", "wss": "https"}.get(connection.url.scheme, connection.url.scheme)
    return f"{scheme}://{connection.headers.get('host', '')}"


def _is_page_of(origin: str, site: str) -> bool:
    try:
        page, own = urlsplit(origin), urlsplit(site)
    except ValueError:
        return False
    # A proxy may have taken the TLS off, and not be told of in site.yaml.
    weaker = own.scheme == "https" != page.scheme
    return not weaker and page.netloc.lower() == own.netloc.lower() != ""


def _is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
