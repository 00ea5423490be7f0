"""The history state tells how the history fares; it is shared through memory, for a full disk."""

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.monitoring.history.energies import Sum
from holdfast.monitoring.history.span_savings import SpanSavings


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryState:
    """Holds what the writer of a history tells, each minute at least."""

    utc: datetime
    """Tells when it was told."""
    monotonic_ns: int
    problem: str = ""
    """Tells why nothing can be written, or not all of it, in words; empty if all is well."""
    note: str = ""
    """Tells what happened to it, such as that a damaged file was kept aside."""
    written: datetime | None = None
    """Tells up to when it is on the disk; None: nothing since the writer began."""
    samples_lost: int = 0
    """Counts seconds that could be read and are not in the history, since the writer began."""
    size_bytes: int | None = None
    """None: it is in a database whose size is not ours to know, or was not opened yet."""
    backup: datetime | None = None
    """Tells when the last backup was made; None: there is none."""
    totals: dict[Sum, float] = field(default_factory=dict)
    """Holds what was counted through all time and is on the disk; empty until it was opened."""
    currency: str
    savings: tuple[SpanSavings, ...] = ()
    """Holds what today and this month have cost so far; empty until it was calculated."""


_ADAPTER = TypeAdapter(HistoryState)


def encode_history_state(state: HistoryState) -> bytes:
    """Returns JSON."""
    return to_json(state)


def decode_history_state(content: bytes) -> HistoryState:
    """Returns the state. Raises pydantic's ValidationError, a ValueError, if it is none."""
    return _ADAPTER.validate_json(content)
