"""A JSON path leads to one value of a document that a device sent; what is not there is no error.

What a document may be is bounded: strangers write it.
"""

import json
import math
import re
from dataclasses import dataclass
from functools import cache

from holdfast.core.texts import shown

MAX_BYTES = 65_536
"""A meter with three phases, its energies and its Wi-Fi tells two kilobytes."""
MAX_PATH = 200
"""So many characters may have a path."""
_STEP = re.compile(r"""\.?([A-Za-z_][\w-]*)|\[(\d{1,4})\]|\["([^"\\\]]+)"\]""", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_MAX_SHOWN = 40

Step = str | int
Words = dict[str, float]
"""Maps a word of a device to the number that it stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Holds what a device sent, parsed; every number in it is a float."""

    content: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """What came is no document."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotThere:
    """The path leads to nothing, or to null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoNumber:
    """The path leads to something that is no finite number, and no word of the table's."""

    shown: str


def parse_document(payload: bytes, *, or_text: bool = False) -> Document | Unreadable:
    """Returns what stands in ``payload``; one that is no JSON may be a text."""
    if len(payload) > MAX_BYTES:
        return Unreadable(why=f"has {len(payload)} bytes, and {MAX_BYTES} are permitted")
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        return Unreadable(why="is no text")
    try:
        # A number as long as the document would cost what no float does.
        return Document(content=json.loads(text, parse_int=float))
    except (ValueError, RecursionError):
        if or_text:
            return Document(content=text.strip())
        return Unreadable(why=f"is no JSON: {shown(text, _MAX_SHOWN)!r}")


@cache
def parse_path(text: str) -> tuple[Step, ...]:
    """Returns the steps of a path; none for an empty one, which leads to the whole document.

    Raises ValueError for a text that is no path.

    >>> parse_path('emeters[0].power'), parse_path('ENERGY["1-0:16.7.0"]')
    (('emeters', 0, 'power'), ('ENERGY', '1-0:16.7.0'))
    """
    steps: list[Step] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or text.startswith("."):
            raise ValueError(f"{text!r} is no path such as emeters[0].power")
        name, index, quoted = found.groups()
        steps.append(int(index) if index is not None else name or quoted)
        at = found.end()
    return tuple(steps)


def value_at(steps: tuple[Step, ...], document: Document) -> object:
    """Returns what ``steps`` lead to; None for nothing, and for null."""
    content = document.content
    for step in steps:
        match content, step:
            case dict(), str():
                content = content.get(step)
            case list(), int() if step < len(content):
                content = content[step]
            case _:
                return None
    return content


def word_of(value: object) -> str | None:
    """Returns the word by which a table names ``value``; None for what has no word.

    >>> [word_of(value) for value in (True, None, 2.0, "ON", [])]
    ['true', 'null', '2', 'ON', None]
    """
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"{value:g}"
        case str():
            return value
    return None


def number_of(value: object, words: Words) -> float | NotThere | NoNumber:
    """Returns the finite number that ``value`` is, or that its word stands for."""
    word = word_of(value)
    if word is not None and word in words:
        return words[word]
    number = math.nan
    match value:
        case None:
            return NotThere()
        case float():
            number = value
        case str() if _NUMBER.fullmatch(value):
            number = float(value)
    return number if math.isfinite(number) else NoNumber(shown=_shown(value))


def _shown(value: object) -> str:
    match value:
        case dict():
            return "a section"
        case list():
            return "a list"
        case str():
            return repr(shown(value, _MAX_SHOWN))
        case _:
            return str(word_of(value))
