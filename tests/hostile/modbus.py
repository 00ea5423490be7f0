"""A Modbus TCP server on bare sockets: what a device would answer, and how it can fail to."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

Read = Callable[[int, int, int], list[int]]
"""Of function code, address and count: words, or bits."""
Write = Callable[[int, int, list[int]], None]
"""Of function code, address and words, or bits."""


class Device:
    """One device behind one port. Its faults are switched on from outside."""

    def __init__(self, read: Read, write: Write) -> None:
        self._read, self._write = read, write
        self.silent = False
        """It takes requests and answers none; what is written still reaches it."""
        self.deaf = False
        """Nothing reaches it either."""
        self.frozen = False
        """It repeats its last answer to each request."""
        self._last: dict[bytes, bytes] = {}
        self._connections: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """The cable is pulled: connections end, and nobody gets a new one."""
        # The port stays taken, so that no other program gets it meanwhile.
        self.deaf = self.silent = True
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._connections.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while True:
                header = _exactly(connection, 7)
                transaction, _, length, unit = struct.unpack(">HHHB", header)
                request = _exactly(connection, length - 1)
                answer = self._answer(request)
                if answer is not None:
                    head = struct.pack(">HHHB", transaction, 0, len(answer) + 1, unit)
                    connection.sendall(head + answer)
        self._connections.discard(connection)

    def _answer(self, request: bytes) -> bytes | None:
        if self.deaf:
            return None
        if self.frozen and request in self._last:
            return self._last[request]
        answer = self._carry_out(request)
        self._last[request] = answer
        return None if self.silent else answer

    def _carry_out(self, request: bytes) -> bytes:
        function, address, value = struct.unpack(">BHH", request[:5])
        if function in {1, 2}:
            bits = self._read(function, address, value)
            packed = sum(bit << index for index, bit in enumerate(bits))
            count = (value + 7) // 8
            return bytes([function, count]) + packed.to_bytes(count, "little")
        if function in {3, 4}:
            words = self._read(function, address, value)
            return bytes([function, 2 * value]) + struct.pack(f">{value}H", *words)
        if function == 5:
            self._write(function, address, [int(value == 0xFF00)])
        elif function == 6:
            self._write(function, address, [value])
        elif function == 16:
            self._write(function, address, list(struct.unpack(f">{value}H", request[6:])))
        else:
            return bytes([function | 0x80, 1])
        return request[:5]


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise ConnectionResetError
        data += part
    return data


def high_first(value: float) -> list[int]:
    """A signed number of 32 bits as two words."""
    return list(struct.unpack(">2H", struct.pack(">i", round(value))))


def from_high_first(words: list[int]) -> int:
    """The number in two words."""
    number: int = struct.unpack(">i", struct.pack(">2H", *words))[0]
    return number
