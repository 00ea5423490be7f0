"""What site.yaml may say of the API, and hardly means: that everybody hears passwords pass."""

import ipaddress
from collections.abc import Iterator

from holdfast.core.config.api import Api


def api_doubts(api: Api) -> Iterator[str]:
    """Yields what looks wrong, each with what was probably meant."""
    is_public = api.public_url is not None
    if api.tls == "off" and not is_public and not _is_loopback(api.host):
        yield (
            f"api: {api.host} is open to the network with tls off, and passwords pass readable; "
            "write tls: self_made, or public_url where a proxy with TLS stands before it"
        )
    if api.public_url is not None and api.public_url.startswith("http://"):
        yield (
            f"api.public_url: {api.public_url} is not https, and passwords pass readable; "
            "is the proxy's address meant?"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
