"""Web push is how a program tells a browser something, through the service of the browser's maker.

What is told is encrypted for that browser alone (RFC 8291, RFC 8188), and the service knows who
sends by a signature (VAPID, RFC 8292). Nothing here knows what is told, or to whom.
"""

import base64
import binascii
import json
import os
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from holdfast.core.errors import SourceError
from holdfast.web.request import Conversation, HttpRequest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

SERVICES = (
    "fcm.googleapis.com",  # Chrome, Edge on Android, and most others made of Chromium
    "jmt17.google.com",  # its versions under test
    "push.services.mozilla.com",
    "push.apple.com",
    "notify.windows.com",  # Edge on Windows
)
"""These and what is below them are asked; any other service has to be named in site.yaml."""
MAX_ENDPOINT = 1000
MAX_TEXT = 3000
"""So many bytes each service takes at least, with room for what encryption adds."""
_POINT, _SECRET, _SALT = 65, 16, 16
_RECORD = 4096
_CURVE = "secp256r1"
_LAST = b"\x02"
"""Ends the only record."""
_VALID_S = 12 * 3600
"""A service takes a signature for a day at most."""
_URL = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?/[!-~]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAddress:
    """Tells where a browser is told, and how what it is told is encrypted for it alone."""

    endpoint: str = field(repr=False)
    """Leads to the browser; whoever knows it knows where it is told."""
    p256dh: str
    """Is the browser's public key, a point on P-256."""
    auth: str = field(repr=False)
    """Is a secret that the browser shares with us."""

    def check(self) -> None:
        """Raises ValueError if no browser can have given this."""
        # What stands before an @ would look like the host, and is a name.
        if len(self.endpoint) > MAX_ENDPOINT or not _URL.fullmatch(self.endpoint):
            raise ValueError(
                f"endpoint: must be an https address of {MAX_ENDPOINT} characters at most"
            )
        if len(from_base64url(self.auth)) != _SECRET:
            raise ValueError(f"keys.auth: must be {_SECRET} bytes in base64url")
        point = from_base64url(self.p256dh)
        if len(point) != _POINT or not _is_on_curve(point):
            raise ValueError("keys.p256dh: must be a point on P-256, uncompressed, in base64url")

    @property
    def service(self) -> str:
        """Returns host, and port if one is told, of the push service."""
        return urlsplit(self.endpoint).netloc

    def is_known(self, others: tuple[str, ...] = ()) -> bool:
        """Says whether its service is a browser maker's, or one of ``others``."""
        service = self.service
        return service in others or any(
            service == known or service.endswith(f".{known}") for known in SERVICES
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PushText:
    """Holds what a browser is told."""

    content: bytes
    urgency: str
    """Tells whether a telephone is woken: ``low``, ``normal`` or ``high``."""
    ttl_s: int
    """So long the service keeps it for a browser that is not there."""


def new_push_key() -> str:
    """Returns a new private key as PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def public_push_key(key: str) -> str:
    """Returns the public key of a private one, as browsers want it. Raises ValueError."""
    return to_base64url(_point(_private(key).public_key()))


def push(address: PushAddress, text: PushText, *, key: str, contact: str) -> Conversation[None]:
    """Tells a browser. ``key`` is the site's, ``contact`` the address of who runs it."""
    headers = {
        "Authorization": f"vapid t={_signed(address, key, contact)}, k={public_push_key(key)}",
        "TTL": str(text.ttl_s),
        "Urgency": text.urgency,
        "Content-Encoding": "aes128gcm",
    }
    yield HttpRequest(
        url=address.endpoint, bytes_body=encrypted(address, text.content), headers=headers
    )


def encrypted(
    address: PushAddress,
    content: bytes,
    *,
    ours: "ec.EllipticCurvePrivateKey | None" = None,
    salt: bytes | None = None,
) -> bytes:
    """Returns ``content`` for that browser alone; ``ours`` and ``salt`` are new each time."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(content) > MAX_TEXT:
        raise SourceError(f"{len(content)} bytes are too much to tell a browser; {MAX_TEXT} fit")
    ours = ours or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(_SALT)
    theirs = from_base64url(address.p256dh)
    point = _point(ours.public_key())
    shared = ours.exchange(
        ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), theirs)
    )
    secret = _derived(shared, from_base64url(address.auth), b"WebPush: info\0" + theirs + point, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(key).encrypt(nonce, content + _LAST, None)
    return salt + _RECORD.to_bytes(4, "big") + bytes([_POINT]) + point + sealed


def _signed(address: PushAddress, key: str, contact: str) -> str:
    """Returns the token by which a service knows who asks; it holds for that service alone."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    claims = {
        "aud": f"https://{address.service}",
        "exp": int(time.time()) + _VALID_S,
        "sub": f"mailto:{contact}",
    }
    parts = ({"typ": "JWT", "alg": "ES256"}, claims)
    told = ".".join(to_base64url(json.dumps(part).encode()) for part in parts)
    r, s = decode_dss_signature(_private(key).sign(told.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{told}.{to_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _private(key: str) -> "ec.EllipticCurvePrivateKey":
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        found = serialization.load_pem_private_key(key.encode(), None)
    except (UnsupportedAlgorithm, TypeError) as error:  # TypeError: it wants a password
        raise ValueError(f"is no key of ours: {error}") from None
    if not isinstance(found, ec.EllipticCurvePrivateKey) or found.curve.name != _CURVE:
        raise ValueError(f"is no key on {_CURVE}")
    return found


def _point(key: "ec.EllipticCurvePublicKey") -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def _is_on_curve(point: bytes) -> bool:
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        return False
    return True


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def to_base64url(content: bytes) -> str:
    """Returns ``content`` as text, without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Returns what ``text`` holds; nothing if that is no base64url.

    >>> from_base64url(to_base64url(b"any?")), from_base64url("a+b/")
    (b'any?', b'')
    """
    if not re.fullmatch("[A-Za-z0-9_-]*={0,2}", text, re.ASCII):
        return b""
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except binascii.Error:
        return b""
