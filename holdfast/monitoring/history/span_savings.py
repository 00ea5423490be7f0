"""Span savings are what a day, a month or a year has cost, beside other ways to run the battery."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.core.bill_line import BillLine


class SpanName(StrEnum):
    """Names the spans that are told."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanSavings:
    """Holds what one span has cost, in the site's currency. None: it cannot be known."""

    span: SpanName
    start: datetime
    end: datetime
    paid: float | None = None
    no_battery: float | None = None
    self_consumption: float | None = None
    lines: tuple[BillLine, ...] = ()
    """They make up ``paid``, but for what is stored more."""
    stored_more_kwh: float = 0.0
    """The battery holds so much more at the end than at the beginning."""
    measured: float = 0.0
    """Tells the share of the span so far, 0 to 1, that all of this rests on."""
    missing: tuple[str, ...] = ()
    """Tells what is not in it, in words."""

    @property
    def saved_against_no_battery(self) -> float | None:
        """Returns how much less was paid."""
        return _less(self.no_battery, self.paid)

    @property
    def saved_against_self_consumption(self) -> float | None:
        """Returns how much less was paid."""
        return _less(self.self_consumption, self.paid)


def _less(other: float | None, paid: float | None) -> float | None:
    return None if other is None or paid is None else other - paid
