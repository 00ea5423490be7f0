"""Modbus tables: whatever stands in the registers of a device, and what it is then told."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import chain, repeat

from fuzz.believed import check_told
from fuzz.plant import SimulatedDevice
from fuzz.target import Choices, Target, of_words
from holdfast.core.commands import Point
from holdfast.core.config import InverterHardware
from holdfast.core.data_store import Told
from holdfast.core.errors import DeviceRefused
from holdfast.core.signals import Signal
from holdfast.devices.drivers.modbus_pdu import requests_of
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import load_profile, profile_names
from holdfast.devices.register_image import LastShown, Place, RawImage
from holdfast.devices.sunspec.binding import NotBound
from holdfast.devices.sunspec.discovery import LONGEST, NoSunSpec, Words, discover
from holdfast.devices.sunspec.model_files import load_models
from holdfast.devices.sunspec.profile import SunSpecProfile

_NOW_NS = 10**12
_HARDWARE = InverterHardware(charge_power_max_w=5000, discharge_power_max_w=4000)
_ASKED = (0.0, 1.0, -1.0, 2345.6, -2345.6, 5000.0, 1e9)
_BASE = 40000
_HAIR = 1.0 + 1e-9


@cache
def _plain_tables() -> tuple[ModbusProfile, ...]:
    profiles = map(load_profile, profile_names())
    return tuple(each.bound(_HARDWARE) for each in profiles if isinstance(each, ModbusProfile))


@cache
def _sunspec_tables() -> tuple[SunSpecProfile, ...]:
    profiles = map(load_profile, profile_names())
    return tuple(each.bound(_HARDWARE) for each in profiles if isinstance(each, SunSpecProfile))


# ------------------------------------------------------------------ tables with addresses


def _run_plain(data: bytes) -> bool:
    choices = Choices(data)
    tables = _plain_tables()
    return _check_poll(tables[choices.number(len(tables))], choices.words())


def _plain_seeds() -> Iterator[bytes]:
    for index, table in enumerate(_plain_tables()):
        device = SimulatedDevice(table)
        words = chain.from_iterable(device.words(block) for block in table.blocks())
        yield bytes([index]) + of_words(words)


def _check_poll(table: ModbusProfile, words: Iterable[int]) -> bool:
    """Lets a device show ``words``, one block after the other, and be told what to do."""
    places = [place for block in table.blocks() for place in block.places]
    image: RawImage = dict(zip(places, chain(words, repeat(0)), strict=False))
    told = table.told(image, dict.fromkeys(places, _NOW_NS))
    table.moved(image)
    _check_commands(table, image, told)
    return check_told(told, _NOW_NS)


def _check_commands(table: ModbusProfile, image: RawImage, told: Iterable[Told]) -> None:
    known = {one.signal: one.value for one in told if one.is_plausible}
    for point in table.points:
        for value in _ASKED:
            try:
                requests = requests_of(
                    table.name, table.points, point, value, LastShown(image=image, told=known)
                )
            except DeviceRefused:
                continue
            written: dict[Place, int] = {}
            for request in requests:
                assert all(0 <= word <= 0xFFFF for word in request.words), request
                written |= zip(request.places, request.words, strict=True)
            if point is Point.SETPOINT_W:
                _check_kept(table, {**image, **written}, value, known)


def _check_kept(
    table: ModbusProfile, image: RawImage, asked_w: float, known: Mapping[Signal, float]
) -> None:
    """What the device then shows of a setpoint is no more than was asked, but for one step."""
    pv_w = known.get(Signal.PV_POWER_W, 0.0)
    shown_w = table.value_of(Signal.SETPOINT_READBACK_W, image, pv_w)
    most_w = abs(asked_w) * _HAIR + table.traits[Point.SETPOINT_W].step
    assert not abs(shown_w) > most_w, f"{asked_w:g} W were asked, and {shown_w:g} W are kept"


# ------------------------------------------------------------------ SunSpec


def _run_sunspec(data: bytes) -> bool:
    choices = Choices(data)
    tables = _sunspec_tables()
    table = tables[choices.number(len(tables))]
    held = {one: _counted_words(choices) for one in table.device_ids}
    try:
        maps = {one: discover(partial(_read, words)) for one, words in held.items()}
        bound = table.at(maps, load_models(table.model_ids))
    except (NoSunSpec, NotBound):
        return False
    places = (place for block in bound.blocks() for place in block.places)
    words = (_read(held[device_id], address, 1) or [0] for device_id, _, address in places)
    return _check_poll(bound, chain.from_iterable(words))


def _counted_words(choices: Choices) -> list[int]:
    count = int.from_bytes(choices.take(2))
    return Choices(choices.take(2 * count)).words()


def _read(words: list[int], address: int, count: int) -> Words:
    """Answers as a device that has ``words`` from the usual address on, and nothing else."""
    assert 0 <= address < address + count <= 0x1_0000, f"{count} registers at {address}"
    assert count <= LONGEST, f"{count} registers in one request"
    first = address - _BASE
    there = words[first : first + count] if first >= 0 else []
    return there if len(there) == count else None


def _sunspec_seeds() -> Iterator[bytes]:
    for index, table in enumerate(_sunspec_tables()):
        device = SimulatedDevice(table)
        held = [device.from_address(_BASE, one) for one in table.device_ids]
        yield bytes([index]) + b"".join(of_words([len(words), *words]) for words in held)


TARGETS = (
    Target(
        name="modbus_tables",
        eats="the registers of every Modbus table",
        seeds=_plain_seeds,
        run=_run_plain,
        longest=1024,
    ),
    Target(
        name="sunspec_maps",
        eats="the models of a SunSpec device, and what stands in them",
        seeds=_sunspec_seeds,
        run=_run_sunspec,
    ),
)
