"""This module remembers what of an answer is left out and why, so that it can be told."""

from collections.abc import Iterable
from datetime import UTC, datetime

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_MAX_NOTES = 5
_MAX_SIGNS = 300
"""No single text is longer."""


class _Kind:
    """Counts pieces that were left out for one reason."""

    def __init__(self, why: str) -> None:
        """``why`` is that of the first one."""
        self._why = plain(why)
        self._count = 0
        self._start_utc: datetime | None = None
        self._end_utc: datetime | None = None

    def add(self, start_utc: datetime | None, end_utc: datetime | None) -> None:
        self._count += 1
        if start_utc is not None:
            self._start_utc = min(self._start_utc or start_utc, start_utc)
        if end_utc is not None:
            self._end_utc = max(self._end_utc or end_utc, end_utc)

    def note(self) -> str:
        where = "" if self._start_utc is None else f"{self._start_utc:%FT%RZ}"
        if self._end_utc is not None:
            where = f"{where} to {self._end_utc:%FT%RZ}".lstrip()
        many = f"{self._count} such" if self._count > 1 else ""
        added = ", ".join(filter(None, (many, where)))
        return f"left out: {self._why}" + (f" ({added})" if added else "")


def plain(text: str) -> str:
    """Returns a text from outside as one line that can be shown anywhere, and is not long."""
    shown = "".join(sign if sign.isprintable() else " " for sign in text)
    return shown if len(shown) <= _MAX_SIGNS else f"{shown[:_MAX_SIGNS]}..."


class LeftOut:
    """Collects what is not used of one answer. What lies before now is needed by nobody."""

    def __init__(self, now_utc: datetime = _ALWAYS) -> None:
        """``now_utc`` is left away where everything is needed, as of a file."""
        self._now_utc = now_utc
        self._kinds: dict[str, _Kind] = {}
        self._doubts: list[str] = []

    def add(
        self,
        why: str,
        start_utc: datetime | None = None,
        end_utc: datetime | None = None,
        *,
        kind: str | None = None,
    ) -> None:
        """Remembers a piece; those of one ``kind`` (None: those of one reason) are told together.

        A piece without times is taken for one that is needed.
        """
        until = end_utc or start_utc
        if until is not None and until <= self._now_utc:
            return
        self._kinds.setdefault(kind or why, _Kind(why)).add(start_utc, end_utc)

    def doubt(self, text: str) -> None:
        """Remembers what is used and hardly meant."""
        self._doubts.append(plain(text))

    @property
    def is_partial(self) -> bool:
        """Tells whether anything that is needed was left out."""
        return bool(self._kinds)

    def notes(self) -> tuple[str, ...]:
        """Returns what is to be told; what matters most comes first."""
        return tuple(_few([*self._doubts, *(kind.note() for kind in self._kinds.values())]))


def _few(texts: list[str]) -> Iterable[str]:
    yield from texts[:_MAX_NOTES]
    if len(texts) > _MAX_NOTES:
        yield f"left out: {len(texts) - _MAX_NOTES} more kinds of pieces"
