"""The API process serves programs and pages. It reads, and hands on what people ask; it may end at
any time."""

import logging
import socket
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from holdfast.api.app import create_app, serve_elsewhere
from holdfast.api.auth.opening import open_auth
from holdfast.api.auth.setup_code import address_of, how_to_get_in
from holdfast.api.connections import Connection, SocketConnection
from holdfast.core.config import Site
from holdfast.core.config.api import Api
from holdfast.runtime.listening import cannot_listen
from holdfast.runtime.process import run_process
from holdfast.site.files import SiteFiles
from holdfast.ui.built import pages

if TYPE_CHECKING:
    from holdfast.api.auth.tls import TlsFiles

_log = logging.getLogger(__name__)

CONNECTIONS = 300
"""So many at once; one more is told 503 and may come again."""
KEEP_ALIVE_S, END_S = 10, 1
HEADER_BYTES = 32 * 1024
UNHEARD_MS = 10_000
SEND_BYTES = 128 * 1024
"""What waits for one who does not read; then nothing more is made for him."""


def run(site: Site, files: SiteFiles, config: Path, _: threading.Event) -> None:
    """Serves until told to end. Raises ConfigError if that cannot be at its address."""
    tls, auth = _tls(site.api, files), open_auth(site, files)
    how = how_to_get_in(auth.setup, address_of(site.api))
    if how is not None:
        _log.warning("%s", how)
    app = create_app(site, files, config, auth)
    serve_elsewhere(app, pages(site.gateway.port))
    with listen(site.api) as listening:
        server_of(app, tls).run(sockets=[listening])


def _tls(api: Api, files: SiteFiles) -> "TlsFiles | None":
    """Returns the certificate; what reads and makes one takes 8 MB, and is loaded for one alone."""
    if api.tls == "off":
        return None
    from holdfast.api.auth.tls import tls_files

    return tls_files(api, files.accounts, datetime.now(UTC))


def server_of(app: ASGIApp, tls: "TlsFiles | None" = None) -> uvicorn.Server:
    """Returns what serves ``app``, with bounds for everything that a client may do."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            ssl_certfile=None if tls is None else tls.certificate,
            ssl_keyfile=None if tls is None else tls.key,
            http=Connection,
            ws=SocketConnection,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=END_S,
            h11_max_incomplete_event_size=HEADER_BYTES,
            ws_max_size=HEADER_BYTES,
            ws_per_message_deflate=False,
        )
    )


def listen(api: Api) -> socket.socket:
    """Listens where site.yaml says. Raises ConfigError."""
    try:
        listening = socket.create_server((api.host, api.port))
    except OSError as error:
        raise cannot_listen("api", api.host, api.port, error) from error
    # All connections have these from it: one whose other end has gone is noticed.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MS)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
    return listening


def main() -> int:
    """Runs the process; returns its exit code."""
    return run_process("api", "Serves the API and the pages of one site.", run)


if __name__ == "__main__":
    sys.exit(main())
