"""A real broker on a free port, and somebody who sends and hears through it."""

import asyncio
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from holdfast.simulation.net import free_port
from holdfast.testing.processes import Process

if TYPE_CHECKING:
    import aiomqtt

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

needed = pytest.mark.skipif(
    PROGRAM is None, reason="mosquitto is not installed: apt-get install mosquitto"
)

EXEC = "import os, sys; os.execv(sys.argv[1], sys.argv[1:])"


class Broker:
    """Mosquitto; what it keeps is gone when it stops."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self._folder = folder
        self._config = folder / "mosquitto.conf"
        head = [f"listener {self.port} 127.0.0.1", "persistence false", "user root"]
        self._config.write_text("\n".join([*head, *(lines or ("allow_anonymous true",))]) + "\n")
        self._process: Process | None = None

    def start(self) -> None:
        assert PROGRAM is not None
        command = ("-c", EXEC, PROGRAM, "-c", str(self._config))
        self._process = Process(self._folder / "mosquitto.log", *command)
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, self._process.output
                assert self._process.alive, self._process.output
                time.sleep(0.01)
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.end()
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Lets it hang (SIGSTOP), say."""
        assert self._process is not None
        self._process.signal(number)

    @asynccontextmanager
    async def client(self, **options: str) -> AsyncIterator["aiomqtt.Client"]:
        """Somebody else at the broker: a device, say."""
        import aiomqtt

        async with aiomqtt.Client("127.0.0.1", self.port, **options) as client:
            yield client

    async def send(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        async with self.client() as client:
            await client.publish(topic, payload, qos=1, retain=retain)


def passwords(folder: Path, name: str, password: str) -> Path:
    """A file of passwords as mosquitto has them."""
    path = folder / "passwords"
    program = shutil.which("mosquitto_passwd", path="/usr/bin:/usr/local/bin")
    assert program is not None
    subprocess.run([program, "-b", "-c", path, name, password], check=True, timeout=30)
    path.chmod(0o644)
    return path


class OldBroker:
    """A broker that knows MQTT 3.1.1 alone: it refuses 5, and acknowledges all else."""

    def __init__(self, grants: int = 0) -> None:
        """Answers ``grants`` to who subscribes."""
        self._grants = grants
        self.levels: list[int] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)

    async def send(self, topic: str, payload: bytes) -> None:
        name = topic.encode()
        body = len(name).to_bytes(2, "big") + name + payload
        self._writers[-1].write(bytes([0x30, len(body)]) + body)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        try:
            while True:
                kind, size = await reader.readexactly(2)
                body = await reader.readexactly(size)
                if kind >> 4 == 1:
                    self.levels.append(body[6])
                    writer.write(bytes([0x20, 2, 0, 1 if body[6] > 4 else 0]))
                elif kind >> 4 == 8:
                    writer.write(bytes([0x90, 3, *body[:2], self._grants]))
                elif kind >> 4 == 3:
                    length = int.from_bytes(body[:2], "big")
                    writer.write(bytes([0x40, 2, *body[2 + length : 4 + length]]))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
