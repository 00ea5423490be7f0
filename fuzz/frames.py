"""CAN: the frames of a battery, one after the other, and the lines of a serial adapter."""

import asyncio
import atexit
from collections.abc import Iterator
from functools import cache

import can
from can.interfaces.slcan import slcanBus

from fuzz.believed import check_told
from fuzz.plant import UNIT, house
from fuzz.target import Choices, Target
from holdfast.core.config.device import CanBus
from holdfast.core.data_store import Told
from holdfast.core.units import NS_PER_MS
from holdfast.devices.can_profile import CanProfile
from holdfast.devices.drivers.can_burst import Burst, BurstCollector
from holdfast.devices.drivers.can_reader import CanReader
from holdfast.devices.drivers.can_twins import TwinWatch
from holdfast.devices.profile import load_profile, profile_names
from holdfast.simulation.servers.can_dialects import DIALECTS

_NOW_NS = 10**12
_TICK_NS = 20 * NS_PER_MS


@cache
def _tables() -> tuple[CanProfile, ...]:
    profiles = map(load_profile, profile_names())
    return tuple(each for each in profiles if isinstance(each, CanProfile))


# ------------------------------------------------------------------ bursts


def _run_bursts(data: bytes) -> bool:
    choices = Choices(data)
    tables = _tables()
    table = tables[choices.number(len(tables))]
    collector, twins, now_ns, believed = BurstCollector(table), TwinWatch(), _NOW_NS, False
    while choices:
        frame = table.frames[choices.number(len(table.frames))]
        size = choices.number(256)
        now_ns += _TICK_NS * (size >> 4)
        try:
            ended = collector.add(frame.id, choices.take(size % 9), now_ns)
        except ValueError:
            continue
        believed |= _check_burst(ended, twins, now_ns)
    return _check_burst(collector.take(), twins, now_ns) or believed


def _check_burst(burst: Burst | None, twins: TwinWatch, now_ns: int) -> bool:
    if burst is None or twins.saw(burst.values) is not None:
        return False
    told = [
        Told(signal=signal, value=value, time_ns=burst.time_ns)
        for signal, value in burst.values.items()
    ]
    return check_told(told, now_ns)


def _burst_seeds() -> Iterator[bytes]:
    unit = house().units[UNIT]
    for number, table in enumerate(_tables()):
        indices = {frame.id: index for index, frame in enumerate(table.frames)}
        frames = [
            bytes([indices[id_], len(content)]) + content
            for id_, content in DIALECTS[table.name].frames(unit)
            if id_ in indices
        ]
        yield bytes([number]) + b"".join(frames)
        yield bytes([number]) + 3 * b"".join(frames)


# ------------------------------------------------------------------ a serial adapter

_SERIAL = "pylontech_lv_can"
_GOOD_LINE = b"t35580102030405060708\r"
_GOOD_ID = 0x355


class _Impatient(slcanBus):
    """Is an adapter at which nobody waits for what has not come: what is written to it comes."""

    def recv(self, timeout: float | None = None) -> can.Message | None:  # noqa: ARG002 - not at all
        return super().recv(0.0)


@cache
def _adapter() -> _Impatient:
    bus = _Impatient("loop://", sleep_after_open=0, timeout=0)
    atexit.register(bus.shutdown)
    return bus


def _run_lines(data: bytes) -> bool:
    return asyncio.run(_hear(data))


async def _hear(data: bytes) -> bool:
    """Lets ``data`` come before a good frame, which has to be heard whatever was before it."""
    garbage: list[str] = []
    reader = CanReader(
        CanBus(interface="slcan", channel="loop"),
        next(table for table in _tables() if table.name == _SERIAL),
        on_frame=lambda *_: None,
        on_garbage=garbage.append,
    )
    bus = _adapter()
    bus.flush()
    bus.serialPortOrig.write(data)
    heard = _heard(reader, bus, len(data))
    bus.serialPortOrig.write(b"\r")
    _heard(reader, bus, 1)
    bus.serialPortOrig.write(_GOOD_LINE)
    last = _heard(reader, bus, len(_GOOD_LINE))
    assert last, "a good frame behind a bad line is not heard"
    assert last[-1].arbitration_id == _GOOD_ID
    return bool(heard)


def _heard(reader: CanReader, bus: _Impatient, most: int) -> list[can.Message]:
    """Returns what is heard until nothing is left; one line costs one call at most."""
    found = []
    for _ in range(most + 2):
        message = reader._next(bus)
        if message is not None:
            reader._take(message, _NOW_NS)
            found.append(message)
    assert bus.serialPortOrig.in_waiting == 0, "what has come is not used up"
    return found


def _line_seeds() -> Iterator[bytes]:
    for id_, content in DIALECTS[_SERIAL].frames(house().units[UNIT]):
        yield f"t{id_:03X}{len(content)}{content.hex().upper()}\r".encode()
    yield b"T1ABCDEF021122\rr1230\rR1ABCDEF00\rd1239" + 12 * b"00" + b"\r\a"


TARGETS = (
    Target(
        name="can_bursts",
        eats="frames of every CAN table",
        seeds=_burst_seeds,
        run=_run_bursts,
        longest=1024,
    ),
    Target(
        name="slcan_lines",
        eats="lines of a serial CAN adapter",
        seeds=_line_seeds,
        run=_run_lines,
        longest=200,
    ),
)
