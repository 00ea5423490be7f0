"""Warnings of bad weather come in CAP, the Common Alerting Protocol: alone, or in an Atom feed.

Met offices, and MeteoAlarm for all of Europe, publish them so. What has no exact end is left out:
nothing is kept up for ever.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from holdfast.core.errors import WeatherDataError
from holdfast.core.texts import MAX_NAME, shown
from holdfast.web.request import Conversation, HttpRequest

MOST_WARNINGS = 5000
"""A stormy day in all of Europe has a tenth of it."""
LONGEST = timedelta(days=7)
"""Nobody warns of weather for longer; what claims to is left out."""


class WarningSeverity(IntEnum):
    """Tells how bad it is, in the words of CAP."""

    MINOR = 0
    MODERATE = 1
    SEVERE = 2
    EXTREME = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class StormWarning:
    """Holds one warning for the places that it names."""

    event: str
    severity: WarningSeverity
    start: datetime
    """The time is aware, UTC."""
    end: datetime
    """The time is aware, UTC."""
    areas: tuple[str, ...]
    """Are names and codes."""
    source: str
    """Names who warns."""


def ask_warnings(url: str) -> Conversation[tuple[StormWarning, ...]]:
    """Asks for the warnings of ``url``. Raises WeatherDataError."""
    return parse_warnings((yield HttpRequest(url=url)))


def parse_warnings(content: bytes) -> tuple[StormWarning, ...]:
    """Reads one warning, or a feed of them. Raises WeatherDataError for anything else."""
    try:
        root = fromstring(content)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise WeatherDataError(f"is no XML; it begins with {content[:40]!r}") from error
    if _name(root) not in {"alert", "feed"}:
        raise WeatherDataError(f"is no CAP warning and no feed, but <{shown(_name(root), 40)}>")
    found: list[StormWarning] = []
    for message in [root] if _name(root) == "alert" else _children(root, "entry"):
        found += _told(message, _text(root, "title"))
        if len(found) > MOST_WARNINGS:
            raise WeatherDataError(f"has more than {MOST_WARNINGS} warnings")
    return tuple(found)


def _told(message: Element, feed: str) -> Iterator[StormWarning]:
    """Yields what an alert or an entry of a feed warns of; nothing for a test or a withdrawal."""
    kind = _text(message, "msgType") or _text(message, "message_type") or "Alert"
    if kind not in {"Alert", "Update"} or _text(message, "status") not in {"", "Actual"}:
        return
    sent = _time(_text(message, "sent"))
    source = _text(message, "senderName") or _text(message, "sender") or feed
    # In a feed all stands in the entry itself.
    for info in _children(message, "info") or [message]:
        severity = _SEVERITIES.get(_text(info, "severity").lower())
        start = _time(_text(info, "onset")) or _time(_text(info, "effective")) or sent
        end = _time(_text(info, "expires"))
        if severity is None or start is None or end is None:
            continue
        if timedelta(0) < end - start <= LONGEST:
            yield StormWarning(
                event=shown(_text(info, "event"), MAX_NAME),
                severity=severity,
                start=start,
                end=end,
                areas=tuple(_areas(info)),
                source=shown(_text(info, "senderName") or source, MAX_NAME),
            )


_SEVERITIES = {severity.name.lower(): severity for severity in WarningSeverity}


def _areas(info: Element) -> Iterator[str]:
    """Yields names and codes of the places, wherever in the message they stand."""
    for element in info.iter():
        if _name(element) == "areaDesc":
            yield shown((element.text or "").strip(), MAX_NAME)
        elif _name(element) == "geocode":
            yield shown(_text(element, "value"), MAX_NAME)


def _name(element: Element) -> str:
    """Returns the name without the namespace: versions of CAP differ in that alone."""
    return str(element.tag).rpartition("}")[2]


def _children(element: Element, name: str) -> list[Element]:
    return [child for child in element if _name(child) == name]


def _text(element: Element, name: str) -> str:
    return next(((child.text or "").strip() for child in _children(element, name)), "")


def _time(text: str) -> datetime | None:
    """Returns an aware time; None for one without an offset, or that is none."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if time.tzinfo is None else time.astimezone(UTC)
