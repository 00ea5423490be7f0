"""JSON: what a meter answers over HTTP, or a device sends to its broker, one after the other."""

import json
from collections.abc import Iterator
from functools import cache

from fuzz.believed import check_told
from fuzz.plant import NOON
from fuzz.target import Choices, Target
from holdfast.core.errors import DeviceRefused
from holdfast.core.signals import SIGNALS
from holdfast.core.units import NS_PER_S
from holdfast.devices.drivers.document_reader import DocumentReader
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.json_path import Step, parse_document, parse_path
from holdfast.devices.json_rows import JsonDocument, JsonValue
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.profile import load_profile, profile_names

_END = b"\x00"
"""Stands between two documents; no JSON has it."""
_LOST_S = 15.0
_NOW_NS = 10**12


@cache
def _documents() -> tuple[tuple[JsonDocument, bool], ...]:
    """Returns what every table reads, and whether it may be a text."""
    profiles = map(load_profile, profile_names())
    return tuple(
        (document, isinstance(profile, MqttProfile))
        for profile in profiles
        if isinstance(profile, HttpProfile | MqttProfile)
        for document in profile.reads
    )


def _run(data: bytes) -> bool:
    choices = Choices(data)
    documents = _documents()
    document, or_text = documents[choices.number(len(documents))]
    reader = DocumentReader(document, lost_s=_LOST_S, or_text=or_text)
    believed = False
    for second, payload in enumerate(choices.rest().split(_END)):
        came_ns = _NOW_NS + second * NS_PER_S
        try:
            told = reader.read(payload, came_ns)
        except DeviceRefused as error:
            assert len(str(error)) < 500, "what a stranger sent fills a log"
            continue
        believed |= check_told(told, came_ns)
    return believed


def _seeds() -> Iterator[bytes]:
    for index, (document, _) in enumerate(_documents()):
        content = [_filled(document, second) for second in range(3)]
        yield bytes([index]) + _END.join(json.dumps(one).encode() for one in content)


def _filled(document: JsonDocument, second: int) -> object:
    """Returns content that has all that the table reads, at so many seconds past noon."""
    content: object = None
    for row in document.values:
        content = _put(content, row.steps, _value_of(row))
        for part in row.also:
            content = _put(content, part.steps, 0.0)
    for path, word in document.expects.items():
        content = _put(content, parse_path(path), _meaning(word))
    if document.time is not None:
        content = _put(content, parse_path(document.time), int(NOON.timestamp()) + second)
    return content


def _value_of(row: JsonValue) -> object:
    if row.words:
        return _meaning(next(iter(row.words)))
    signal = SIGNALS[row.signal]
    return round((0.49 * signal.low + 0.51 * signal.high) / row.scale, 1)


def _meaning(word: str) -> object:
    """Returns what a table calls ``word``: true, null, a number, or itself."""
    parsed = parse_document(word.encode(), or_text=True)
    return getattr(parsed, "content", word)


def _put(content: object, steps: tuple[Step, ...], value: object) -> object:
    """Returns ``content`` with ``value`` where ``steps`` lead."""
    if not steps:
        return value
    first, *rest = steps
    if isinstance(first, str):
        section = content if isinstance(content, dict) else {}
        return section | {first: _put(section.get(first), tuple(rest), value)}
    entries = list(content) if isinstance(content, list) else []
    entries += [None] * (first + 1 - len(entries))
    entries[first] = _put(entries[first], tuple(rest), value)
    return entries


TARGETS = (
    Target(
        name="json_documents",
        eats="JSON of every table of a device on HTTP or MQTT",
        seeds=_seeds,
        run=_run,
    ),
)
