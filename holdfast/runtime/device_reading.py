"""This module reads the raw registers of one Modbus device, keeps them in a file, and decodes them.

A device that is not understood can be reported by such a file: whoever has the table decodes it
anywhere.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.core.config.device import Modbus
from holdfast.core.data_store import Told
from holdfast.core.errors import ConfigError, DeviceError, DeviceRefused
from holdfast.core.mistakes import in_words
from holdfast.core.reading import Sample
from holdfast.core.signals import Signal
from holdfast.devices.block_plan import RegisterBlock
from holdfast.devices.drivers import SyncModbusWriter
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.register_image import Place, Table
from holdfast.devices.sunspec.binding import Maps, NotBound
from holdfast.devices.sunspec.discovery import ModelMap, NoSunSpec, Words, discover
from holdfast.devices.sunspec.model_files import check_names, load_models
from holdfast.devices.sunspec.profile import SunSpecProfile


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RawBlock(_Row):
    """Holds what one request brought."""

    device_id: int | None = None
    """Another one than the connection's, where it is."""
    table: Table
    address: int = Field(ge=0, le=65535)
    words: tuple[Annotated[int, Field(ge=0, le=0xFFFF)], ...]
    """Raw, in the order of their addresses; bits are 0 or 1. Empty: it did not give them."""
    problem: str = ""
    """Tells why, if it did not."""


class Recording(_Row):
    """Holds what a device held at one time; it is the content of a file."""

    version: int = Field(default=1, ge=1, le=1)
    table: str
    """Names the table by which it was read."""
    utc: datetime
    blocks: tuple[RawBlock, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """Holds one value of a recording, as a table understands it."""

    signal: Signal
    words: tuple[int, ...]
    """Empty: they are not in the recording."""
    sample: Sample | None
    """None where there are no words."""


def read_device(table: ModbusProfile | SunSpecProfile, connection: Modbus) -> Recording:
    """Reads every block of ``table`` once, on a connection of its own; it never writes.

    Raises DeviceError if the device cannot be connected to, or has not the models that the table
    goes by; ConfigError if nobody knows them. What it refuses is told in the block.
    """
    if isinstance(table, SunSpecProfile):
        check_names(table)
    device = SyncModbusWriter(
        table.outline if isinstance(table, SunSpecProfile) else table, connection
    )
    heads: list[RawBlock] = []
    try:
        device.connect()
        if isinstance(table, SunSpecProfile):
            maps = {one: _find(device, one, heads) for one in table.device_ids}
            profile = _placed(table, maps)
        else:
            profile = table
        blocks = tuple(_raw_block(device, block) for block in profile.blocks())
    finally:
        device.close()
    return Recording(table=table.name, utc=datetime.now(UTC), blocks=(*heads, *blocks))


def _find(device: SyncModbusWriter, device_id: int | None, heads: list[RawBlock]) -> ModelMap:
    """Returns where the models are; what tells that goes to ``heads``."""

    def read(address: int, count: int) -> Words:
        block = RegisterBlock(device_id=device_id, table="holding", address=address, count=count)
        head = _raw_block(device, block)
        if not head.words:
            return None
        heads.append(head)
        return head.words

    try:
        return discover(read)
    except NoSunSpec as error:
        raise DeviceRefused(str(error)) from error


def _placed(table: SunSpecProfile, maps: Maps) -> ModbusProfile:
    try:
        return table.at(maps, load_models(table.model_ids))
    except NotBound as error:
        there = "; ".join(f"there are {_numbers(found)}" for found in maps.values())
        raise DeviceRefused(f"{error} ({there})") from error


def _numbers(found: ModelMap) -> str:
    return "models " + ", ".join(str(model.id) for model in found.models)


def models_in(table: ModbusProfile | SunSpecProfile, recording: Recording) -> Maps:
    """Returns which models a recording tells of, behind each device id of ``table``; nothing for
    a table that does not go by them. Raises ConfigError if it tells of none."""
    if not isinstance(table, SunSpecProfile):
        return {}
    image = _image(recording)

    def words(device_id: int | None, address: int, count: int) -> Words:
        places = range(address, address + count)
        found = [image.get((device_id, "holding", place)) for place in places]
        return None if None in found else [word or 0 for word in found]

    try:
        return {one: discover(partial(words, one)) for one in table.device_ids}
    except NoSunSpec as error:
        raise ConfigError(f"the recording tells of no models: {error}") from error


def _raw_block(device: SyncModbusWriter, block: RegisterBlock) -> RawBlock:
    try:
        if not device.connected:
            device.connect()
        words, problem = tuple(device.words(block)), ""
    except DeviceError as error:
        words, problem = (), str(error)
    return RawBlock(
        device_id=block.device_id,
        table=block.table,
        address=block.address,
        words=words,
        problem=problem,
    )


def decode(table: ModbusProfile | SunSpecProfile, recording: Recording) -> tuple[Decoded, ...]:
    """Returns every value that ``table`` has, as it stands in ``recording``.

    Raises ConfigError if that tells of no models, or not of those of the table.
    """
    profile = _table_for(table, recording)
    image = _image(recording)
    found = []
    for signal in sorted(profile.signals, key=list(Signal).index):
        places = [place for block in profile.blocks_of(signal) for place in block.places]
        words = tuple(image[place] for place in places if place in image)
        if len(words) < len(places):
            found.append(Decoded(signal=signal, words=(), sample=None))
            continue
        value = profile.value_of(signal, image)
        told = Told(signal=signal, value=value, time_ns=0)
        found.append(Decoded(signal=signal, words=words, sample=told.sample))
    return tuple(found)


def _table_for(table: ModbusProfile | SunSpecProfile, recording: Recording) -> ModbusProfile:
    if not isinstance(table, SunSpecProfile):
        return table
    try:
        return _placed(table, models_in(table, recording))
    except DeviceRefused as error:
        raise ConfigError(f"{table.name}: {error}") from error


def _image(recording: Recording) -> dict[Place, int]:
    return {
        (block.device_id, block.table, block.address + offset): word
        for block in recording.blocks
        for offset, word in enumerate(block.words)
    }


def save(recording: Recording, path: Path) -> None:
    """Writes ``recording`` to a file. Raises ConfigError if that is not possible."""
    try:
        path.write_text(recording.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error}") from error


def load(path: Path) -> Recording:
    """Returns the recording in a file. Raises ConfigError if there is none."""
    try:
        return Recording.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        raise ConfigError(in_words(error, str(path))) from error
