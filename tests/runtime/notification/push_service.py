"""A push service on this computer, over HTTPS, and browsers that it tells.

It takes what is signed for it and for the key that the browsers subscribed with; what a browser was
told is read with its private key by ``http_ece``, which knows nothing of ours.
"""

import base64
import json
import os
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import http_ece
import pytest
import trustme
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from holdfast.site.push_book import PushBrowser
from holdfast.web.web_push import PushAddress
from tests.runtime.notification.servers import trusted_file


def text64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def bytes64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(kw_only=True)
class Telephone:
    """A browser: where it is told, and the keys by which it reads what it is told."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    auth: bytes = field(default_factory=lambda: os.urandom(16))

    @property
    def address(self) -> PushAddress:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return PushAddress(endpoint=self.endpoint, p256dh=text64(point), auth=text64(self.auth))

    def subscription(self) -> dict[str, Any]:
        """What ``PushSubscription.toJSON()`` gives."""
        told = self.address
        keys = {"p256dh": told.p256dh, "auth": told.auth}
        return {"endpoint": told.endpoint, "expirationTime": None, "keys": keys}

    def of(self, account: str, name: str = "Firefox") -> PushBrowser:
        now = datetime(2026, 3, 2, 12, tzinfo=UTC)
        return PushBrowser(account=account, name=name, made=now, address=self.address)

    def reads(self, body: bytes) -> dict[str, Any]:
        content = http_ece.decrypt(
            body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"
        )
        told: dict[str, Any] = json.loads(content)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class PushService:
    """What it took, by path; ``status`` is what it answers to all, or ``statuses`` to one."""

    host: str = ""
    taken: dict[str, list[Pushed]] = field(default_factory=dict)
    tries: int = 0
    status: int = 201
    statuses: dict[str, int] = field(default_factory=dict)
    retry_after: str = ""
    hold: Event | None = None
    """It answers ``/slow`` once this is set."""
    problems: list[str] = field(default_factory=list)
    """Why it would take no signature; a real one answers 403."""

    def telephone(self, path: str) -> Telephone:
        return Telephone(endpoint=f"https://{self.host}/{path}")

    def texts(self, telephone: Telephone) -> list[str]:
        """What that browser was told."""
        path = telephone.endpoint.rpartition("/")[2]
        return [telephone.reads(pushed.body)["body"] for pushed in self.taken.get(path, [])]


def why_no_sender(headers: dict[str, str], host: str) -> str:
    """Why RFC 8292 has a service refuse the sender; empty if it is as it should be."""
    kind, _, rest = headers.get("Authorization", "").partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    if kind != "vapid" or set(parts) != {"t", "k"}:
        return "no vapid"
    told, _, signature = parts["t"].rpartition(".")
    head, claims = (json.loads(bytes64(part)) for part in told.split("."))
    raw = bytes64(signature)
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes64(parts["k"]))
    r, s = (int.from_bytes(half, "big") for half in (raw[:32], raw[32:]))
    try:
        key.verify(encode_dss_signature(r, s), told.encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return "wrong signature"
    wrong = {
        "alg": head != {"typ": "JWT", "alg": "ES256"},
        "aud": claims["aud"] != f"https://{host}",
        "exp": not time.time() < claims["exp"] <= time.time() + 24 * 3600,
        "sub": not claims["sub"].startswith(("mailto:", "https:")),
        "length": len(raw) != 64,
    }
    return ", ".join(name for name, is_wrong in wrong.items() if is_wrong)


@contextmanager
def push_service(authority: trustme.CA) -> Iterator[PushService]:
    service = PushService()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            path = self.path.lstrip("/")
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = dict(self.headers)
            service.tries += 1
            if service.hold is not None and path == "slow":
                service.hold.wait()
            status = service.statuses.get(path, service.status)
            if problem := why_no_sender(headers, service.host):
                service.problems.append(problem)
                status = 403
            if status == 201:
                service.taken.setdefault(path, []).append(Pushed(headers=headers, body=body))
            self.send_response(status)
            if service.retry_after:
                self.send_header("Retry-After", service.retry_after)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.socket = context.wrap_socket(http.socket, server_side=True)
    thread = Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    service.host = f"localhost:{http.server_address[1]}"
    try:
        yield service
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


@contextmanager
def trusted_push_service(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[PushService]:
    """One whose certificate this computer trusts, and to which every sender was known."""
    authority = trustme.CA()
    patch.setenv("SSL_CERT_FILE", trusted_file(folder, authority))
    with push_service(authority) as service:
        yield service
        assert service.problems == [], "each request is signed as a push service wants it"
