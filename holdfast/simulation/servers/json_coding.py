"""What a plant is like becomes a document that a device sends, by the rows that read it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from holdfast.core.signals import Signal
from holdfast.devices.json_path import Step, number_of, parse_document, parse_path
from holdfast.devices.json_rows import JsonDocument, JsonPart, JsonValue
from holdfast.devices.mqtt_profile import VALUE, MqttWrite

_DIGITS = 3


def document_of(document: JsonDocument, values: Mapping[Signal, float], utc_s: float) -> bytes:
    """Returns ``document`` as it then reads as ``values``, told at ``utc_s``."""
    content: Any = None
    for path, word in document.expects.items():
        content = _with(content, parse_path(path), _of_word(word))
    if document.time is not None:
        told = datetime.fromtimestamp(utc_s, UTC).isoformat(timespec="milliseconds")
        content = _with(content, parse_path(document.time), told)
    for row in document.values:
        for part, share in _shares(row, values[row.signal]):
            content = _with(content, part.steps, share)
    return json.dumps(content).encode()


def word_at(path: str, word: str) -> bytes:
    """Returns the message in which ``word`` stands at ``path``; a text where that is empty."""
    if not path:
        return word.encode()
    return json.dumps(_with(None, parse_path(path), _of_word(word))).encode()


def command_in(write: MqttWrite, payload: bytes) -> float | None:
    """Returns the value of the point that ``payload`` commands; None if it commands nothing."""
    before, _, after = write.payload.partition(VALUE)
    text = payload.decode(errors="replace")
    if not (text.startswith(before) and text.endswith(after)):
        return None
    text = text.removeprefix(before).removesuffix(after)
    if write.words:
        return write.words.get(text)
    number = number_of(text, {})
    return number * write.scale if isinstance(number, float) else None


def _shares(row: JsonValue, value: float) -> list[tuple[JsonPart, object]]:
    """Returns what stands at each place that adds up to ``value``: all of it at one, whose sign
    goes with it if there is such a one."""
    for word, number in row.words.items():
        if number == value:
            return [(row, _of_word(word))]
    parts: tuple[JsonPart, ...] = (row, *row.also)
    fitting = [part for part in parts if value * part.scale >= 0.0]
    bearer = (*fitting, *parts)[0]
    return [(part, round(value / part.scale, _DIGITS) if part is bearer else 0.0) for part in parts]


def _of_word(word: str) -> object:
    """Returns what a table names by ``word``: true, null, a number or a text."""
    parsed = parse_document(word.encode(), or_text=True)
    return getattr(parsed, "content", word)


def _with(content: Any, steps: tuple[Step, ...], value: object) -> Any:
    """Returns ``content`` with ``value`` where ``steps`` lead."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, str):
        inside = content or {}
        return {**inside, step: _with(inside.get(step), rest, value)}
    items = [*(content or []), *[None] * (step + 1)][: max(len(content or []), step + 1)]
    items[step] = _with(items[step], rest, value)
    return items
