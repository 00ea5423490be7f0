"""Measured days: load and PV stand still for an interval, and time goes by in long steps."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from holdfast.backtest.data import Row, SiteData, require_an_hour, utc_of
from holdfast.backtest.pace import SHORT_S, TOLERATED_S, Pace
from holdfast.backtest.scenario import Scenario, Stage
from holdfast.core.config import Site
from holdfast.core.quarter_hours import QUARTER_S
from holdfast.core.signals import SITE, Signal
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.power_sample import PowerSample
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant import Household, SitePlant
from holdfast.simulation.plant.site import SiteSample


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredDays(Scenario):
    """Holds what was measured, and what was measured before that."""

    before: SiteData
    """It may have no rows."""
    after: tuple[Row, ...] = ()
    """Their prices are published while the days go by; nothing else is looked at."""

    def prices(self, currency: str) -> SitePrices:
        """Returns the prices of the rows, and of those after them."""
        step = timedelta(seconds=self.data.step_s)

        def series(prices: Iterable[tuple[int, float]]) -> PriceSeries:
            starts = ((utc_of(start_s), price) for start_s, price in prices)
            slots = (
                PriceSlot(start_utc=start, end_utc=start + step, price_per_kwh=price)
                for start, price in starts
            )
            return PriceSeries(currency=currency, slots=tuple(slots))

        rows = (*self.data.rows, *self.after)
        return SitePrices(
            currency=currency,
            purchase=series((row.start_s, row.import_price_per_kwh) for row in rows),
            feed_in=series((row.start_s, row.export_price_per_kwh) for row in rows),
        )

    def past(self, site: Site) -> Iterator[PowerSample]:  # noqa: ARG002 - as all scenes are asked
        """Yields the rows of before."""
        for row in self.before.rows:
            yield from _samples(row, self.before.step_s)

    def stage(self, site: Site, *, seed: int, soc_pct: float) -> Stage:
        """Raises DataError for less than an hour, ConfigError for a site that cannot be run."""
        require_an_hour(self.data)
        return _MeasuredStage(site, self.data, seed, soc_pct)


class MeasuredHouse(Household):
    """This house has the load and PV of the present row."""

    def __init__(self, row: Row) -> None:
        super().__init__(seed=0)
        self.row = row

    def power_w(self, utc_s: float) -> tuple[float, float]:  # noqa: ARG002 - as its base has it
        """Returns (PV, load) of the present row, in W."""
        return self.row.pv_w, self.row.load_w


class _LiveMeterPlant(SitePlant):
    """A load that stands still would make a meter that does, too, and nobody could tell it from one
    that is late: as any real one it moves all the time, here by a tenth of a watt."""

    _moves_w = 0.1

    def samples(self) -> Iterator[SiteSample]:
        """Yields what all devices tell."""
        self._moves_w = -self._moves_w
        for producer, owner, signal, value in super().samples():
            if owner == SITE and signal is Signal.GRID_POWER_W:
                value += self._moves_w
            yield producer, owner, signal, value


class _MeasuredStage(Stage):
    def __init__(self, site: Site, data: SiteData, seed: int, soc_pct: float) -> None:
        plant = _LiveMeterPlant.from_site(site, seed=seed, soc_pct=soc_pct)
        plant.household = self._house = MeasuredHouse(data.rows[0])
        super().__init__(
            Simulation(site, plant, start=data.start, step_s=SHORT_S, longest_s=TOLERATED_S)
        )
        self._pace = Pace(self.simulation)
        self._step_s = data.step_s

    def hold(self, row: Row) -> None:
        self._house.row = row

    def run(self, span_s: float) -> None:
        self._pace.run(span_s)

    def seen(self) -> Iterator[PowerSample]:
        return _samples(self._house.row, self._step_s)


def _samples(row: Row, step_s: int) -> Iterator[PowerSample]:
    """Gives parts of the row to each quarter hour, as a planner's samples would."""
    part_s = math.gcd(step_s, QUARTER_S)
    for start_s in range(row.start_s, row.start_s + step_s, part_s):
        yield PowerSample(utc=utc_of(start_s), load_w=row.load_w, pv_w=row.pv_w)
