"""This module reads the raw registers of one Modbus device, keeps them in a file, and decodes them.

A device that is not understood can be reported by such a file: whoever has the table decodes it
anywhere.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from holdfast.core.config.device import Modbus
from holdfast.core.data_store import Told
from holdfast.core.errors import ConfigError, DeviceError
from holdfast.core.mistakes import in_words
from holdfast.core.reading import Sample
from holdfast.core.signals import Signal
from holdfast.devices.block_plan import RegisterBlock
from holdfast.devices.drivers import SyncModbusWriter
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.registers import Table


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


def read_device(profile: ModbusProfile, connection: Modbus) -> Recording:
    """Reads every block of ``profile`` once, on a connection of its own; it never writes.

    Raises DeviceError if the device cannot be connected to. What it refuses is told in the block.
    """
    device = SyncModbusWriter(profile, connection)
    try:
        device.connect()
        blocks = tuple(_raw_block(device, block) for block in profile.blocks())
    finally:
        device.close()
    return Recording(table=profile.name, utc=datetime.now(UTC), blocks=blocks)


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


def decode(profile: ModbusProfile, recording: Recording) -> tuple[Decoded, ...]:
    """Returns every value that ``profile`` has, as it stands in ``recording``."""
    image = {
        (block.device_id, block.table, block.address + offset): word
        for block in recording.blocks
        for offset, word in enumerate(block.words)
    }
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
