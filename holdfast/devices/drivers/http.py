"""The HTTP driver polls a device of the house by its table; it never writes.

It has a client of its own, and not the carrier of :mod:`holdfast.web`: that one asks strangers
for a day's prices and may take a minute, this one asks a meter three times a second, on the
event loop of the control cycle (docs/decisions/0023-json-devices.md).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from holdfast.core.commands import Write
from holdfast.core.config.device import HttpHost
from holdfast.core.data_store import DataStore, Told
from holdfast.core.errors import ConfigError, DeviceError, DeviceRefused, DeviceUnreachable
from holdfast.core.ports import CommsCounters
from holdfast.core.role import Role
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.devices.drivers.backoff import Backoff
from holdfast.devices.drivers.causes import cause_in_words
from holdfast.devices.drivers.document_reader import DocumentReader
from holdfast.devices.drivers.modbus import next_due_ns
from holdfast.devices.http_profile import HttpDocument, HttpProfile
from holdfast.devices.json_path import MAX_BYTES

if TYPE_CHECKING:
    import httpx

_HEADERS = {"User-Agent": "holdfast", "Accept": "application/json", "Accept-Encoding": "identity"}


class HttpDriver:
    """Serves one device. Counts as a read each complete poll, of all its documents."""

    def __init__(
        self,
        name: str,
        owners: Mapping[Role, str],
        profile: HttpProfile,
        connection: HttpHost,
        store: DataStore,
    ) -> None:
        self.name = name
        self.counters = CommsCounters(
            where=f"{connection.host}:{connection.port}{connection.prefix}"
        )
        self._owners = owners
        self._period_ns = ns_from_s(profile.poll_period_s)
        self._timeout_s = connection.timeout_s
        self._store = store
        self._readers = [
            (_url(connection, document), _reader(profile, document)) for document in profile.reads
        ]
        self._closed = asyncio.Event()
        # They would log each poll; what matters is counted.
        for library in ("httpx", "httpcore"):
            logging.getLogger(library).setLevel(logging.WARNING)

    async def run(self) -> None:
        """Polls until cancelled or closed; survives every failure of the device."""
        import httpx

        backoff = Backoff()
        # Proxies of the environment are for the world outside, and none is verified over http.
        async with httpx.AsyncClient(
            headers=_HEADERS,
            trust_env=False,
            verify=False,
            follow_redirects=False,
            timeout=None,  # of the whole request, below
            limits=httpx.Limits(max_connections=1),
        ) as client:
            due_ns = time.monotonic_ns()
            while not self._closed.is_set():
                if await self._poll(client):
                    backoff.reset()
                    pause_ns = 0
                else:
                    pause_ns = ns_from_s(backoff.next_s())
                now_ns = time.monotonic_ns()
                due_ns = next_due_ns(due_ns, now_ns + pause_ns, self._period_ns)
                await self._wait((due_ns - now_ns) / NS_PER_S)

    async def write(self, write: Write, _is_stale: Callable[[], bool] = lambda: False) -> None:
        """Raises DeviceRefused: nothing is written over HTTP."""
        error = DeviceRefused(f"{self.name}: nothing is written over HTTP, {write.point} neither")
        self.counters.failed(str(error))
        raise error

    async def close(self) -> None:
        """Lets go of the connection; :meth:`run` ends by itself."""
        self._closed.set()

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return

    async def _poll(self, client: "httpx.AsyncClient") -> bool:
        """Reads all documents; says whether each of them told what it should."""
        told: list[Told] = []
        try:
            for url, reader in self._readers:
                asked_ns = time.monotonic_ns()
                told += reader.read(await self._asked(client, url), asked_ns)
        except DeviceError as error:
            self.counters.silent(str(error))
            return False
        doubt = self._store.put_poll(self._owners, told)
        self.counters.took(doubt, time.monotonic_ns())
        return True

    async def _asked(self, client: "httpx.AsyncClient", url: "httpx.URL") -> bytes:
        """Returns the body of an answer. Raises DeviceError."""
        import httpx

        path = url.raw_path.decode("ascii")
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                client.stream("GET", url) as answer,
            ):
                return await _body(answer, path)
        except TimeoutError:
            raise DeviceUnreachable(
                f"no whole answer to {path} within {self._timeout_s:g} s"
            ) from None
        except httpx.ProtocolError as error:
            raise DeviceRefused(f"{path}: the answer is no HTTP ({error})") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
            raise DeviceUnreachable(cause_in_words(error)) from None


def _url(connection: HttpHost, document: HttpDocument) -> "httpx.URL":
    """Returns where a document is. Raises ConfigError where that can be no address."""
    import httpx  # a tenth of a second, for nobody but who has such a device

    try:
        return httpx.URL(
            scheme="http",
            host=connection.host,
            port=connection.port,
            raw_path=f"{connection.prefix}{document.at}".encode("ascii"),
        )
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ConfigError(f"{connection.host!r} is no address: {error}") from error


def _reader(profile: HttpProfile, document: HttpDocument) -> DocumentReader:
    lost_s = min(profile.lost_s(row.signal) for row in document.values)
    return DocumentReader(document, lost_s=lost_s)


async def _body(answer: "httpx.Response", path: str) -> bytes:
    if answer.status_code != 200:
        raise DeviceRefused(f"{path}: HTTP {answer.status_code}")
    # Unpacked, a small answer may be a huge one.
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise DeviceRefused(f"{path}: the answer is packed, which was not asked for")
    content = bytearray()
    async for piece in answer.aiter_raw():
        content += piece
        if len(content) > MAX_BYTES:
            raise DeviceRefused(f"{path}: the answer is larger than {MAX_BYTES} bytes")
    return bytes(content)
