"""What a forecast is, and the one rule that load and PV share: same time, earlier days."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from holdfast.forecasting.history import QUARTER, QUARTER_S, QUARTERS_PER_DAY, quarter_of

DAYS_BACK = 7


class Basis(StrEnum):
    """What a forecast rests on."""

    HISTORY = "history"
    """Every slot was measured at the same time on an earlier day."""
    PARTIAL = "partial"
    """Some slots were; the others follow the fallback."""
    FALLBACK = "fallback"
    """None was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerForecast:
    """Mean power of each coming quarter hour."""

    start_utc: datetime
    """Start of the first quarter hour."""
    mean_w: tuple[float, ...]
    """>= 0, one per quarter hour."""
    basis: Basis

    @property
    def end_utc(self) -> datetime:
        """End of the last quarter hour."""
        return self.start_utc + len(self.mean_w) * QUARTER

    def at(self, utc: datetime) -> float | None:
        """Mean power in the quarter hour that ``utc`` lies in; None outside the forecast."""
        index = int((utc - self.start_utc).total_seconds() // QUARTER_S)
        return self.mean_w[index] if 0 <= index < len(self.mean_w) else None


def forecast_by_time_of_day(
    measured_w: Callable[[int], float | None],
    *,
    start_utc: datetime,
    count: int,
    recency: float,
    fallback_w: float,
) -> PowerForecast:
    """Weighted mean of the same UTC quarter on the last ``DAYS_BACK`` days before the start.

    A day counts ``recency`` times as much as the day after it (1: all alike). Slots whose
    time of day was never measured get ``fallback_w``. Time of day is UTC: for a week after
    a clock change, habits appear an hour off; the sun does not.

    Raises ValueError unless ``start_utc`` is aware and a whole quarter hour.
    """
    first = quarter_of(start_utc)
    if start_utc.timestamp() != first * QUARTER_S:
        raise ValueError(f"{start_utc} is not the start of a quarter hour")
    by_time_of_day = [
        _weighted_mean(measured_w, first + offset, recency)
        for offset in range(min(count, QUARTERS_PER_DAY))
    ]
    means = [by_time_of_day[index % QUARTERS_PER_DAY] for index in range(count)]
    known = sum(mean is not None for mean in means)
    basis = Basis.FALLBACK if known == 0 else Basis.PARTIAL if known < count else Basis.HISTORY
    return PowerForecast(
        start_utc=start_utc,
        mean_w=tuple(max(0.0, fallback_w if mean is None else mean) for mean in means),
        basis=basis,
    )


def _weighted_mean(
    measured_w: Callable[[int], float | None], quarter: int, recency: float
) -> float | None:
    total_w, weights, weight = 0.0, 0.0, 1.0
    for day in range(1, DAYS_BACK + 1):
        value_w = measured_w(quarter - day * QUARTERS_PER_DAY)
        if value_w is not None:
            total_w += weight * value_w
            weights += weight
        weight *= recency
    return total_w / weights if weights > 0 else None
