"""The highest import so far is kept for demand charges, by quarter hour, as utilities meter it.

What a plan counts on is to be kept at the meter: each slot is told it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from holdfast.core.interval import Interval
from holdfast.core.quarter_hours import quarter_of, start_of
from holdfast.markets.demand_charge import DemandPrice
from holdfast.optimization.problem import PlanProblem

KEPT_PERIODS = 64
"""It is more than a plan and a wrong clock can touch."""


class Peaks:
    """Follows the import. What it does not remember it shaves anew: too much, never too little."""

    def __init__(self, known_w: Mapping[str, float] | None = None) -> None:
        self._quarter = 0
        self._sum_w, self._samples = 0.0, 0
        self._peaks_w: dict[str, float] = dict(known_w or {})

    def observe(self, utc: datetime, grid_w: float, demand: tuple[DemandPrice, ...]) -> None:
        """Takes in one measurement, in W, + import; an export is counted by another register."""
        quarter = quarter_of(utc)
        if quarter != self._quarter:
            self._close(demand)
            self._quarter, self._sum_w, self._samples = quarter, 0.0, 0
        self._sum_w += max(grid_w, 0.0)
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


def paid_w(price: DemandPrice, period: str, peaks_w: Mapping[str, float]) -> float:
    """Returns up to which import in ``period`` costs nothing more, in W."""
    return max(peaks_w.get(period, 0.0), price.free_w)


def import_caps_w(
    demand: tuple[DemandPrice, ...],
    intervals: Sequence[Interval],
    import_w: Sequence[float],
    peaks_w: Mapping[str, float],
) -> list[float | None]:
    """Returns which mean import of a quarter hour is to be kept in each interval, in W.

    It is the highest that is planned in the period, or what is paid for already if that is more;
    of several charges the lowest. None: no charge counts.
    """
    caps: list[float | None] = [None] * len(intervals)
    for price in demand:
        counted = [
            (slot, price.period_of(interval.start))
            for slot, interval in enumerate(intervals)
            if price.counts_at(interval.start)
        ]
        tops_w: dict[str, float] = {}
        for slot, period in counted:
            before_w = tops_w.get(period, paid_w(price, period, peaks_w))
            tops_w[period] = max(before_w, import_w[slot])
        for slot, period in counted:
            cap_w = caps[slot]
            caps[slot] = tops_w[period] if cap_w is None else min(cap_w, tops_w[period])
    return caps


def with_caps(problem: PlanProblem, caps_w: Sequence[float | None]) -> PlanProblem:
    """Returns ``problem`` with what is to be imported at most where a charge counts."""
    if all(cap_w is None for cap_w in caps_w):
        return problem
    most_w = np.broadcast_to(problem.import_max_w, problem.slots)
    caps = np.array([np.inf if cap_w is None else cap_w for cap_w in caps_w])
    return replace(problem, import_max_w=np.minimum(most_w, caps))
