"""Some devices say who they are: by SunSpec's common model, or by Modbus device identification."""

from collections.abc import Mapping, Sequence

MARKER = (0x5375, 0x6E53)
"""It is ``SunS``: what follows is a chain of SunSpec models."""
BASES = (40000, 50000, 0)
"""The marker is at one of these."""
_COMMON = 1
COMMON_WORDS = 66
"""The marker is not in it; the id and the length of the common model are."""
_FIELDS = {"manufacturer": (2, 16), "model": (18, 16), "version": (42, 8), "serial": (50, 16)}
_OBJECTS = {
    0: "manufacturer",
    1: "code",
    2: "version",
    3: "url",
    4: "product",
    5: "model",
    6: "application",
}
"""Names the objects of a device identification that have a meaning in the standard."""


def common_model(words: Sequence[int]) -> dict[str, str]:
    """Returns what ``words``, which follow the marker, say; nothing if they are no common model.

    >>> model = [1, 66, *[0x4142] + [0] * 15, *[0] * 48]
    >>> common_model(model)
    {'manufacturer': 'AB'}
    """
    if len(words) < COMMON_WORDS or words[0] != _COMMON:
        return {}
    told = {
        name: _text(b"".join(word.to_bytes(2, "big") for word in words[start : start + count]))
        for name, (start, count) in _FIELDS.items()
    }
    return {name: text for name, text in told.items() if text}


def identification(information: Mapping[int, object]) -> dict[str, str]:
    """Returns what the objects of an answer to 43/14 say.

    >>> identification({0: b"Huawei", 1: b"SUN2000", 0x80: b"x"})
    {'manufacturer': 'Huawei', 'code': 'SUN2000'}
    """
    told = {
        _OBJECTS[number]: _text(content)
        for number, content in information.items()
        if number in _OBJECTS and isinstance(content, bytes)
    }
    return {name: text for name, text in told.items() if text}


def _text(content: bytes) -> str:
    """Returns what can be printed of it: a device is a stranger, and a terminal obeys."""
    text = content.partition(b"\0")[0].decode("utf-8", errors="replace")
    return "".join(char for char in text if char.isprintable()).strip()
