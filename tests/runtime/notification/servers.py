"""A mail server and a web server on this computer, which take what recipients are told."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from holdfast.simulation.net import free_port

NAME, PASSWORD = "site", "open sesame 42"


@dataclass(kw_only=True)
class MailServer:
    """What it got; ``refuses`` is its answer to a mail, if it takes none."""

    port: int
    mails: list[EmailMessage] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    refuses: str = ""

    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 - aiosmtpd calls it so
        """Takes a mail."""
        envelope: Envelope = _[-1]
        if self.refuses:
            return self.refuses
        assert isinstance(envelope.content, bytes)
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.to.append(list(envelope.rcpt_tos))
        return "250 taken"


def _checked(*arguments: Any) -> AuthResult:
    login = arguments[-1]
    right = LoginPassword(NAME.encode(), PASSWORD.encode())
    return AuthResult(success=login == right, handled=False)


@contextmanager
def mail_server(authority: trustme.CA | None) -> Iterator[MailServer]:
    """Speaks STARTTLS with a certificate of ``authority``, or plainly without one."""
    server = MailServer(port=0)
    options: dict[str, Any] = {}
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        options = {"tls_context": context, "require_starttls": True, "authenticator": _checked}
    # It asks itself whether it runs, and cannot where the kernel chose the port.
    server.port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=server.port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class WebServer:
    """What was posted to it; it answers with ``status``."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    status: int = 200
    hold: Event | None = None
    """It answers once this is set."""


@contextmanager
def web_server() -> Iterator[WebServer]:
    server = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.posts.append(Post(path=self.path, headers=dict(self.headers), body=body))
            if server.hold is not None:
                server.hold.wait()
            self.send_response(server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def trusted_file(folder: Path, authority: trustme.CA) -> str:
    """The certificate of ``authority`` as a file, for SSL_CERT_FILE."""
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)
