"""Measured data as arrays by the quarter hour, for what works on a whole year at once."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Self

import numpy as np

from holdfast.backtest.data import SiteData
from holdfast.backtest.run import Floats
from holdfast.backtest.world import quarter_means
from holdfast.core.errors import DataError
from holdfast.core.quarter_hours import QUARTER, start_of
from holdfast.markets.site_prices import SitePrices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QuarterData:
    """Holds a value for each quarter hour from the first to the last; NaN where none is known."""

    first: int
    """It is the first quarter hour, counted since 1970."""
    load_w: Floats
    pv_w: Floats
    import_price_per_kwh: Floats
    export_price_per_kwh: Floats
    stretches: tuple[range, ...]
    """They are runs of indices in which all is known."""

    @classmethod
    def of(cls, data: SiteData) -> Self:
        """Returns ``data`` as means of quarter hours."""
        means = [
            quarter_means(data, value_of)
            for value_of in (
                lambda row: row.load_w,
                lambda row: row.pv_w,
                lambda row: row.import_price_per_kwh,
                lambda row: row.export_price_per_kwh,
            )
        ]
        first, last = min(means[0]), max(means[0])
        arrays = np.full((len(means), last - first + 1), np.nan)
        for row, values in zip(arrays, means, strict=True):
            row[np.array(list(values)) - first] = list(values.values())
        runs = groupby(enumerate(np.flatnonzero(np.isfinite(arrays[0])).tolist()), _offset)
        found = [[index for _, index in run] for _, run in runs]
        return cls(
            first=first,
            load_w=arrays[0],
            pv_w=arrays[1],
            import_price_per_kwh=arrays[2],
            export_price_per_kwh=arrays[3],
            stretches=tuple(range(run[0], run[-1] + 1) for run in found),
        )

    @property
    def known(self) -> int:
        """Returns how many quarter hours are known."""
        return sum(len(stretch) for stretch in self.stretches)

    def start_of(self, index: int) -> datetime:
        """Returns when the quarter hour of ``index`` begins, UTC."""
        return start_of(self.first + index)

    def with_prices(self, prices: SitePrices) -> Self:
        """Returns the same house at other prices.

        Raises DataError if they do not reach over all that was measured.
        """
        bought, sold = (np.full(len(self.load_w), np.nan) for _ in range(2))
        for row, series in ((bought, prices.purchase), (sold, prices.feed_in)):
            for slot in series.slots:
                begin, end = (
                    round((utc - self.start_of(0)) / QUARTER)
                    for utc in (slot.start_utc, slot.end_utc)
                )
                row[max(begin, 0) : max(end, 0)] = slot.price_per_kwh
        for stretch in self.stretches:
            for name, row in (("purchase", bought), ("feed-in", sold)):
                holes = np.flatnonzero(np.isnan(row[stretch.start : stretch.stop]))
                if holes.size:
                    utc = self.start_of(stretch.start + int(holes[0]))
                    raise DataError(f"no price of {name} is known for {utc:%FT%RZ}")
        return replace(self, import_price_per_kwh=bought, export_price_per_kwh=sold)

    def with_pv(self, scale: float) -> Self:
        """Returns the same house with ``scale`` times its PV."""
        return replace(self, pv_w=self.pv_w * scale)


def _offset(numbered: tuple[int, int]) -> int:
    """Returns what is equal within a run of indices without a hole."""
    return numbered[1] - numbered[0]
