"""A gateway's server with a status as a controller would publish it, and a controller's socket."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple, Self

from holdfast.core.state_machine import State
from holdfast.monitoring.status.codec import encode_status
from holdfast.monitoring.status.schema import Status
from holdfast.runtime.gateway import GatewayServer
from holdfast.simulation.net import free_port
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import make_memory_folder, remove_memory_folder
from holdfast.site.shared_memory import RecordWriter
from holdfast.ui.emergency_interface.start import Gatekeeper
from tests.builders import build_site
from tests.monitoring.statuses import power, status

PEOPLE = [
    {"name": "Solar Ltd", "role": "service", "phone": "+49 (0)30 123"},
    {"name": "Ann", "email": "ann@example.org"},
]


class Told(NamedTuple):
    """An answer of the server."""

    status: int
    headers: dict[str, str]
    text: str


class GatewayBench:
    """Serves one site on a free port. No controller, and no status, unless it is told one."""

    def __init__(
        self, folder: Path, gatekeeper: Gatekeeper | None = None, **changes: object
    ) -> None:
        self.port = free_port()
        self.site = build_site(
            state_dir=str(folder / "state"),
            gateway={"host": "127.0.0.1", "port": self.port},
            **{"contacts": PEOPLE} | changes,
        )
        self.files = SiteFiles.of(self.site)
        self.files.create()
        make_memory_folder(self.files.state_dir)
        self._memory = RecordWriter(self.files.status)
        self._told: dict[str, Any] | None = None
        self._server = GatewayServer(self.site, self.files, gatekeeper)

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        remove_memory_folder(self.files.state_dir)

    def publish(self, age_s: float = 0.0, **changes: Any) -> Status:
        """Publishes a status that is so old; the site is in operation, unless told otherwise."""
        self._told = changes if age_s == 0.0 else None
        now_ns = time.monotonic_ns() - round(age_s * 1e9)
        told = status(**{"site": self.site.name, "monotonic_ns": now_ns} | changes)
        self._memory.publish(encode_status(told))
        return told

    @contextmanager
    def kept_fresh(self) -> Iterator[None]:
        """Publishes what was published last again and again, as a controller does."""
        end = threading.Event()

        def publish() -> None:
            while not end.wait(0.2):
                if self._told is not None:
                    self.publish(**self._told)

        thread = threading.Thread(target=publish)
        thread.start()
        try:
            yield
        finally:
            end.set()
            thread.join()

    def get(self, path: str, **headers: str) -> Told:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: str = "", **headers: str) -> Told:
        own = {"Origin": f"http://127.0.0.1:{self.port}"} if "Origin" not in headers else {}
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, body, form | own | headers)

    def ask(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> Told:
        """Asks as a browser does; an underscore in a header's name stands for a hyphen."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30.0)
        try:
            named = {key.replace("_", "-"): value for key, value in (headers or {}).items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        return Told(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text)

    def raw(self, content: bytes) -> bytes:
        """Sends bytes as they are, and reads until the server hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30.0) as connection:
            connection.sendall(content)
            found = b""
            with suppress(ConnectionResetError):
                while part := connection.recv(65536):
                    found += part
        return found


@contextmanager
def controller_at(path: Path, answering: Callable[[bytes], bytes | None]) -> Iterator[list[bytes]]:
    """Listens at a socket of a controller; yields what it heard. ``answering`` None: it hangs."""
    heard: list[bytes] = []
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            kept.append(connection)
            connection.settimeout(5.0)
            with suppress(OSError):
                line = connection.makefile("rb").readline()
                heard.append(line)
                if (answer := answering(line)) is not None:
                    connection.sendall(answer)

    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen(64)
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        for connection in kept:
            connection.close()
        path.unlink(missing_ok=True)


def stopping(bench: GatewayBench, measured_w: float = 0.0) -> Callable[[bytes], bytes]:
    """What a controller does that takes a stop: it latches, tells so, and answers."""

    def answer(_: bytes) -> bytes:
        bench.publish(
            state=State.STOPPED, emergency_stop_latched=True, quantities=(power(measured_w),)
        )
        return reply(accepted=True, reason="estop done", state="stopped")

    return answer


def reply(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


class WellFormed(HTMLParser):
    """Reads a page, and fails where an element is not closed in its place."""

    VOID = frozenset({"meta", "link", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def at_rest(bench: GatewayBench, **changes: Any) -> Status:
    """Publishes a site that can be started."""
    return bench.publish(**{"state": State.IDLE, "quantities": (power(0.0),)} | changes)
