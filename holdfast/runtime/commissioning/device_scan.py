"""A scan finds the devices behind one address, what they say of themselves, and which tables fit.

It only reads, on one connection, one request at a time, and leaves the device alone in between.
"""

import asyncio
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest, ReadDeviceInformationResponse

from holdfast.core.config.device import ModbusTcp
from holdfast.core.errors import DeviceError, DeviceRefused, DeviceUnreachable
from holdfast.core.reading import Good
from holdfast.devices.block_plan import RegisterBlock
from holdfast.devices.drivers.modbus_link import ModbusLink
from holdfast.devices.drivers.modbus_pdu import read_request, words_of
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import load_profile, profile_names
from holdfast.devices.register_image import Table
from holdfast.runtime.commissioning.self_description import (
    BASES,
    COMMON_WORDS,
    MARKER,
    common_model,
    identification,
)
from holdfast.runtime.device_check import shows_commands
from holdfast.runtime.device_reading import Decoded, RawBlock, Recording, decode

PORTS = (502, 1502, 6607)
"""Modbus, and where SolarEdge and Huawei have it."""
IDS = (*range(1, 11), 100, 247)
"""What is usual; 100 is a Victron GX, 247 a Fox ESS or a GoodWe."""
_PROBES: tuple[tuple[Table, int, int], ...] = (("holding", 40000, 2), ("input", 0, 1))
"""Whatever is there answers one of them, be it with a refusal."""
_NOBODY = ("exception 10 ", "exception 11 ")
"""So a gateway answers for a device that it does not reach."""
PAUSE_S = 0.1
_CONNECT_WITHIN_S = 2.5
"""A lost connection is tried again after two seconds at the latest."""
_LOOK_EVERY_S = 0.02
_UNUSED = 65530
"""No table has this holding register: who gives it gives anything."""
_DEAF = 3
"""After so many requests in a row without an answer a device is left alone."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPace:
    """Tells how gently, and how long, is asked."""

    pause_s: float = PAUSE_S
    """The device is left alone so long after each answer."""
    timeout_s: float = 1.0
    """Who has not answered by then is not there."""
    within_s: float = 300.0
    """The whole scan takes no longer."""

    @property
    def connect_pause_s(self) -> float:
        """Returns how long it is left alone after a new connection: some need it."""
        return 10.0 * self.pause_s


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFit:
    """Names a table of which everything came and can be true."""

    table: str
    values: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDevice:
    """Holds what is known of one device id behind a port."""

    port: int
    device_id: int
    sunspec: Mapping[str, str] | None
    """Holds what the common model says; None: there is no SunSpec."""
    identification: Mapping[str, str]
    tables: tuple[TableFit, ...]
    """Lists the tables that fit, the best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """Holds what is behind one address."""

    closed: Mapping[int, str]
    """Tells of each port that could not be asked why."""
    devices: tuple[FoundDevice, ...]
    complete: bool
    """Says whether everything was asked before the time was up."""


async def scan(
    host: str, ports: Sequence[int], ids: Sequence[int], tell: Tell, pace: ScanPace
) -> ScanResult:
    """Asks everything behind ``host``, and tells what it does. It never writes."""
    closed: dict[int, str] = {}
    found: list[FoundDevice] = []
    complete = False
    try:
        async with asyncio.timeout(pace.within_s):
            for port in ports:
                connection = ModbusTcp(host=host, port=port, timeout_s=pace.timeout_s)
                async with _Line(connection, pace) as line:
                    try:
                        await line.open()
                        tell(f"{host}:{port} takes a connection")
                        await _scan_port(line, port, ids, tell, found)
                    except DeviceUnreachable as error:
                        closed[port] = str(error)
                        tell(f"{host}:{port}: {error}")
            complete = True
    except TimeoutError:
        tell(f"time is up after {pace.within_s:g} s")
    return ScanResult(closed=closed, devices=tuple(found), complete=complete)


async def identify(connection: ModbusTcp, pace: ScanPace) -> dict[str, str]:
    """Returns what one device says of itself. Raises DeviceUnreachable without a connection."""
    quick = connection.model_copy(update={"timeout_s": pace.timeout_s})
    async with _Line(quick, pace) as line:
        await line.open()
        told = await _sunspec(line, connection.device_id) or {}
        return await _identification(line, connection.device_id) | told


async def _scan_port(
    line: "_Line", port: int, ids: Sequence[int], tell: Tell, found: list[FoundDevice]
) -> None:
    for device_id in ids:
        if not await _is_there(line, device_id):
            tell(f"  id {device_id}: nobody")
            continue
        tell(f"  id {device_id}: answers; asking what it is, and trying the tables")
        found.append(
            FoundDevice(
                port=port,
                device_id=device_id,
                sunspec=await _sunspec(line, device_id),
                identification=await _identification(line, device_id),
                tables=await _tables(line, device_id),
            )
        )


async def _is_there(line: "_Line", device_id: int) -> bool:
    for table, address, count in _PROBES:
        try:
            await line.ask(read_request(table, address, count, device_id))
        except DeviceRefused as error:
            return not any(code in str(error) for code in _NOBODY)
        except DeviceUnreachable:
            continue
        return True
    await line.open()
    return False


async def _sunspec(line: "_Line", device_id: int) -> dict[str, str] | None:
    for base in BASES:
        if tuple(await line.words("holding", base, len(MARKER), device_id)) == MARKER:
            start = base + len(MARKER)
            return common_model(await line.words("holding", start, COMMON_WORDS, device_id))
    return None


async def _identification(line: "_Line", device_id: int) -> dict[str, str]:
    try:
        answer = await line.ask(ReadDeviceInformationRequest(dev_id=device_id))
    except DeviceError:
        return {}
    if not isinstance(answer, ReadDeviceInformationResponse):
        return {}
    return identification(answer.information)


async def _tables(line: "_Line", device_id: int) -> tuple[TableFit, ...]:
    fits = []
    line.hears_again()
    gives_anything = await line.words("holding", _UNUSED, 1, device_id) != ()
    for name in profile_names():
        profile = load_profile(name)
        if not isinstance(profile, ModbusProfile):
            continue
        values = await _values_of(line, profile, device_id)
        count = values_that_fit(profile, values, zeros_count=not gives_anything)
        if count:
            fits.append(TableFit(table=name, values=count))
    return tuple(sorted(fits, key=lambda fit: -fit.values))


async def _values_of(line: "_Line", profile: ModbusProfile, device_id: int) -> tuple[Decoded, ...]:
    """Returns all values of a table; nothing if a block of it does not come."""
    blocks = []
    for block in profile.blocks():
        inner_id = device_id if block.device_id is None else block.device_id
        words = await line.words(
            block.table, block.address, block.count, inner_id, pause_s=profile.pause_s
        )
        if not words:
            return ()
        blocks.append(_raw(block, words))
    recording = Recording(table=profile.name, utc=datetime.now(UTC), blocks=tuple(blocks))
    return decode(profile, recording)


def _raw(block: RegisterBlock, words: Sequence[int]) -> RawBlock:
    return RawBlock(
        device_id=block.device_id, table=block.table, address=block.address, words=tuple(words)
    )


def values_that_fit(
    profile: ModbusProfile, values: Collection[Decoded], *, zeros_count: bool
) -> int:
    """Returns how many values came; 0 if one that is required cannot be true.

    Nobody commands the device, so what shows a command of ours is left out. Unless ``zeros_count``
    a device that tells nothing but zeros tells nothing.
    """
    later = shows_commands(profile)
    told = [value for value in values if value.signal not in later and value.words]
    good = [value for value in told if isinstance(value.sample, Good)]
    wrong = [value for value in told if value not in good and value.signal in profile.required]
    tells = zeros_count or any(word for value in good for word in value.words)
    return len(good) if tells and not wrong else 0


class _Line:
    """Asks over one connection, and remembers what was answered."""

    def __init__(self, connection: ModbusTcp, pace: ScanPace) -> None:
        self._link = ModbusLink(connection)
        self._pace = pace
        self._why = "takes no connection"
        self._keeper: asyncio.Task[None] | None = None
        self._known: dict[tuple[Table, int, int, int], tuple[int, ...]] = {}
        self._deaf = 0

    async def __aenter__(self) -> "_Line":
        return self

    async def __aexit__(self, *_: object) -> None:
        self._link.close()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)

    async def open(self) -> None:
        """Waits for a connection. Raises DeviceUnreachable if none comes."""
        if self._is_open():
            return
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._link.keep(self._note))
        for _ in range(round(_CONNECT_WITHIN_S / _LOOK_EVERY_S)):
            await asyncio.sleep(_LOOK_EVERY_S)
            if self._is_open():
                await asyncio.sleep(self._pace.connect_pause_s)
                return
        raise DeviceUnreachable(self._why)

    async def ask(self, request: ModbusPDU, pause_s: float = 0.0) -> ModbusPDU:
        """Sends one request. Raises DeviceError."""
        await self.open()
        try:
            return (await self._link.request(request)).pdu
        finally:
            await asyncio.sleep(max(pause_s, self._pace.pause_s))

    async def words(
        self, table: Table, address: int, count: int, device_id: int, *, pause_s: float = 0.0
    ) -> tuple[int, ...]:
        """Returns what is there; nothing if the device does not give it."""
        key = (table, address, count, device_id)
        if key not in self._known:
            self._known[key] = await self._read(*key, pause_s)
        return self._known[key]

    def hears_again(self) -> None:
        """Another device is asked from now on."""
        self._deaf = 0

    async def _read(
        self, table: Table, address: int, count: int, device_id: int, pause_s: float
    ) -> tuple[int, ...]:
        if self._deaf >= _DEAF:
            return ()
        try:
            answer = await self.ask(read_request(table, address, count, device_id), pause_s)
        except DeviceUnreachable:
            self._deaf += 1
            return ()
        except DeviceError:
            self._deaf = 0
            return ()
        self._deaf = 0
        return tuple(words_of(answer, count))

    def _is_open(self) -> bool:
        return self._link.connected

    def _note(self, error: DeviceUnreachable) -> None:
        self._why = str(error)


def ids_in(text: str) -> tuple[int, ...]:
    """Returns the device ids that a text such as ``1-10,247`` names. Raises ValueError.

    >>> ids_in("1-3,247")
    (1, 2, 3, 247)
    """
    ids = tuple(dict.fromkeys(each for part in text.split(",") for each in _ids_of(part)))
    if not ids or not all(0 <= each <= 255 for each in ids):
        raise ValueError(f"{text!r}: ids from 0 to 255 are named such as 1-10,247")
    return ids


def _ids_of(part: str) -> Iterable[int]:
    found = re.fullmatch(r"\s*(\d{1,3})(?:-(\d{1,3}))?\s*", part)
    if found is None:
        raise ValueError(f"{part!r}: ids are named such as 1-10,247")
    first, last = found[1], found[2] or found[1]
    return range(int(first), int(last) + 1)
