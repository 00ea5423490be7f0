"""The highest import so far is kept for demand charges, by quarter hour, as utilities meter it."""

from collections.abc import Mapping
from datetime import datetime

from holdfast.core.quarter_hours import quarter_of, start_of
from holdfast.markets.demand_charge import DemandPrice

KEPT_PERIODS = 64
"""It is more than a plan and a wrong clock can touch."""


class Peaks:
    """Follows the import. What it does not remember it shaves anew: too much, never too little."""

    def __init__(self, known_w: Mapping[str, float] | None = None) -> None:
        self._quarter = 0
        self._sum_w, self._samples = 0.0, 0
        self._peaks_w: dict[str, float] = dict(known_w or {})

    def observe(self, utc: datetime, grid_w: float, demand: tuple[DemandPrice, ...]) -> None:
        """Takes in one measurement, in W, + import."""
        quarter = quarter_of(utc)
        if quarter != self._quarter:
            self._close(demand)
            self._quarter, self._sum_w, self._samples = quarter, 0.0, 0
        self._sum_w += grid_w
        self._samples += 1

    def peaks_w(self) -> dict[str, float]:
        """Returns the highest mean import of a quarter hour, in W, by the period's name."""
        return dict(self._peaks_w)

    def _close(self, demand: tuple[DemandPrice, ...]) -> None:
        if not self._samples:
            return
        mean_w = self._sum_w / self._samples
        start = start_of(self._quarter)
        for price in demand:
            if price.counts_at(start):
                period = price.period_of(start)
                before_w = self._peaks_w.pop(period, 0.0)
                self._peaks_w[period] = max(before_w, mean_w)
        while len(self._peaks_w) > KEPT_PERIODS:
            del self._peaks_w[next(iter(self._peaks_w))]
