"""A bill tells what runs have come to in money, and beside each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.backtest.data import SiteData, utc_of
from holdfast.backtest.run import Floats, RunResult
from holdfast.backtest.strategies import Strategy
from holdfast.core.bill_line import BillLine, BillPart
from holdfast.core.config import Site
from holdfast.markets.tariff_bill import (
    MeteredQuarter,
    tariff_bill,
    terms_of,
)

NO_BATTERY = "no_battery"
_DAY_S = 86_400
_LEAST = 0.01
"""It is a cent: of less no share is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Tells of one way to run the battery, in the site's currency, kWh and %."""

    cost: float
    """It is paid at the meter, less what the battery holds more at the end than at the start."""
    cost_at_meter: float
    value_left: float
    """It is that of what the battery holds more at the end than at the start."""
    charges: tuple[BillLine, ...]
    """They are part of ``cost``: all that the site's tariff has beside the price of energy."""
    wear_cost: float
    """It is for what went through the battery, at ``wear_cost_per_kwh``; ``cost`` is without it."""
    import_kwh: float
    export_kwh: float
    charged_kwh: float
    discharged_kwh: float
    pv_throttled_kwh: float
    """It was thrown away where export would have cost; without a battery all of it is exported."""
    full_cycles: float
    soc_start_pct: float
    soc_end_pct: float
    plans: Mapping[str, int]
    first_problem: str
    cycles: int
    cycles_not_running: int
    damage: int

    @property
    def cost_with_wear(self) -> float:
        """Returns what the optimizer is after."""
        return self.cost + self.wear_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Tells how much less it cost than another way."""

    amount: float
    percent: float | None
    """It is a share of what the other way cost; None if that was nothing, or earned money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Sets the run that was asked for beside the others."""

    strategy: Strategy
    cost_without_battery: float
    bills: Mapping[Strategy, Bill]
    savings: Mapping[str, Saving]
    """They are those of the run that was asked for, against each other one."""
    share_of_perfect_pct: float | None
    """It is what the run saves against no battery, of what perfect foresight saves."""
    share_of_perfect_with_wear_pct: float | None


def compare(
    site: Site,
    data: SiteData,
    strategy: Strategy,
    results: Mapping[Strategy, RunResult],
    stored_per_kwh: float | None = None,
) -> Comparison:
    """Puts ``results`` beside each other; that of ``strategy`` must be among them.

    ``stored_per_kwh`` is what a stored kWh is worth at the end; None: :func:`refill_price_per_kwh`.
    """
    if stored_per_kwh is None:
        stored_per_kwh = refill_price_per_kwh(site, data)
    chosen_run = results[strategy]
    without = float(interval_cost_without_battery(data, chosen_run).sum())
    without += _sum(charges_of(site, data, chosen_run, no_battery=True))
    bills = {name: _bill(site, data, run, stored_per_kwh) for name, run in results.items()}
    chosen = bills[strategy]
    others = {NO_BATTERY: without} | {
        str(name): bill.cost for name, bill in bills.items() if name is not strategy
    }
    perfect = bills.get(Strategy.PERFECT)
    return Comparison(
        strategy=strategy,
        cost_without_battery=without,
        bills=bills,
        savings={name: _saving(cost, chosen.cost) for name, cost in others.items()},
        share_of_perfect_pct=None
        if perfect is None
        else _share(without - chosen.cost, without - perfect.cost),
        share_of_perfect_with_wear_pct=None
        if perfect is None
        else _share(without - chosen.cost_with_wear, without - perfect.cost_with_wear),
    )


def interval_cost(data: SiteData, import_wh: Floats, export_wh: Floats) -> Floats:
    """Returns what each interval cost at the meter, in the site's currency."""
    bought, sold = _prices(data)
    cost: Floats = (import_wh * bought - export_wh * sold) / 1000.0
    return cost


def interval_cost_without_battery(data: SiteData, result: RunResult) -> Floats:
    """Returns what each interval would have cost at the meter without a battery.

    It is in the site's currency.
    """
    return interval_cost(data, result.deficit_wh, result.surplus_wh)


def charges_of(
    site: Site, data: SiteData, result: RunResult, *, no_battery: bool = False
) -> tuple[BillLine, ...]:
    """Returns what the tariff of ``site`` has beside the price of energy, for what was run."""
    if site.prices is None:
        return ()
    imported, exported = (2, 3) if no_battery else (0, 1)
    quarters = []
    for start_s, wh in sorted(result.quarter_wh.items()):
        row = data.rows[max(data.index_from(utc_of(start_s + 1)) - 1, 0)]
        quarters.append(
            MeteredQuarter(
                start_utc=utc_of(start_s),
                import_wh=float(wh[imported]),
                export_wh=float(wh[exported]),
                purchase_per_kwh=row.import_price_per_kwh,
                feed_in_per_kwh=row.export_price_per_kwh,
            )
        )
    bill = tariff_bill(quarters, terms_of(site.prices, ZoneInfo(site.timezone)))
    by_the_kwh = (BillPart.ENERGY, BillPart.FEED_IN)
    return tuple(line for line in bill.lines if line.part not in by_the_kwh)


def cheapest_per_kwh(data: SiteData) -> float:
    """Returns the cheapest price of the last day: so no strategy is praised for a full battery."""
    return min(row.import_price_per_kwh for row in data.rows[-(_DAY_S // data.step_s) :])


def refill_price_per_kwh(site: Site, data: SiteData) -> float:
    """Returns what a stored kWh is worth at the end: what it would cost to buy it again.

    It is the cheapest price, with the losses of charging; and not less than nothing.
    """
    capacity_wh = sum(unit.battery.capacity_wh for unit in site.storage)
    efficiency = sum(
        unit.inverter_hardware.efficiency_pct / 100.0 * unit.battery.capacity_wh
        for unit in site.storage
    )
    return max(cheapest_per_kwh(data), 0.0) * capacity_wh / efficiency


def _bill(site: Site, data: SiteData, result: RunResult, stored_per_kwh: float) -> Bill:
    charges = charges_of(site, data, result)
    at_meter = float(interval_cost(data, result.import_wh, result.export_wh).sum()) + _sum(charges)
    soc_end_pct = float(result.soc_pct[-1])
    gained_kwh = (soc_end_pct - result.soc_start_pct) / 100.0 * result.capacity_wh / 1000.0
    value_left = gained_kwh * stored_per_kwh
    discharged_kwh = result.discharged_wh / 1000.0
    return Bill(
        cost=at_meter - value_left,
        cost_at_meter=at_meter,
        value_left=value_left,
        charges=charges,
        wear_cost=discharged_kwh * site.planner.wear_cost_per_kwh,
        import_kwh=float(result.import_wh.sum()) / 1000.0,
        export_kwh=float(result.export_wh.sum()) / 1000.0,
        charged_kwh=result.charged_wh / 1000.0,
        discharged_kwh=discharged_kwh,
        pv_throttled_kwh=result.pv_throttled_wh / 1000.0,
        full_cycles=result.discharged_wh / result.capacity_wh,
        soc_start_pct=result.soc_start_pct,
        soc_end_pct=soc_end_pct,
        plans=result.plans,
        first_problem=result.first_problem,
        cycles=result.cycles,
        cycles_not_running=result.cycles_not_running,
        damage=sum(result.damage.values()),
    )


def _sum(lines: tuple[BillLine, ...]) -> float:
    return sum(line.amount for line in lines)


def _prices(data: SiteData) -> tuple[Floats, Floats]:
    return (
        np.array([row.import_price_per_kwh for row in data.rows]),
        np.array([row.export_price_per_kwh for row in data.rows]),
    )


def _saving(other: float, chosen: float) -> Saving:
    amount = other - chosen
    return Saving(amount=amount, percent=100.0 * amount / other if other > _LEAST else None)


def _share(saved: float, most: float) -> float | None:
    return 100.0 * saved / most if most > _LEAST else None
