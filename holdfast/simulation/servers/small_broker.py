"""A small MQTT broker on a loopback port: it passes on what comes, and keeps nothing.

It knows MQTT 3.1.1, topics without wildcards and, towards who listens, QoS 0.
"""

import asyncio
from collections.abc import Callable
from enum import IntEnum
from typing import Final

_LEVEL_AT, _LEVEL = 6, 4
"""Where a greeting says which protocol it is of, and that of MQTT 3.1.1."""
_UNKNOWN_PROTOCOL: Final = 1
_LONGEST = 65_536


class _Packet(IntEnum):
    CONNECT = 1
    PUBLISH = 3
    SUBSCRIBE = 8
    PING = 12


OnMessage = Callable[[str, bytes], None]
"""It takes topic and payload of what somebody has sent."""


class SmallBroker:
    """Listens on one port."""

    def __init__(self, host: str, port: int, on_message: OnMessage) -> None:
        self.host, self.port = host, port
        self._on_message = on_message
        self._server: asyncio.Server | None = None
        self._clients: set[_Client] = set()

    async def open(self) -> None:
        """Listens from now on. Raises OSError if it cannot."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)

    async def close(self) -> None:
        """Listens no more, and hangs up."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for client in self._clients:
            client.writer.transport.abort()
        await asyncio.gather(*(client.task for client in self._clients), return_exceptions=True)

    def send(self, topic: str, payload: bytes) -> None:
        """Sends to whoever has asked for ``topic``."""
        for client in self._clients:
            if topic in client.topics:
                client.writer.write(_packet(_Packet.PUBLISH << 4, _text(topic) + payload))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        client = _Client(writer, task)
        self._clients.add(client)
        try:
            while True:
                head, body = await _next_packet(reader)
                self._take(client, head, body)
        except (asyncio.IncompleteReadError, ConnectionError, ValueError, IndexError):
            pass  # it has hung up, or speaks something else
        finally:
            self._clients.discard(client)
            writer.close()

    def _take(self, client: "_Client", head: int, body: bytes) -> None:
        match _Packet(head >> 4):
            case _Packet.CONNECT:
                known = body[_LEVEL_AT] == _LEVEL
                client.writer.write(bytes([0x20, 2, 0, 0 if known else _UNKNOWN_PROTOCOL]))
            case _Packet.SUBSCRIBE:
                wanted = _topics_in(body[2:])
                client.topics |= set(wanted)
                client.writer.write(_packet(0x90, body[:2] + bytes(len(wanted))))
            case _Packet.PUBLISH:
                self._publish(client, head, body)
            case _Packet.PING:
                client.writer.write(bytes([0xD0, 0]))

    def _publish(self, client: "_Client", head: int, body: bytes) -> None:
        topic, rest = _first_text(body)
        if head & 0b0110:  # QoS 1: the sender waits for an acknowledgement of its number
            client.writer.write(bytes([0x40, 2]) + rest[:2])
            rest = rest[2:]
        self.send(topic, rest)
        self._on_message(topic, rest)


class _Client:
    def __init__(self, writer: asyncio.StreamWriter, task: asyncio.Task[None]) -> None:
        self.writer, self.task = writer, task
        self.topics: set[str] = set()


async def _next_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Returns the first byte of a packet and its body. Raises ValueError for one without end."""
    (head,) = await reader.readexactly(1)
    size = shift = 0
    while True:
        (byte,) = await reader.readexactly(1)
        size |= (byte & 0x7F) << shift
        if size > _LONGEST:
            raise ValueError("too long")
        if not byte & 0x80:
            return head, await reader.readexactly(size)
        shift += 7


def _packet(head: int, body: bytes) -> bytes:
    size, sizes = len(body), b""
    while True:
        size, low = divmod(size, 128)
        sizes += bytes([low | (0x80 if size else 0)])
        if not size:
            return bytes([head]) + sizes + body


def _text(text: str) -> bytes:
    coded = text.encode()
    return len(coded).to_bytes(2, "big") + coded


def _first_text(body: bytes) -> tuple[str, bytes]:
    end = 2 + int.from_bytes(body[:2], "big")
    return body[2:end].decode(), body[end:]


def _topics_in(body: bytes) -> list[str]:
    topics = []
    while body:
        topic, body = _first_text(body)
        topics.append(topic)
        body = body[1:]  # the QoS that is asked for
    return topics
