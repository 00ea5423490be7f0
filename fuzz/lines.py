"""Modbus: what comes back on a connection or a serial line, in whatever pieces, and whenever."""

import asyncio
import os
from collections.abc import Callable, Iterator
from itertools import pairwise

from pymodbus.framer import FramerRTU
from pymodbus.pdu import ModbusPDU

from fuzz.instant_loop import InstantLoop
from fuzz.target import Choices, Target
from holdfast.core.config.device import ModbusRtuTcp, ModbusTcp
from holdfast.core.errors import DeviceError, DeviceUnreachable
from holdfast.devices.drivers.link import PLAIN, CheckedAnswer
from holdfast.devices.drivers.modbus_link import ModbusLink
from holdfast.devices.drivers.modbus_pdu import (
    READS_OF_BITS,
    READS_OF_REGISTERS,
    describe,
    mismatch,
    read_request,
    refusal,
    words_of,
    write_request,
)
from holdfast.devices.drivers.rtu_bus import RtuBus, Seat
from holdfast.devices.drivers.rtu_frame import (
    LONGEST,
    answer_in,
    answer_length,
    frame_of,
    is_beginning,
    stray,
)
from holdfast.devices.drivers.station import Station
from holdfast.devices.drivers.turns import Urgency
from holdfast.devices.register_image import WriteRequest

_TIMEOUT_S = 0.5
_TICK_S = 0.02
_ENOUGH_S = 60.0
"""No request takes longer, whatever the device does: time-outs, silences and turns included."""


def _written(words: tuple[int, ...], *, coil: bool = False) -> ModbusPDU:
    write = WriteRequest(
        device_id=None,
        table="coil" if coil else "holding",
        address=4,
        words=words,
        function="single" if len(words) == 1 else "multiple",
    )
    return write_request(write, 7)


_REQUESTS: tuple[Callable[[], ModbusPDU], ...] = (
    lambda: read_request("holding", 0, 9, 7),
    lambda: read_request("input", 300, 2, 7),
    lambda: read_request("coil", 3, 17, 7),
    lambda: read_request("discrete", 0, 1, 7),
    lambda: _written((1,)),
    lambda: _written((1, 2)),
    lambda: _written((1,), coil=True),
    lambda: _written((1, 0, 1), coil=True),
)


def _proper_body(request: ModbusPDU) -> bytes:
    """Returns what a good device answers, without a check sum."""
    frame = frame_of(request)
    if request.function_code in READS_OF_REGISTERS + READS_OF_BITS:
        size = answer_length(request) - 5
        return frame[:2] + bytes([size, *range(size)])
    return frame[:6]


def _summed(body: bytes) -> bytes:
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


def _check_answer(request: ModbusPDU, answer: ModbusPDU) -> None:
    assert mismatch(request, answer) is None, describe(request)
    count = request.count if request.function_code in READS_OF_REGISTERS + READS_OF_BITS else 0
    words = words_of(answer, count)
    assert len(words) == count, f"{describe(request)} brought {len(words)}"
    assert all(0 <= word <= 0xFFFF for word in words), words


# ------------------------------------------------------------------ one frame


def _run_frame(data: bytes) -> bool:
    choices = Choices(data)
    request = _REQUESTS[choices.number(len(_REQUESTS))]()
    heard = choices.rest()
    summed = _judged(request, _summed(heard))
    return _judged(request, heard) or summed


def _judged(request: ModbusPDU, heard: bytes) -> bool:
    answer = answer_in(request, heard)
    if answer is None:
        assert len(stray(request, heard).reason) < 200
        return False
    assert all(is_beginning(request, heard[:end]) for end in range(len(heard)))
    assert len(heard) <= LONGEST
    if refusal(answer) is None:
        _check_answer(request, answer)
    return True


def _frame_seeds() -> Iterator[bytes]:
    for index, request in enumerate(_REQUESTS):
        body = _proper_body(request())
        yield bytes([index]) + body
        yield bytes([index]) + _summed(body)
        yield bytes([index, body[0], body[1] | 0x80, 2])


# ------------------------------------------------------------------ streams

_REPLACED, _SUMMED = 0x80, 0x40
"""Of a piece's first byte: the proper answer stands in its place; a check sum follows it."""


class _Babbler:
    """Sends what an input says: pieces, each after some time, for one request after the other."""

    def __init__(self, data: bytes, *, tcp: bool) -> None:
        self._choices, self._tcp = Choices(data), tcp
        self.request: ModbusPDU | None = None
        self.sent = b""

    def __call__(self, frame: bytes, answer: Callable[[bytes, float], None]) -> None:
        """Answers a request with up to three pieces."""
        after_s = 0.0
        for _ in range(self._choices.number(4)):
            kind = self._choices.number(256)
            after_s += _TICK_S * (kind & 0x3F)
            piece = self._piece(kind, frame)
            self.sent += piece
            answer(piece, after_s)

    def _piece(self, kind: int, frame: bytes) -> bytes:
        piece = self._choices.take(self._choices.number(256))
        if kind & _REPLACED and self.request is not None:
            piece = _proper_body(self.request)
        if kind & _SUMMED:
            return frame[:4] + len(piece).to_bytes(2) + piece if self._tcp else _summed(piece)
        return piece


def _run_rtu(data: bytes) -> bool:
    return _run_stream(data, _ask_on_a_bus, tcp=False)


def _run_tcp(data: bytes) -> bool:
    return _run_stream(data, _ask_over_tcp, tcp=True)


def _run_stream(
    data: bytes, ask: Callable[[_Babbler, ModbusPDU, ModbusPDU], object], *, tcp: bool
) -> bool:
    choices = Choices(data)
    first, second = (_REQUESTS[choices.number(len(_REQUESTS))]() for _ in range(2))
    device = _Babbler(choices.rest(), tcp=tcp)
    loop = InstantLoop(device)
    answers: list[CheckedAnswer | None] = loop.run_to_end(ask(device, first, second))  # type: ignore[arg-type]
    for request, answer in zip((first, second), answers, strict=True):
        if answer is not None:
            _check_answer(request, answer.pdu)
    return any(answer is not None for answer in answers)


async def _ask_on_a_bus(
    device: _Babbler, first: ModbusPDU, second: ModbusPDU
) -> list[CheckedAnswer | None]:
    bus = RtuBus(ModbusRtuTcp(host=f"fuzz-{os.getpid()}", timeout_s=_TIMEOUT_S))
    seat = Seat(bus, Station(_TIMEOUT_S, PLAIN, lambda _: None), Urgency.POLL)
    return await _ask_both(seat, device, first, second)


async def _ask_over_tcp(
    device: _Babbler, first: ModbusPDU, second: ModbusPDU
) -> list[CheckedAnswer | None]:
    link = ModbusLink(ModbusTcp(host="fuzz", timeout_s=_TIMEOUT_S))
    return await _ask_both(link, device, first, second)


async def _ask_both(
    link: Seat | ModbusLink, device: _Babbler, *requests: ModbusPDU
) -> list[CheckedAnswer | None]:
    """Asks one after the other, as soon as the device may be asked. None: an error of ours."""
    errors: list[DeviceUnreachable] = []
    keeper = asyncio.create_task(link.keep(errors.append))
    answers: list[CheckedAnswer | None] = []
    for request in requests:
        async with asyncio.timeout(_ENOUGH_S):
            while not link.connected:
                assert not keeper.done(), "it has let go of the line"
                await asyncio.sleep(_TICK_S)
            device.request = request
            try:
                answers.append(await link.request(request))
            except DeviceError as error:
                assert len(str(error)) < 500
                answers.append(None)
    link.close()
    await asyncio.wait({keeper}, timeout=_ENOUGH_S)
    assert keeper.done(), "it does not let go of the line"
    keeper.result()
    return answers


def _stream_seeds() -> Iterator[bytes]:
    proper = bytes([1, _REPLACED | _SUMMED | 1, 0])
    for first, second in pairwise(range(len(_REQUESTS))):
        yield bytes([first, second]) + 2 * proper


def _rtu_seeds() -> Iterator[bytes]:
    proper = bytes([1, _REPLACED | _SUMMED | 1, 0])
    yield from _stream_seeds()
    halves = [_summed(_proper_body(_REQUESTS[1]()))[part] for part in (slice(5), slice(5, None))]
    pieces = b"".join(bytes([2, len(half)]) + half for half in halves)
    yield bytes([1, 0, 2]) + pieces + bytes([3, 70, 3, 7, 3, 2]) + proper[1:] + proper[1:]


TARGETS = (
    Target(
        name="rtu_frames",
        eats="the frame of an answer on a serial line",
        seeds=_frame_seeds,
        run=_run_frame,
        longest=300,
    ),
    Target(
        name="rtu_stream",
        eats="what comes on a serial line, in pieces",
        seeds=_rtu_seeds,
        run=_run_rtu,
        longest=600,
    ),
    Target(
        name="modbus_tcp_stream",
        eats="what comes on a Modbus TCP connection, in pieces",
        seeds=_stream_seeds,
        run=_run_tcp,
        longest=600,
    ),
)
