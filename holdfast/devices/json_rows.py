"""Rows of the tables of devices that speak JSON: which value of a document is which signal."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Self, assert_never

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from holdfast.core.config.section import Finite
from holdfast.core.data_store import Told
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.texts import MAX_NAME
from holdfast.devices.json_path import (
    MAX_PATH,
    Document,
    NoNumber,
    NotThere,
    Step,
    number_of,
    parse_path,
    value_at,
    word_of,
)
from holdfast.devices.registers import TableRow, check_unique

_MS_FROM = 1e11
"""A number beyond this counts milliseconds since 1970, and not seconds: those are in the year
5138."""
_NEVER_FROM = 1e15
"""A number beyond this is no time at all."""


def _checked(path: str) -> str:
    parse_path(path)
    return path


PathText = Annotated[str, Field(max_length=MAX_PATH), AfterValidator(_checked)]
Word = Annotated[str, BeforeValidator(word_of), Field(max_length=MAX_NAME)]
"""True, null and a number need no quotation marks."""


class JsonPart(TableRow):
    """A number in a document."""

    path: PathText = Field(default="", alias="json")
    """Leads to it. Empty: the document is the number."""
    scale: Finite = 1.0

    @model_validator(mode="after")
    def _scales(self) -> Self:
        if self.scale == 0:
            raise ValueError("scale 0 makes every value 0")
        return self

    @property
    def steps(self) -> tuple[Step, ...]:
        """Returns what leads to it."""
        return parse_path(self.path)

    @property
    def place(self) -> str:
        """Names it."""
        return self.path or "the message"


class JsonValue(JsonPart):
    """A signal in a document."""

    signal: Signal
    words: dict[Word, Finite] = Field(default_factory=dict)
    """The numbers that words, true, false or null stand for; no scale changes them."""
    also: tuple[JsonPart, ...] = ()
    """These are added to it: power that is delivered, and power that is returned."""
    optional: bool = False
    """Not every device tells it: it may be missing, or null."""

    @model_validator(mode="after")
    def _words_are_plausible(self) -> Self:
        for word, value in self.words.items():
            if not SIGNALS[self.signal].is_plausible(value):
                raise ValueError(f"words: {self.signal} cannot be {value:g}, for which {word} is")
        return self

    def value_in(self, document: Document) -> float | NotThere | NoNumber:
        """Returns its value."""
        value = number_of(value_at(self.steps, document), self.words)
        if not isinstance(value, float):
            return value
        word = word_of(value_at(self.steps, document))
        total = value if word in self.words else value * self.scale
        for part in self.also:
            more = number_of(value_at(part.steps, document), {})
            if not isinstance(more, float):
                return more
            total += more * part.scale
        return total


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Holds what a document tells, all of one instant."""

    values: Mapping[Signal, float]
    """A value that is no number is NaN."""
    hints: Mapping[Signal, str]
    """Tells what stood in the place of a number."""
    stamp_s: float | None = None
    """Tells when the device says that it was, by a clock of its own. None: it does not."""

    def told(self, time_ns: int) -> tuple[Told, ...]:
        """Returns it as told, sampled at ``time_ns`` (monotonic)."""
        return tuple(
            Told(signal=signal, value=value, time_ns=time_ns, hint=self.hints.get(signal, ""))
            for signal, value in self.values.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfit:
    """A document is not what the table expects, and nothing of it counts."""

    why: str


class JsonDocument(TableRow):
    """A document of a device, and what stands in it."""

    values: Annotated[tuple[JsonValue, ...], Field(min_length=1)]
    expects: dict[PathText, Word] = Field(default_factory=dict)
    """What has to stand in it, or the document does not count: that a status is good, say."""
    time: PathText | None = None
    """Leads to the time of the values: seconds or milliseconds since 1970, or ISO 8601."""

    def read(self, document: Document) -> Message | Unfit:
        """Returns what ``document`` tells."""
        for path, wanted in self.expects.items():
            found = word_of(value_at(parse_path(path), document))
            if found != wanted:
                return Unfit(why=f"{path} is {found or 'no word'}, and not {wanted}")
        stamp_s = None
        if self.time is not None:
            stamp_s = _seconds(value_at(parse_path(self.time), document))
            if stamp_s is None:
                return Unfit(why=f"{self.time} is no time")
        values: dict[Signal, float] = {}
        hints: dict[Signal, str] = {}
        for row in self.values:
            value = row.value_in(document)
            match value:
                case float():
                    values[row.signal] = value
                case NoNumber(shown=shown):
                    values[row.signal], hints[row.signal] = math.nan, f"{row.place} is {shown}"
                case NotThere():
                    if not row.optional:
                        return Unfit(why=f"{row.place} is not there, for {row.signal}")
                case _:
                    assert_never(value)
        return Message(values=values, hints=hints, stamp_s=stamp_s)


def check_documents(documents: tuple[JsonDocument, ...]) -> None:
    """Raises ValueError if a signal stands in two places."""
    check_unique("signal", [row.signal for document in documents for row in document.values])


def _seconds(value: object) -> float | None:
    """Returns the seconds since 1970; a time without a zone is taken for UTC, as only differences
    count."""
    number = number_of(value, {})
    if isinstance(number, float):
        seconds = number / 1000.0 if abs(number) >= _MS_FROM else number
        return seconds if abs(number) < _NEVER_FROM else None
    if not isinstance(value, str):
        return None
    try:
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
