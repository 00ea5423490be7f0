"""The simulated household lives its days from second to second, and so does the cycle."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from holdfast.backtest.data import Row, SiteData
from holdfast.backtest.measured_days import MeasuredDays
from holdfast.backtest.scenario import Scenario, Stage
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.quarter_hours import QUARTER, QUARTER_S, QUARTERS_PER_DAY
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.power_sample import PowerSample
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant import Household, SitePlant

_MINUTE = timedelta(minutes=1)
_SEEN_W = 10.0
"""PV that gives less than the sun would, by as much, is nothing to learn from."""
_BEFORE = timedelta(days=7)
"""So much of the household's past has the planner seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedDays(Scenario):
    """Holds a household and the prices that its owner pays; :func:`simulated_days` makes one."""

    household_seed: int
    known: SitePrices
    """It may reach beyond the days."""
    step_s: float
    """It is the time between two cycles."""

    def prices(self, currency: str) -> SitePrices:  # noqa: ARG002 - they have theirs
        """Returns the prices that are known."""
        return self.known

    def past(self, site: Site) -> Iterator[PowerSample]:
        """Yields the household's week before, by the minute; nothing that can wait was on."""
        house = Household(seed=self.household_seed)
        off = dict.fromkeys(site.switches, False)
        for minute in range(_BEFORE // _MINUTE):
            utc = self.data.start - _BEFORE + minute * _MINUTE
            pv_w, load_w = house.power_w(utc.timestamp())
            yield PowerSample(utc=utc, load_w=load_w, pv_w=pv_w, on=off)

    def stage(self, site: Site, *, seed: int, soc_pct: float) -> Stage:
        """Raises ConfigError for a site that cannot be run."""
        plant = SitePlant.from_site(site, seed=seed, soc_pct=soc_pct)
        plant.household = Household(seed=self.household_seed)
        start, step_s = self.data.start, self.step_s
        return _LivingStage(Simulation(site, plant, start=start, step_s=step_s), step_s)


def simulated_days(
    prices: SitePrices, *, days: float, step_s: float = 1.0, seed: int = 1
) -> SimulatedDays:
    """Makes days from the first known price on. Raises ConfigError if prices end before them."""
    start = prices.start_utc
    if start is None:
        raise ConfigError("prices: none are known; there is nothing to simulate against")
    quarters = round(days * QUARTERS_PER_DAY)
    end, known_until = start + quarters * QUARTER, prices.known_until(start)
    if known_until is None or known_until < end:
        raise ConfigError(f"prices reach to {known_until}, {days:g} days would need {end}")
    house = Household(seed=seed)
    starts = [start + index * QUARTER for index in range(quarters)]
    bought, sold = prices.purchase.prices_at(starts), prices.feed_in.prices_at(starts)
    rows = tuple(_row(house, *at) for at in zip(starts, bought, sold, strict=True))
    return SimulatedDays(
        data=SiteData(step_s=QUARTER_S, rows=rows),
        household_seed=seed,
        known=prices,
        step_s=step_s,
    )


def in_quarter_hours(days: SimulatedDays) -> MeasuredDays:
    """Returns the same days as somebody would have measured them, by the quarter hour.

    They take a hundredth of the time. Loads and rooms that wait have no part in them.
    """
    house, start = Household(seed=days.household_seed), days.data.start
    quarters = range(-(_BEFORE // QUARTER), 0)
    before = tuple(_row(house, start + index * QUARTER, 0.0, 0.0) for index in quarters)
    return MeasuredDays(data=days.data, before=SiteData(step_s=QUARTER_S, rows=before))


def _row(house: Household, start: datetime, bought: float, sold: float) -> Row:
    minutes = [house.power_w((start + n * _MINUTE).timestamp()) for n in range(QUARTER // _MINUTE)]
    pv_w, load_w = (sum(powers) / len(minutes) for powers in zip(*minutes, strict=True))
    return Row(
        start_s=round(start.timestamp()),
        import_price_per_kwh=bought,
        export_price_per_kwh=sold,
        load_w=load_w,
        pv_w=pv_w,
    )


class _LivingStage(Stage):
    def __init__(self, simulation: Simulation, step_s: float) -> None:
        super().__init__(simulation)
        self._step = timedelta(seconds=step_s)
        self._seen: list[PowerSample] = []

    def hold(self, row: Row) -> None:
        """The household knows what time it is."""

    def run(self, span_s: float) -> None:
        steps_a_minute = max(round(_MINUTE / self._step), 1)
        for index in range(round(timedelta(seconds=span_s) / self._step)):
            self.simulation.step()
            if index % steps_a_minute == 0:
                self._seen.append(self._sample())

    def seen(self) -> list[PowerSample]:
        seen, self._seen = self._seen, []
        return seen

    def _sample(self) -> PowerSample:
        plant, rooms = self.simulation.plant, self.simulation.site.rooms
        return PowerSample(
            utc=self.simulation.utc - self._step,
            load_w=plant.load_power_w,
            pv_w=plant.pv_power_w if plant.pv_throttled_w < _SEEN_W else None,
            on={name: load.on for name, load in plant.loads.items()},
            room_c={room.name: plant.loads[room.name].temperature_c for room in rooms},
        )
