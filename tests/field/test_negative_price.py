"""C12: the market pays 0.4 ct, then -1.1, then 10, and the marketer keeps 1.5 ct of each kWh.

Elsewhere PV was thrown away at a positive price, for the battery's own floor; a price that the fee
makes a loss was not seen; what was throttled was not there for the car; and "pending" was shown
while 10 kW went on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from holdfast.core.config import Site
from holdfast.core.config.prices import Tariff
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import Plan
from holdfast.core.quarter_hours import QUARTER
from holdfast.core.signals import Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.strategy_name import StrategyName
from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.site_prices import SitePrices
from holdfast.markets.tariff import owner_prices
from holdfast.scheduling.ladder import Ladder
from holdfast.scheduling.plan_question import PlanMaker, PlanQuestion
from holdfast.scheduling.strategies.maker import StrategyMaker, plan_maker
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant import SitePlant
from holdfast.site.devices import abilities
from holdfast.site.site_file import parse_site
from holdfast.testing.rig import UNIT
from holdfast.testing.sites import example_content
from tests.scheduling.planning import NOW

MARKET = (0.004, -0.011, 0.10)
FEE = 0.015
LOAD_W, PV_W, CAR_W = 2500.0, 9000.0, 4600.0
"""100 W of PV are let through beside them, to be seen at the meter."""
GRID_LIMIT_W = 10_000.0
SLOT_S = 900
CAR_COMES_S = 300


def site_of(folder: Path) -> Site:
    content = example_content(folder, bms_on_can=False)
    content["timezone"] = "Europe/Berlin"
    content["storage"][0]["inverter"]["profile"] = "generic_hybrid"
    return parse_site(yaml.safe_dump(content), folder=folder)


def prices_of() -> SitePrices:
    """As site.yaml has them: fed in at the market's price less the fee."""
    source = PriceSeries(
        currency="EUR",
        slots=tuple(
            PriceSlot(
                start_utc=NOW + index * QUARTER,
                end_utc=NOW + (index + 1) * QUARTER,
                price_per_kwh=MARKET[min(index, 2)],
            )
            for index in range(40)
        ),
    )
    fixed = {"kind": "fixed", "price_per_kwh": 0.0}
    feed_in = Tariff.model_validate({"source": fixed, "levies_per_kwh": -FEE})
    purchase = Tariff.model_validate({"source": fixed, "levies_per_kwh": 0.25})
    zone = ZoneInfo("Europe/Berlin")
    return SitePrices(
        currency="EUR",
        purchase=owner_prices(source, purchase, zone),
        feed_in=owner_prices(source, feed_in, zone),
    )


def question(now_s: float, soc_pct: float, site: Site) -> PlanQuestion:
    load, pv = (
        PowerForecast(start_utc=NOW, mean_w=(mean_w,) * 80, basis=Basis.HISTORY)
        for mean_w in (LOAD_W, PV_W)
    )
    return PlanQuestion(
        now_utc=NOW + timedelta(seconds=now_s),
        soc_pct=soc_pct,
        prices=prices_of(),
        forecast=SiteForecast(load=load, pv=pv),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What the meter, the sun and the inverter's register say."""

    at_s: float
    pv_w: float
    used_w: float
    """Load, car and battery."""
    limit_w: float


def quarter_hours(folder: Path, make_plan: PlanMaker) -> list[Moment]:
    """Three quarter hours with a full battery, planned each five minutes."""
    site = site_of(folder)
    plant = SitePlant.from_site(site, soc_pct=95.0)
    plant.household.pv_override_w, plant.household.load_override_w = PV_W, LOAD_W
    simulation = Simulation(site, plant, start=NOW - timedelta(minutes=2))
    simulation.start()
    seen = []
    simulation.utc = NOW
    for at_s in range(3 * SLOT_S):
        if at_s % 300 == 0:
            simulation.take_plan(make_plan(question(at_s, simulation.soc_pct, site)))
        comes = at_s >= SLOT_S + CAR_COMES_S
        plant.household.load_override_w = LOAD_W + (CAR_W if comes else 0.0)
        simulation.step()
        unit = plant.units[UNIT]
        seen.append(
            Moment(
                at_s=at_s,
                pv_w=plant.pv_power_w,
                used_w=plant.load_power_w + unit.inverter.power_w,
                limit_w=unit.values()[Signal.EXPORT_LIMIT_READBACK_W],
            )
        )
    return seen


def optimizer(site: Site) -> PlanMaker:
    return plan_maker(site, abilities(site))


def price_rule(site: Site) -> PlanMaker:
    """What is left where the optimizer fails."""

    def fail() -> Plan:
        raise PlanFailed("no answer")

    return lambda asked: Ladder(site, abilities(site)).plan(asked.now_utc, asked.prices, fail)


def picked(name: StrategyName) -> Callable[[Site], PlanMaker]:
    return lambda site: StrategyMaker(site, name, abilities(site)).make_plan


PLANNERS: dict[str, Callable[[Site], PlanMaker]] = {
    "optimizer": optimizer,
    "rule on prices": price_rule,
    **{
        name: picked(name)
        for name in (StrategyName.SELF_CONSUMPTION, StrategyName.NEGATIVE_PRICE_FIRST)
    },
}


@pytest.mark.parametrize("planner", PLANNERS)
def test_pv_is_throttled_only_where_the_price_less_the_fee_is_a_loss(
    tmp_path: Path, planner: str
) -> None:
    site = site_of(tmp_path)
    plan = PLANNERS[planner](site)(question(0.0, 95.0, site))
    assert [slot.export_limit_w for slot in plan.slots[:4]] == [100.0, 100.0, None, None]


def test_what_the_battery_may_export_is_no_limit_for_the_sun(tmp_path: Path) -> None:
    """Its own floor, however high, says nothing of PV: a slot in which it rests exports it all."""
    site = site_of(tmp_path)
    worn = site.model_copy(
        update={"planner": site.planner.model_copy(update={"wear_cost_per_kwh": 9.0})}
    )
    plan = optimizer(worn)(question(2.0 * SLOT_S, 95.0, site))
    sold = plan.slots[0]
    assert sold.mode is not SlotMode.POWER or sold.battery_power_w >= 0.0
    assert sold.export_limit_w is None
    assert sold.grid_power_w == pytest.approx(LOAD_W - PV_W)


def test_the_limit_is_read_back_in_each_slot_follows_the_car_and_is_lifted_in_time(
    tmp_path: Path,
) -> None:
    seen = quarter_hours(tmp_path, optimizer(site_of(tmp_path)))
    first, second, third = (seen[n * SLOT_S : (n + 1) * SLOT_S] for n in range(3))
    # Read back, not pending: within 5 s of each beginning, and for all of the slot.
    assert {moment.limit_w for moment in first[5:] + second[:-1]} == {100.0}
    assert {moment.limit_w for moment in third[60:]} == {GRID_LIMIT_W}
    # PV follows what is used, before and after the car has come.
    for settled in (first[60:], second[60:CAR_COMES_S], second[CAR_COMES_S + 60 : -1]):
        for moment in settled:
            assert moment.pv_w == pytest.approx(moment.used_w, rel=0.05), moment
    # Full sun again, at the latest a minute after the price is one.
    assert all(moment.pv_w == pytest.approx(PV_W, rel=0.01) for moment in third[60:])
