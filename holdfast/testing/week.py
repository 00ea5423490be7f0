"""A simulated week (or any number of days): what a strategy costs, and what it does to the plant.

The planner knows what a real one would: prices as far as they are published at that moment,
and the house's past, of which it has seen the week before. It does not see the future.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError, HoldfastError
from holdfast.forecasting.history import PowerHistory
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.planning_desk import PlanningDesk, PowerSample
from holdfast.testing.plant import SitePlant
from holdfast.testing.simulation import Simulation

QUARTER = timedelta(minutes=15)
PUBLISHED_AT_H = 13
"""Local hour at which the next day's prices are out (SDAC: 12:45 to 13:00)."""
_MINUTE_S = 60
_HISTORY = timedelta(days=7)


class Strategy(StrEnum):
    """Who asks the battery for power."""

    PLAN = "plan"
    SELF_CONSUMPTION = "self_consumption"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarterHour:
    """What happened in a quarter hour: mean powers, prices, and the SOC at its end."""

    start: datetime
    load_w: float
    pv_w: float
    battery_w: float
    grid_w: float
    soc_pct: float
    import_price_per_kwh: float
    export_price_per_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekResult:
    """What a run has come to. Costs in the site's currency, energies in Wh."""

    strategy: Strategy
    days: float
    step_s: float
    cost: float
    """Paid at the meter, less what the battery holds more at the end than at the start."""
    cost_at_meter: float
    cost_without_battery: float
    soc_start_pct: float
    soc_end_pct: float
    energies_wh: dict[str, float]
    full_cycles: float
    damage: dict[str, int]
    """Episodes by unit and kind; empty if the plant is whole."""
    cycles: int
    cycles_not_running: int
    plans: int
    plans_refused: int
    quarters: tuple[QuarterHour, ...]


class Week:
    """Runs one strategy."""

    def __init__(
        self, site: Site, prices: SitePrices, strategy: Strategy, *, days: float,
        step_s: float = 1.0, seed: int = 1, soc_pct: float = 50.0,
    ) -> None:  # fmt: skip
        self._zone = ZoneInfo(site.timezone)
        self._prices = prices
        self._strategy = strategy
        if prices.start_utc is None:
            raise ConfigError("prices: none are known; there is nothing to simulate against")
        self._start = prices.start_utc
        self._quarters = round(days * 96)
        end = self._start + self._quarters * QUARTER
        known_until = prices.known_until(self._start)
        if known_until is None or known_until < end:
            raise ConfigError(f"prices reach to {known_until}, {days:g} days would need {end}")
        self._step_s = step_s
        self._steps = round(QUARTER.total_seconds() / step_s)
        plant = SitePlant.from_site(site, seed=seed, soc_pct=soc_pct)
        self._simulation = Simulation(site, plant, start=self._start, step_s=step_s)
        self._desk = PlanningDesk(site, _past(plant, self._start))
        self._at_meter = self._without_battery = 0.0

    def run(self, progress: Callable[[float], None] = lambda _: None) -> WeekResult:
        """Simulate; ``progress`` gets the share that is done. Raises HoldfastError."""
        simulation = self._simulation
        simulation.start()
        # The start took less than a quarter hour; from here on, accounts are kept.
        simulation.utc = self._start
        soc_start_pct = simulation.soc_pct
        quarters = []
        for index in range(self._quarters):
            if self._strategy is Strategy.PLAN:
                self._plan()
            quarters.append(self._quarter(self._start + index * QUARTER))
            progress((index + 1) / self._quarters)
        return self._result(soc_start_pct, tuple(quarters))

    def _plan(self) -> None:
        simulation = self._simulation
        known = published(self._prices, simulation.utc, self._zone)
        try:
            simulation.take_plan(self._desk.plan(simulation.utc, simulation.soc_pct, known))
        except HoldfastError:
            # As live: what there was goes on until it expires, then the local rule.
            simulation.tally.plans_refused += 1

    def _quarter(self, start: datetime) -> QuarterHour:
        simulation, plant = self._simulation, self._simulation.plant
        before = asdict(plant.energies)
        per_minute = max(round(_MINUTE_S / self._step_s), 1)
        import_wh = export_wh = 0.0
        for index in range(self._steps):
            simulation.step()
            rest_w = plant.load_power_w - plant.pv_power_w
            if rest_w > 0.0:
                import_wh += rest_w
            else:
                export_wh -= rest_w
            if index % per_minute == 0:
                self._desk.observe(
                    PowerSample(
                        utc=simulation.utc - timedelta(seconds=self._step_s),
                        load_w=plant.load_power_w,
                        pv_w=plant.pv_power_w,
                        on={name: load.on for name, load in plant.loads.items()},
                        room_c={
                            room.name: plant.loads[room.name].temperature_c
                            for room in simulation.site.rooms
                        },
                    )
                )
        used = {name: value - before[name] for name, value in asdict(plant.energies).items()}
        bought, sold = self._tariffs(start)
        to_kwh = self._step_s / 3600 / 1000
        self._without_battery += (import_wh * bought - export_wh * sold) * to_kwh
        self._at_meter += (used["grid_import_wh"] * bought - used["grid_export_wh"] * sold) / 1000
        return _quarter_hour(start, used, simulation.soc_pct, bought, sold)

    def _tariffs(self, start: datetime) -> tuple[float, float]:
        bought = self._prices.purchase.price_at(start)
        sold = self._prices.feed_in.price_at(start)
        assert bought is not None, "checked at the start"
        assert sold is not None, "checked at the start"
        return bought, sold

    def _result(self, soc_start_pct: float, quarters: tuple[QuarterHour, ...]) -> WeekResult:
        simulation, plant = self._simulation, self._simulation.plant
        capacity_wh = sum(unit.battery.capacity_wh for unit in simulation.site.storage)
        energies = asdict(plant.energies)
        # What is left in the battery counts for what it would cost to buy it again: the
        # cheapest price of the last day, so that no strategy is praised for a full battery.
        refill = min(quarter.import_price_per_kwh for quarter in quarters[-96:])
        gained_wh = (simulation.soc_pct - soc_start_pct) / 100 * capacity_wh
        return WeekResult(
            strategy=self._strategy,
            days=self._quarters / 96,
            step_s=self._step_s,
            cost=self._at_meter - gained_wh / 1000 * refill,
            cost_at_meter=self._at_meter,
            cost_without_battery=self._without_battery,
            soc_start_pct=soc_start_pct,
            soc_end_pct=simulation.soc_pct,
            energies_wh=energies,
            full_cycles=energies["battery_discharge_wh"] / capacity_wh,
            damage={
                f"{unit}/{kind}": count
                for unit, counts in plant.damage_counts.items()
                for kind, count in counts.items()
            },
            cycles=simulation.tally.cycles,
            cycles_not_running=simulation.tally.not_running_cycles,
            plans=simulation.tally.plans,
            plans_refused=simulation.tally.plans_refused,
            quarters=quarters,
        )


def _quarter_hour(
    start: datetime, used_wh: dict[str, float], soc_pct: float, bought: float, sold: float
) -> QuarterHour:
    hours = QUARTER / timedelta(hours=1)
    return QuarterHour(
        start=start,
        load_w=used_wh["load_wh"] / hours,
        pv_w=used_wh["pv_wh"] / hours,
        battery_w=(used_wh["battery_charge_wh"] - used_wh["battery_discharge_wh"]) / hours,
        grid_w=(used_wh["grid_import_wh"] - used_wh["grid_export_wh"]) / hours,
        soc_pct=soc_pct,
        import_price_per_kwh=bought,
        export_price_per_kwh=sold,
    )


def published(prices: SitePrices, utc: datetime, zone: ZoneInfo) -> SitePrices:
    """The prices that are out at ``utc``: today's, and from the afternoon on tomorrow's."""
    local = utc.astimezone(zone)
    days = 2 if local.hour >= PUBLISHED_AT_H else 1
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone) + timedelta(days=days)
    return prices.between(datetime.min.replace(tzinfo=UTC), midnight.astimezone(UTC))


def _past(plant: SitePlant, start: datetime) -> PowerHistory:
    """The house's week before ``start``, as the planner would have measured it."""
    history = PowerHistory()
    for minute in range(round(_HISTORY.total_seconds() / _MINUTE_S)):
        utc = start - _HISTORY + timedelta(minutes=minute)
        pv_w, load_w = plant.household.power_w(utc.timestamp())
        history.add(utc, load_w, pv_w)
    return history
