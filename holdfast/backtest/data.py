"""Measured load, PV and the owner's prices come as a row an interval, all one step apart."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from holdfast.core.errors import DataError

_HOUR_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row is one interval."""

    start_s: int
    """It is in UTC, as seconds since 1970."""
    import_price_per_kwh: float
    export_price_per_kwh: float
    """It is earned per kWh fed in."""
    load_w: float
    pv_w: float
    pv_forecast_w: float | None = None
    """It was forecast from weather before the day began; None if there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteData:
    """Holds what was measured, one row per interval in order of time."""

    step_s: int
    rows: tuple[Row, ...]
    missing: int = 0
    """These intervals were left out between the first and the last row."""

    @property
    def start(self) -> datetime:
        """Returns the start of the first interval, UTC."""
        return utc_of(self.rows[0].start_s)

    @property
    def end(self) -> datetime:
        """Returns the end of the last interval, UTC."""
        return utc_of(self.rows[-1].start_s + self.step_s)

    @property
    def days(self) -> float:
        """Returns the time that the rows cover, in days."""
        return len(self.rows) * self.step_s / 86_400

    def index_from(self, utc: datetime) -> int:
        """Returns the index of the first row that starts at ``utc`` or later."""
        return bisect_left(self.rows, utc.timestamp(), key=lambda row: row.start_s)

    def split(self, start: datetime | None, days: float | None) -> tuple["SiteData", "SiteData"]:
        """Returns the rows before ``start``, and ``days`` from it on.

        Raises DataError if none are left.
        """
        first = 0 if start is None else self.index_from(start)
        last = len(self.rows)
        if days is not None and first < last:
            span = timedelta(days=days)
            last = self.index_from(utc_of(self.rows[first].start_s) + span)
        if first >= last:
            raise DataError(
                f"nothing is left of it: it reaches from {self.start:%FT%RZ} to {self.end:%FT%RZ}"
            )
        chosen = self.rows[first:last]
        span_s = chosen[-1].start_s + self.step_s - chosen[0].start_s
        missing = span_s // self.step_s - len(chosen)
        return (
            SiteData(step_s=self.step_s, rows=self.rows[:first]),
            SiteData(step_s=self.step_s, rows=chosen, missing=missing),
        )


def utc_of(seconds: int) -> datetime:
    """Returns the instant, UTC."""
    return datetime.fromtimestamp(seconds, tz=UTC)


def require_an_hour(data: SiteData) -> None:
    """Refuses less than an hour. Raises DataError."""
    covered_s = len(data.rows) * data.step_s
    if covered_s < _HOUR_S:
        raise DataError(f"covers {covered_s // 60} minutes; a backtest needs at least an hour")
