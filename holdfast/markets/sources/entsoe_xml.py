"""This module reads XML that comes from outside: no entities, no namespaces, no surprises."""

from datetime import UTC, datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from holdfast.core.errors import PriceDataError


def parse_root(document: str | bytes) -> Element:
    """Returns the root of ``document``. Raises PriceDataError for what is not plain XML."""
    try:
        root: Element = ElementTree.fromstring(document, forbid_dtd=True)
    except DefusedXmlException as error:
        raise PriceDataError(
            "is not accepted: it has a DTD or entities; a web page instead of prices?"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        start = document[:40]
        raise PriceDataError(f"is not XML ({error}); it begins with {start!r}") from error
    return root


def local_name(element: Element) -> str:
    """Returns the tag without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: Element, name: str) -> list[Element]:
    """Returns the direct children called ``name``."""
    return [item for item in element if local_name(item) == name]


def child(element: Element, name: str) -> Element | None:
    """Returns the one child called ``name``, if any. Raises PriceDataError if there are several."""
    found = children(element, name)
    if len(found) > 1:
        raise PriceDataError(f"<{local_name(element)}> has {len(found)} <{name}>")
    return found[0] if found else None


def optional_text(element: Element, name: str) -> str | None:
    """Returns the text of the child called ``name``, stripped of blanks; None without a child."""
    found = child(element, name)
    return None if found is None else (found.text or "").strip()


def text_of(element: Element, name: str) -> str:
    """Returns the text of the child called ``name``. Raises PriceDataError if missing or empty."""
    text = optional_text(element, name)
    if not text:
        raise PriceDataError(f"<{local_name(element)}> has no <{name}>")
    return text


def utc_instant(text: str) -> datetime:
    """Reads an instant such as ``2026-02-01T23:00Z``, in UTC. Raises PriceDataError."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise PriceDataError(f"time {text[:50]!r} has no time zone")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PriceDataError(f"time {text[:50]!r} is not ISO 8601") from error
