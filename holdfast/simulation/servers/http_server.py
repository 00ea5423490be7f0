"""An HTTP server answers as simulated devices do: a document at each path of their tables."""

import asyncio
from contextlib import suppress

from holdfast.devices.http_profile import HttpProfile
from holdfast.simulation.servers.json_device import JsonDevice
from holdfast.simulation.servers.protocol_faults import ProtocolFault

_HEAD = "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"


class HttpEndpoint:
    """Is one host and port, with the devices behind it by the prefix of their paths."""

    def __init__(self, host: str, port: int, devices: dict[str, JsonDevice]) -> None:
        self.host, self.port, self.devices = host, port, devices
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def refresh(self) -> None:
        """Listens, or stops to while every device is absent. Raises OSError if it cannot listen."""
        if all(ProtocolFault.ABSENT in device.faults for device in self.devices.values()):
            await self.close()
        elif self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)

    async def close(self) -> None:
        """Stops listening and closes every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            for writer in self._writers:
                writer.transport.abort()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while not writer.is_closing():
                    request = await reader.readuntil(b"\r\n\r\n")
                    await self._answer(request.decode("latin-1"), writer)
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, request: str, writer: asyncio.StreamWriter) -> None:
        method, target = [*request.split(" ", 2), "", ""][:2]
        found = self._found(target) if method == "GET" else None
        if found is None:
            writer.write(_framed("404 Not Found", b"{}"))
            return
        device, body = found
        faults = device.faults
        if ProtocolFault.ABSENT in faults:
            writer.transport.abort()
            return
        await asyncio.sleep(faults.get(ProtocolFault.SLOW) or 0.0)
        answer = _framed("200 OK", body)
        if faults.exception is not None:
            answer = _framed("503 Service Unavailable", b"{}")
        if ProtocolFault.RESET in faults:
            answer = answer[: len(answer) // 2]
            writer.close()
        writer.write(answer)

    def _found(self, target: str) -> tuple[JsonDevice, bytes] | None:
        """Returns the device that has a document at ``target``, and the document."""
        for prefix, device in self.devices.items():
            assert isinstance(device.profile, HttpProfile)
            for document in device.profile.reads:
                if prefix + document.at == target:
                    return device, device.told(document)
        return None


def _framed(status: str, body: bytes) -> bytes:
    return _HEAD.format(status=status, length=len(body)).encode("ascii") + body
