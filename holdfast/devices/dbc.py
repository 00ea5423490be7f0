"""A battery that is described in a DBC file becomes rows of ours, or is refused with a reason.

cantools reads the file, and is imported only where a table names one. What it decodes at run time
is nothing: the rows are those that every table has, checked as theirs.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import Field, ValidationError

from holdfast.core.errors import ConfigError
from holdfast.core.mistakes import in_words
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.strict_yaml import lines_of
from holdfast.devices.can_frames import MOST_BYTES
from holdfast.devices.registers import Finite, TableRow

if TYPE_CHECKING:
    from cantools.database.can import Database, Message
    from cantools.database.can import Signal as Described

MISSING = "pip install 'holdfast[dbc]' brings what reads a DBC file: cantools is missing"

_KEYS = ("dbc", "signals", "optional")
_WIDTHS = (8, 16, 32)
_FLAG = "0/1"
_PERMISSIONS = frozenset({Signal.CHARGE_ALLOWED, Signal.DISCHARGE_ALLOWED})


class DbcSignal(TableRow):
    """Says which signal of the DBC file is one of ours."""

    signal: Signal
    message: str
    name: str
    scale: Finite = 1.0
    """From the unit of the DBC file to ours: 0.001 from mV to V."""
    plus: Finite = 0.0
    magnitude: bool = False
    up_to: float | None = None
    not_available: tuple[int, ...] | None = None


class DbcRows(TableRow):
    """Has the keys of a table that stand in place of its frames."""

    dbc: str
    signals: Annotated[tuple[DbcSignal, ...], Field(min_length=1)]
    optional: tuple[str, ...] = ()
    """Messages that not every battery sends."""


def with_frames(content: object, text: str, *, source: str, folder: Path) -> object:
    """Returns the ``content`` of a table with frames for what it names of a DBC file.

    Content that names none stays as it is. Raises ConfigError that names what is wrong, and its
    line in the ``text`` of the table.
    """
    if not isinstance(content, dict) or "dbc" not in content:
        return content
    if "frames" in content:
        raise ConfigError(f"{source}: a table has either frames or dbc")
    try:
        rows = DbcRows.model_validate({key: content[key] for key in _KEYS if key in content})
    except ValidationError as error:
        raise ConfigError(in_words(error, source, text)) from error
    try:
        messages = _messages(folder / rows.dbc)
        frames = [*_frames(rows, messages)]
    except _RefusedRow as refused:
        line = lines_of(text)(refused.path)
        where = "".join(f"[{key}]" if isinstance(key, int) else key for key in refused.path)
        raise ConfigError(f"{source}: 1 wrong:\n  line {line}: {where}: {refused}") from refused
    return {key: value for key, value in content.items() if key not in _KEYS} | {"frames": frames}


class _RefusedRow(Exception):
    """A row names what cannot be read."""

    def __init__(self, why: str, *path: str | int) -> None:
        super().__init__(why)
        self.path = path


def _messages(path: Path) -> dict[str, "Message"]:
    if find_spec("cantools") is None:
        raise _RefusedRow(MISSING, "dbc")
    from cantools.database import load_string
    from cantools.database.errors import Error

    try:
        content = path.read_bytes()
    except OSError as error:
        raise _RefusedRow(f"{path} cannot be read: {error.strerror}", "dbc") from error
    try:
        # DBC files have this encoding, or plain ASCII, and every byte is a character of it.
        database = cast("Database", load_string(content.decode("latin-1"), "dbc"))
    except Error as error:
        raise _RefusedRow(f"{path} is no DBC file that can be read: {error}", "dbc") from error
    return {message.name: message for message in database.messages}


def _frames(rows: DbcRows, messages: dict[str, "Message"]) -> Iterator[dict[str, Any]]:
    by_message: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows.signals):
        if row.message not in messages:
            raise _RefusedRow(f"the DBC file has no message {row.message}", "signals", index)
        by_message[row.message].append(index)
    for index, name in enumerate(rows.optional):
        if name not in by_message:
            raise _RefusedRow(f"no signal of {name} is read", "optional", index)
    for name, indices in by_message.items():
        message = messages[name]
        if message.is_fd or message.length > MOST_BYTES:
            why = f"{name} has {message.length} bytes, {MOST_BYTES} are possible"
            raise _RefusedRow(why, "signals", indices[0])
        yield _frame(message, rows, indices)


def _frame(message: "Message", rows: DbcRows, indices: Sequence[int]) -> dict[str, Any]:
    described = {signal.name: signal for signal in message.signals}
    fields: list[dict[str, Any]] = []
    masks: dict[Signal, dict[int, int]] = {}
    orders: set[str] = set()
    for index in indices:
        row = rows.signals[index]
        if row.name not in described:
            raise _RefusedRow(f"{message.name} has no signal {row.name}", "signals", index)
        signal = described[row.name]
        try:
            if SIGNALS[row.signal].unit == _FLAG:
                _add_flag(masks, row, signal)
            else:
                fields.append(_field(row, signal))
                _add_order(orders, signal)
        except ValueError as error:
            raise _RefusedRow(str(error), "signals", index) from error
    return {
        "id": message.frame_id,
        "extended": message.is_extended_frame,
        "byte_order": "high_first" if "big_endian" in orders else "low_first",
        "optional": message.name in rows.optional,
        "fields": fields,
        "flags": [{"signal": signal, "masks": mask} for signal, mask in masks.items()],
    }


def _field(row: DbcSignal, signal: "Described") -> dict[str, Any]:
    """Returns a number of ours. Raises ValueError for one that is not whole bytes."""
    _check_plain(signal)
    bits = [*_bits(signal)]
    if signal.length not in _WIDTHS or max(bits) % 8 != 7 or min(bits) % 8 != 0:
        raise ValueError(
            f"{signal.name} has {signal.length} bits from bit {signal.start} on; what can be read "
            "are 1, 2 or 4 whole bytes"
        )
    kind = f"{'int' if signal.is_signed else 'uint'}{signal.length}"
    scale, offset = float(signal.scale), float(signal.offset)
    given = row.model_dump(include={"magnitude", "up_to", "not_available"}, exclude_unset=True)
    return given | {
        "signal": row.signal,
        "byte": min(bits) // 8,
        "type": kind,
        "scale": scale * row.scale,
        "plus": offset * row.scale + row.plus,
    }


def _add_flag(masks: dict[Signal, dict[int, int]], row: DbcSignal, signal: "Described") -> None:
    """Adds the bits of a flag. Raises ValueError for one that is more than a flag."""
    _check_plain(signal)
    if row.model_fields_set - {"signal", "message", "name"}:
        raise ValueError(f"{row.signal} is a flag, which has only signal, message and name")
    if row.signal in _PERMISSIONS and (signal.length > 1 or row.signal in masks):
        raise ValueError(f"{row.signal} is a permission, which has one bit")
    of_signal = masks.setdefault(row.signal, {})
    for bit in _bits(signal):
        of_signal[bit // 8] = of_signal.get(bit // 8, 0) | 1 << bit % 8


def _add_order(orders: set[str], signal: "Described") -> None:
    """Adds the order of the bytes of a number. Raises ValueError if those before have another."""
    if signal.length > 8:
        orders.add(signal.byte_order)
    if len(orders) > 1:
        raise ValueError(f"{signal.name} has another byte order than the numbers before it")


def _check_plain(signal: "Described") -> None:
    if signal.is_float:
        raise ValueError(f"{signal.name} is a floating-point number")
    if signal.is_multiplexer or signal.multiplexer_ids:
        raise ValueError(f"{signal.name} is multiplexed")


def _bits(signal: "Described") -> Iterator[int]:
    """Yields the bits of a signal, as 8 x byte + bit; big endian begins with the highest."""
    bit = int(signal.start)
    for _ in range(signal.length):
        yield bit
        if signal.byte_order == "little_endian":
            bit += 1
        else:
            bit += 15 if bit % 8 == 0 else -1
