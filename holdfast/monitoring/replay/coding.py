"""Values of the control cycle become JSON and come back as they were, bit for bit.

What a type can hold is told by its own fields, so a new field needs no line here. A file comes from
strangers: it names no class that is looked up, only one of those that stand in a type by name, and
nothing of it is run.
"""

import dataclasses
import json
import math
import typing
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from datetime import datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from holdfast.core.errors import HoldfastError
from holdfast.core.texts import MAX_REASON, shown

Json = Any
"""Whatever JSON can hold."""


class MalformedRecord(HoldfastError):
    """What should hold a record of cycles holds something else."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Coding:
    """Leads from values of one type to JSON and back."""

    encode: Callable[[Any], Json]
    decode: Callable[[Json], Any]
    """Raises MalformedRecord for what is no such value."""


def canonical(content: Json) -> str:
    """Returns JSON as text: two values have the same only if they are the same, bit for bit."""
    return json.dumps(content, separators=(",", ":"), allow_nan=False)


@cache
def coding_of(hint: Any) -> Coding:
    """Returns the coding of a type. Raises TypeError for one that no record can hold."""
    origin = get_origin(hint)
    if origin is typing.Annotated:
        return coding_of(get_args(hint)[0])
    if origin in (Union, UnionType):
        return _of_union(get_args(hint))
    if origin is not None:
        return _of_collection(origin, get_args(hint))
    if hint in _PLAIN:
        return _PLAIN[hint]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _of_enum(hint)
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _of_dataclass(hint)
    raise TypeError(f"{hint!r} has no place in a record")


# ------------------------------------------------------------------ plain values

_TOO_LARGE: Final = 2**63
_NOT_FINITE: Final = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def _as_it_is(value: Any) -> Json:
    return value


def _only(kind: type, name: str) -> Coding:
    def decode(content: Json) -> Any:
        if type(content) is not kind:
            raise _wrong(content, name)
        return content

    return Coding(encode=_as_it_is, decode=decode)


def _decode_int(content: Json) -> int:
    """Takes what a clock or a counter may reach: more would be no number in seconds."""
    if type(content) is int and abs(content) < _TOO_LARGE:
        return content
    raise _wrong(content, "a whole number of 64 bits")


def _encode_float(value: float) -> Json:
    return value if math.isfinite(value) else repr(value)


def _decode_float(content: Json) -> float:
    if type(content) is int:  # stays one: it is told otherwise
        return _decode_int(content)
    if type(content) is float and math.isfinite(content):
        return content
    if isinstance(content, str) and content in _NOT_FINITE:
        return _NOT_FINITE[content]
    raise _wrong(content, "a number")


def _decode_time(content: Json) -> datetime:
    try:
        time = datetime.fromisoformat(content)
    except (TypeError, ValueError):
        raise _wrong(content, "a time") from None
    if time.tzinfo is None:
        raise _wrong(content, "a time with its zone")
    return time


_PLAIN: Final[dict[Any, Coding]] = {
    NoneType: _only(NoneType, "null"),
    bool: _only(bool, "true or false"),
    int: Coding(encode=_as_it_is, decode=_decode_int),
    str: _only(str, "text"),
    float: Coding(encode=_encode_float, decode=_decode_float),
    datetime: Coding(encode=datetime.isoformat, decode=_decode_time),
}


def _of_enum(kind: type[Enum]) -> Coding:
    members = {member.name: member for member in kind}

    def encode(member: Enum) -> Json:
        return member.name

    def decode(content: Json) -> Enum:
        member = members.get(content) if isinstance(content, str) else None
        if member is None:
            raise _wrong(content, f"one of {kind.__name__}")
        return member

    return Coding(encode=encode, decode=decode)


# ------------------------------------------------------------------ what holds others


def _of_dataclass(kind: Any) -> Coding:
    """Encodes by the names of fields: one of an older version lacks some, and has their default."""
    hints = typing.get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind)]
    fields = {name: coding_of(hints[name]) for name in names}
    encoders = [(name, coding.encode) for name, coding in fields.items()]

    def encode(value: Any) -> Json:
        return {name: encode(getattr(value, name)) for name, encode in encoders}

    def decode(content: Json) -> Any:
        given = mapping_of(content, kind.__name__)
        values = {}
        for name, coding in fields.items():
            if name in given:
                values[name] = _within(name, coding.decode, given[name])
        try:
            return kind(**values)
        except (TypeError, ValueError, AssertionError) as error:
            reason = shown(str(error), MAX_REASON)
            raise MalformedRecord(f"is no {kind.__name__}: {reason}") from None

    return Coding(encode=encode, decode=decode)


def _of_union(members: tuple[Any, ...]) -> Coding:
    """Names the class of a value where it may be of several."""
    rest = [member for member in members if member is not NoneType]
    if len(rest) == 1:
        return _or_none(coding_of(rest[0]))
    if len(rest) < len(members) or not all(dataclasses.is_dataclass(one) for one in rest):
        raise TypeError(f"{members!r} has no place in a record")
    codings = {one.__name__: coding_of(one) for one in rest}

    def encode(value: Any) -> Json:
        name = type(value).__name__
        return {name: codings[name].encode(value)}

    def decode(content: Json) -> Any:
        given = mapping_of(content, " or ".join(codings))
        name = next(iter(given), "")
        if len(given) != 1 or name not in codings:
            raise _wrong(content, " or ".join(codings))
        return _within(name, codings[name].decode, given[name])

    return Coding(encode=encode, decode=decode)


def _or_none(coding: Coding) -> Coding:
    def encode(value: Any) -> Json:
        return None if value is None else coding.encode(value)

    def decode(content: Json) -> Any:
        return None if content is None else coding.decode(content)

    return Coding(encode=encode, decode=decode)


def _of_collection(origin: Any, arguments: tuple[Any, ...]) -> Coding:
    if issubclass(origin, Mapping):
        return _of_mapping(*arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return _of_places(arguments)
    if issubclass(origin, Set):
        return _of_set(arguments[0])
    if issubclass(origin, Sequence) or origin is Collection:
        return _of_row(arguments[0])
    raise TypeError(f"{origin!r} has no place in a record")


def _of_row(hint: Any) -> Coding:
    """Encodes what holds as many of one type as there are; it comes back as a tuple, in the order
    in which it was gone through."""
    one = coding_of(hint)

    def encode(values: Any) -> Json:
        return [one.encode(value) for value in values]

    def decode(content: Json) -> Any:
        return tuple(_within(i, one.decode, part) for i, part in enumerate(_list(content)))

    return Coding(encode=encode, decode=decode)


def _of_set(hint: Any) -> Coding:
    row = _of_row(hint)

    def encode(values: Any) -> Json:
        return sorted(row.encode(tuple(values)), key=canonical)

    def decode(content: Json) -> Any:
        return frozenset(row.decode(content))

    return Coding(encode=encode, decode=decode)


def _of_places(hints: tuple[Any, ...]) -> Coding:
    """Encodes a tuple whose places have types of their own."""
    codings = [coding_of(hint) for hint in hints]

    def encode(values: Any) -> Json:
        return [coding.encode(value) for coding, value in zip(codings, values, strict=True)]

    def decode(content: Json) -> Any:
        given = _list(content)
        if len(given) != len(codings):
            raise _wrong(content, f"a list of {len(codings)}")
        pairs = enumerate(zip(codings, given, strict=True))
        return tuple(_within(place, coding.decode, part) for place, (coding, part) in pairs)

    return Coding(encode=encode, decode=decode)


def _of_mapping(key_hint: Any, value_hint: Any) -> Coding:
    keys, values = coding_of(key_hint), coding_of(value_hint)
    if key_hint is not str and not (isinstance(key_hint, type) and issubclass(key_hint, Enum)):
        pairs = _of_row(tuple[key_hint, value_hint])

        def decode_pairs(content: Json) -> Any:
            return dict(pairs.decode(content))

        return Coding(encode=lambda found: pairs.encode(found.items()), decode=decode_pairs)

    def encode(found: Any) -> Json:
        return {keys.encode(key): values.encode(value) for key, value in found.items()}

    def decode(content: Json) -> Any:
        return {
            keys.decode(key): _within(key, values.decode, value)
            for key, value in mapping_of(content, "a table").items()
        }

    return Coding(encode=encode, decode=decode)


# ------------------------------------------------------------------ what is wrong


def mapping_of(content: Json, name: str) -> dict[str, Json]:
    """Returns ``content`` if it is a table of JSON. Raises MalformedRecord, which says what
    ``name`` is missing."""
    if not isinstance(content, dict):
        raise _wrong(content, name)
    return content


def _list(content: Json) -> list[Json]:
    if not isinstance(content, list):
        raise _wrong(content, "a list")
    return content


def _wrong(content: Json, name: str) -> MalformedRecord:
    return MalformedRecord(f"{shown(repr(content), 60)} is not {name}")


def _within(place: str | int, decode: Callable[[Json], Any], content: Json) -> Any:
    try:
        return decode(content)
    except MalformedRecord as error:
        raise MalformedRecord(f"{shown(str(place), 60)}: {error}") from None
