"""What a year would come to is estimated from nothing but what was known, and as the cycle does."""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from holdfast.backtest.data import SiteData
from holdfast.backtest.foreseen import EVERY_QUARTERS, Foreseen, foresee
from holdfast.backtest.quarter_data import QuarterData
from holdfast.backtest.sizing import SizeCase, Sized, Sizing, TariffCase
from holdfast.backtest.strategies import Strategy
from holdfast.core.config.charges import StandingCharge
from holdfast.markets.tariff_bill import TariffTerms
from holdfast.simulation.demo_site import simulated_site
from tests.backtest.backtest_bench import Shape, measured, run, sunny

SITE = simulated_site()
CASE = SizeCase(battery_kwh=10.24, power_kw=5.0, pv_scale=1.0, tariff="data")
TERMS = TariffTerms(zone=ZoneInfo(SITE.timezone))
YEAR_DAYS = 365.25


def dark(_: float) -> float:
    return 0.0


def sized(
    data: SiteData, *cases: SizeCase, terms: TariffTerms = TERMS, start: int = 0
) -> list[Sized]:
    """Estimates of ``data`` from the row ``start`` on; what is before is history."""
    past = None
    if start:
        past = QuarterData.of(SiteData(step_s=data.step_s, rows=data.rows[:start]))
        data = replace(data, rows=data.rows[start:])
    quarters = QuarterData.of(data)
    sizing = Sizing(SITE, list(foresee(SITE, quarters, past)))
    tariff = TariffCase(name="data", data=quarters, terms=terms)
    return [sizing.estimate(tariff, case) for case in cases or (CASE,)]


def days(count: float, pv_w: Shape = sunny) -> SiteData:
    return measured(24.0 * count, pv_w=pv_w)


def test_self_consumption_comes_to_what_the_cycle_does() -> None:
    """Second by second, with ramp and losses, it is the same to a few per cent."""
    data = days(2)
    (found,) = sized(data)
    ran = run(data, Strategy.SELF_CONSUMPTION)
    per_year = YEAR_DAYS / data.days / 1e3
    assert found.self_consumption.import_kwh == pytest.approx(
        float(ran.import_wh.sum()) * per_year, rel=0.05
    )
    assert found.self_consumption.export_kwh == pytest.approx(
        float(ran.export_wh.sum()) * per_year, rel=0.05
    )


def test_without_sun_only_plans_save_and_all_comes_out_as_by_hand() -> None:
    """Five dear hours a day need 3 kWh: bought at 0.20 in place of 0.40, with losses."""
    (found,) = sized(days(7, dark), start=3 * 96)
    assert found.cost_without_battery == pytest.approx(YEAR_DAYS * 0.6 * (5 * 0.4 + 19 * 0.2))
    assert found.self_consumption.saved < 1.0
    losses = 0.96**2
    by_hand = YEAR_DAYS * 3.0 * (0.40 - 0.20 / losses)
    assert found.plans.saved == pytest.approx(by_hand, rel=0.1)
    assert found.plans_failed == 0


def test_at_one_price_and_without_sun_no_battery_pays() -> None:
    data = measured(24.0 * 4, buy=lambda _: 0.3, pv_w=dark)
    (found,) = sized(data)
    for year in (found.self_consumption, found.plans):
        assert year.saved <= 1.0


def test_more_battery_saves_more_and_does_not_change_what_is_without() -> None:
    sizes = [replace(CASE, battery_kwh=kwh) for kwh in (2.0, 5.0, 12.0)]
    found = sized(days(6), *sizes, start=2 * 96)
    assert len({each.cost_without_battery for each in found}) == 1
    saved = [each.plans.saved for each in found]
    assert saved == sorted(saved)
    assert saved[0] > 0.0
    cycles = [each.self_consumption.full_cycles for each in found]
    assert cycles == sorted(cycles, reverse=True)


def test_more_pv_costs_less() -> None:
    found = sized(days(4), *(replace(CASE, pv_scale=scale) for scale in (0.0, 0.5, 2.0)))
    for costs in (
        [each.cost_without_battery for each in found],
        [each.self_consumption.cost for each in found],
        [each.plans.cost for each in found],
    ):
        assert costs == sorted(costs, reverse=True)
    without_sun = sized(days(4, dark))[0]
    assert found[0].cost_without_battery == pytest.approx(without_sun.cost_without_battery)
    assert found[0].plans.cost == pytest.approx(without_sun.plans.cost)


def test_less_power_saves_less() -> None:
    found = sized(days(5), *(replace(CASE, power_kw=kw) for kw in (0.2, 5.0)))
    assert found[0].self_consumption.saved < found[1].self_consumption.saved
    assert found[0].plans.saved < found[1].plans.saved


def test_results_do_not_depend_on_the_order_of_combinations() -> None:
    cases = [
        replace(CASE, battery_kwh=kwh, power_kw=kw) for kwh in (5.0, 15.0) for kw in (2.0, 6.0)
    ]
    forwards = sized(days(4), *cases)
    backwards = sized(days(4), *reversed(cases))
    assert forwards == backwards[::-1]


def _same(left: Sequence[Foreseen], right: Sequence[Foreseen]) -> bool:
    return all(
        a.index == b.index
        and a.load_w.tolist() == b.load_w.tolist()
        and a.pv_w.tolist() == b.pv_w.tolist()
        for a, b in zip(left, right, strict=True)
    )


def test_nothing_is_foreseen_from_what_comes_later() -> None:
    """Two futures that part at noon of the fifth day are foreseen alike until then."""
    part_h = 24.0 * 4 + 12.0

    def other(hour: float) -> float:
        return 600.0 if hour < part_h else 5000.0

    futures = [
        list(foresee(SITE, QuarterData.of(measured(24.0 * 7, load_w=load_w)), None))
        for load_w in (lambda _: 600.0, other)
    ]
    until = sum(each.index <= part_h * 4 for each in futures[0])
    assert _same(futures[0][:until], futures[1][:until])
    assert not _same(futures[0][until:], futures[1][until:])


def test_no_plan_reaches_over_a_hole_and_only_what_was_measured_counts() -> None:
    whole = days(6)
    hole = range(2 * 96 + 30, 3 * 96 + 50)
    rows = tuple(row for index, row in enumerate(whole.rows) if index not in hole)
    torn = replace(whole, rows=rows, missing=len(hole))
    data = QuarterData.of(torn)
    assert [len(stretch) for stretch in data.stretches] == [hole.start, 6 * 96 - hole.stop]
    seen = list(foresee(SITE, data, None))
    for each in seen:
        ahead = range(each.index, each.index + len(each.load_w))
        assert not set(ahead) & set(hole)
    covered = [index for each in seen for index in range(each.index, each.until)]
    assert covered == [index for stretch in data.stretches for index in stretch]
    assert max(each.until - each.index for each in seen) <= EVERY_QUARTERS
    (found,) = sized(torn)
    (gapless,) = sized(whole)
    assert found.cost_without_battery == pytest.approx(gapless.cost_without_battery, rel=0.2)
    assert found.plans.saved > 0.0


def test_hours_are_four_quarters_of_the_same() -> None:
    hourly = measured(48.0, step_s=3600)
    quarters = QuarterData.of(hourly)
    assert quarters.known == 2 * 96
    assert quarters.load_w.tolist() == [600.0] * (2 * 96)
    assert np.unique(quarters.import_price_per_kwh).tolist() == [0.2, 0.4]


def test_what_the_connection_alone_costs_is_in_every_cost() -> None:
    standing = StandingCharge(name="meter", price=120.0, per="year")
    (plain,) = sized(days(4))
    (charged,) = sized(days(4), terms=replace(TERMS, standing=(standing,)))
    for with_it, without in (
        (charged.cost_without_battery, plain.cost_without_battery),
        (charged.self_consumption.cost, plain.self_consumption.cost),
        (charged.plans.cost, plain.plans.cost),
    ):
        assert with_it - without == pytest.approx(120.0, rel=0.01)
    assert charged.plans.saved == pytest.approx(plain.plans.saved)
