"""The bench behind a real server, in a thread of its own, for clients without asyncio."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from holdfast.api.access import UserRole
from holdfast.runtime.api import listen, server_of
from tests.api.bench import ApiBench, api_bench

SHOW_EVERY_S = 0.5


class ServedBench:
    """Runs until told to end; cycles go on all the while."""

    def __init__(self, folder: Path, **changes: object) -> None:
        self.port = 0
        self.bench: ApiBench | None = None
        self._folder, self._changes = folder, changes
        self._secrets: dict[UserRole, str] = {}
        self._ready = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def secret_of(self, role: UserRole) -> str:
        """Returns the secret of a session, the same each time."""
        assert self.bench is not None
        if role not in self._secrets:
            self._secrets[role] = self.bench.secret_of(role)
        return self._secrets[role]

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(60.0)

    def end(self) -> None:
        self._end.set()
        self._thread.join()

    async def _serve(self) -> None:
        async with api_bench(self._folder, **self._changes) as bench:
            with listen(bench.site.api.model_copy(update={"port": 0})) as listening:
                server = server_of(bench.app)
                serving = asyncio.create_task(server.serve(sockets=[listening]))
                while not server.started:  # noqa: ASYNC110 - it is not ours
                    await asyncio.sleep(0.01)
                self.bench, self.port = bench, listening.getsockname()[1]
                self._ready.set()
                while not self._end.is_set():
                    await bench.show()
                    await asyncio.sleep(SHOW_EVERY_S)
                server.should_exit = True
                await serving


@contextmanager
def served_bench(folder: Path, **changes: object) -> Iterator[ServedBench]:
    """Runs a bench behind a real server for the time of the block."""
    served = ServedBench(folder, **changes)
    served.start()
    try:
        yield served
    finally:
        served.end()
