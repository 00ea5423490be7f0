"""A plan does what pays, says why, and never rests on a price that is not there."""

import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.config import Site
from holdfast.core.errors import PriceDataError
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.slot_mode import SlotMode
from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.site_prices import SitePrices, SiteTariffs
from holdfast.markets.sources.entsoe import parse_entsoe
from holdfast.optimization.problem import PlanFailed, PlanProblem, PlanSolution
from holdfast.scheduling import daily_scheduler
from holdfast.scheduling.daily_scheduler import (
    PLAN_LIFETIME,
    DailyScheduler,
)
from holdfast.scheduling.plan_problem import (
    intervals_of,
    plan_problem,
    terminal_value_per_kwh,
)
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.simulation.sample_prices import FIRST_START_UTC, sample_text
from holdfast.site.site_file import parse_site

NOW = datetime(2026, 5, 8, 10, tzinfo=UTC)  # 12:00 in Berlin
QUARTER = timedelta(minutes=15)
YEAR = timedelta(days=366)

_DEVICE = "{profile: generic_inverter, connection: {kind: modbus_tcp, host: localhost}}"
_SITE = f"""
name: test
timezone: Europe/Berlin
grid: {{import_max_w: 15000, export_max_w: 10000}}
meter: {_DEVICE}
emergency_input: {_DEVICE}
prices:
  purchase: {{source: {{kind: file, path: prices.xml}}, levies_per_kwh: 0.10, vat_pct: 20}}
  feed_in: {{source: {{kind: file, path: prices.xml}}}}
storage:
  - name: one
    battery: {{cells_in_series: 16, capacity_wh: 10000, charge_current_max_a: 100,
               discharge_current_max_a: 100}}
    inverter_hardware: {{charge_power_max_w: 5000, discharge_power_max_w: 5000}}
    bms: {_DEVICE}
    inverter: {_DEVICE}
    relays: {_DEVICE}
"""
SITE = parse_site(_SITE)


def exchange(*prices: float | None, hours: float = 1.0, currency: str = "EUR") -> PriceSeries:
    """One price per ``hours`` from NOW on; None is a hole."""
    length = timedelta(hours=hours)
    return PriceSeries(
        currency=currency,
        slots=tuple(
            PriceSlot(
                start_utc=NOW + index * length,
                end_utc=NOW + (index + 1) * length,
                price_per_kwh=price,
            )
            for index, price in enumerate(prices)
            if price is not None
        ),
    )


def power(*hourly_w: float) -> PowerForecast:
    """Hourly means from NOW on; the last one lasts for two days."""
    quarters = [watt for watt in hourly_w for _ in range(4)]
    quarters += [hourly_w[-1]] * (200 - len(quarters))
    return PowerForecast(start_utc=NOW, mean_w=tuple(quarters), basis=Basis.HISTORY)


def make(
    prices: PriceSeries,
    *,
    load: PowerForecast | None = None,
    pv: PowerForecast | None = None,
    soc_pct: float = 50.0,
    now: datetime = NOW,
    site: Site = SITE,
) -> Plan:
    forecast = SiteForecast(load=load or power(500.0), pv=pv or power(0.0))
    return DailyScheduler(site).make_plan(
        PlanQuestion(now_utc=now, soc_pct=soc_pct, prices=owned(prices, site), forecast=forecast)
    )


def owned(prices: PriceSeries, site: Site = SITE) -> SitePrices:
    """What the owner pays and gets at these prices of the exchange."""
    return SiteTariffs(site, lambda *_: prices).prices(NOW - YEAR, NOW + YEAR)


def hour(plan: Plan, index: int) -> tuple[PlanSlot, ...]:
    return plan.slots[4 * index : 4 * index + 4]


def modes(slots: tuple[PlanSlot, ...]) -> set[SlotMode]:
    return {slot.mode for slot in slots}


# What it does


def test_cheap_grid_energy_is_bought_and_the_dear_hour_follows_the_load() -> None:
    plan = make(
        exchange(0.0, 0.3, 0.5, 0.3),
        soc_pct=10,
        load=power(500, 500, 3000, 500),
        site=_without_export(),
    )
    bought = hour(plan, 0)
    assert any(slot.mode is SlotMode.POWER and slot.battery_power_w > 1000 for slot in bought)
    # A fixed power would export when the load is lower than expected, import when higher.
    assert modes(hour(plan, 2)) == {SlotMode.SELF_CONSUMPTION}
    assert all(slot.battery_power_w == pytest.approx(-3000, abs=1) for slot in hour(plan, 2))


def test_energy_is_held_while_a_dearer_hour_is_to_come() -> None:
    plan = make(exchange(0.30, 0.33), soc_pct=30, load=power(500, 4000), site=_without_export())
    assert modes(hour(plan, 0)) == {SlotMode.HOLD}
    assert modes(hour(plan, 1)) == {SlotMode.SELF_CONSUMPTION}


def _without_export() -> Site:
    return SITE.model_copy(update={"grid": SITE.grid.model_copy(update={"export_max_w": 0.0})})


def test_an_empty_battery_in_a_dear_hour_serves_whatever_turns_up() -> None:
    plan = make(exchange(0.5, 0.5), soc_pct=10)
    assert modes(plan.slots) == {SlotMode.SELF_CONSUMPTION}
    assert plan.slots[0].battery_power_w == pytest.approx(0, abs=20)


def test_surplus_is_stored_by_following_the_meter() -> None:
    plan = make(exchange(0.02, 0.02, 0.4, 0.4), pv=power(3000, 3000, 0), soc_pct=10)
    stored = [slot for slot in plan.slots if slot.battery_power_w > 100 and slot.grid_power_w < 100]
    assert stored
    assert modes(tuple(stored)) == {SlotMode.SELF_CONSUMPTION}


def test_surplus_is_exported_while_that_earns_more_than_storing() -> None:
    site = SITE.model_copy(update={"storage": (_smaller(SITE),), "planner": SITE.planner})
    plan = make(
        exchange(0.30, 0.01, 0.01, 0.3), pv=power(4000, 4000, 4000, 0), soc_pct=10, site=site
    )
    for slot in hour(plan, 0):
        assert (slot.mode, slot.battery_power_w) == (SlotMode.POWER, 0.0)
        assert slot.grid_power_w == pytest.approx(-3500, abs=1)
    assert max(slot.soc_end_pct for slot in plan.slots) > 90


def _smaller(site: Site) -> object:
    unit = site.storage[0]
    return unit.model_copy(
        update={"battery": unit.battery.model_copy(update={"capacity_wh": 3000.0})}
    )


def test_energy_is_sold_at_a_peak_with_a_fixed_power() -> None:
    plan = make(exchange(0.02, 0.9, 0.02, 0.02), soc_pct=90)
    sold = hour(plan, 1)
    assert modes(sold) == {SlotMode.POWER}
    assert all(slot.battery_power_w == pytest.approx(-5000, abs=1) for slot in sold)


def test_a_full_battery_is_ready_for_load_rather_than_locked() -> None:
    plan = make(exchange(0.1, 0.1, 0.4), pv=power(4000, 4000, 0), soc_pct=95)
    full = [slot for slot in hour(plan, 0) if slot.soc_end_pct > 94.9]
    assert full
    assert SlotMode.POWER not in modes(tuple(full))


def test_shaving_a_peak_holds_a_power_while_energy_is_worth_more_later() -> None:
    grid = SITE.grid.model_copy(update={"import_max_w": 3000.0, "export_max_w": 0.0})
    plan = make(
        exchange(0.01, 0.9),
        load=power(4000, 5000),
        soc_pct=60,
        site=SITE.model_copy(update={"grid": grid}),
    )
    for slot in hour(plan, 0):
        assert slot.mode is SlotMode.POWER
        assert slot.battery_power_w == pytest.approx(-1000, abs=1)
        assert slot.reason.startswith("keeps the import limit")


def test_at_a_flat_price_the_battery_serves_the_load_today() -> None:
    plan = make(exchange(*[0.2] * 12), soc_pct=80)
    assert modes(plan.slots[:8]) == {SlotMode.SELF_CONSUMPTION}
    assert plan.slots[0].battery_power_w == pytest.approx(-500, abs=1)


def test_the_end_of_the_horizon_is_no_reason_to_sell_everything() -> None:
    plan = make(exchange(*[0.25] * 4), soc_pct=80)
    assert min(slot.grid_power_w for slot in plan.slots) > -20
    assert plan.slots[-1].soc_end_pct > 40


def test_stored_energy_is_never_worth_less_than_nothing() -> None:
    prices = parse_entsoe(sample_text())
    values = [slot.price_per_kwh for slot in prices]
    # At a flat price a use today is worth more.
    assert terminal_value_per_kwh(_array([0.3] * 4), 0.95, 0.02) < 0.99 * 0.28 * 0.95
    assert terminal_value_per_kwh(_array([-0.3] * 4), 0.95, 0.02) == 0.0
    assert min(values) < terminal_value_per_kwh(_array(values), 0.95, 0.02) < sum(values) / 864


def _array(values: list[float]) -> np.ndarray:
    return np.array(values)


# What it says


def test_reasons_name_price_and_local_time() -> None:
    plan = make(
        exchange(0.0, 0.3, 0.5, 0.3),
        soc_pct=10,
        load=power(500, 500, 3000, 500),
        site=_without_export(),
    )
    bought = [slot for slot in hour(plan, 0) if slot.mode is SlotMode.POWER]
    # (0.00 + 0.10) x 1.2 and (0.50 + 0.10) x 1.2; 12:00 UTC is 14:00 in Berlin.
    assert bought[0].reason.startswith("charges: 12.0 ct now, used at 14:")
    assert bought[0].reason.endswith("for 72.0 ct")
    assert hour(plan, 2)[0].reason.startswith("serves the load: saves 72.0 ct per kWh")
    assert bought[0].import_price_per_kwh == pytest.approx(0.12)


def test_reasons_use_the_sites_currency_and_name_another_day() -> None:
    site = SITE.model_copy(update={"currency": "SEK"})
    prices = exchange(*[0.0] * 2, *[0.1] * 18, *[0.9] * 2, currency="SEK")
    plan = make(prices, soc_pct=10, site=site)
    first = next(slot for slot in plan.slots if slot.battery_power_w > 1000)
    assert "0.12 SEK now, used at Sat 08:" in first.reason


# What it rests on


def test_slots_follow_each_other_from_now_to_where_prices_end() -> None:
    now = NOW + timedelta(minutes=7, seconds=30)
    plan = make(exchange(*[0.1] * 5), now=now)
    assert plan.slots[0].start == plan.created == now
    assert plan.slots[0].end == NOW + QUARTER
    assert plan.slots[-1].end == NOW + timedelta(hours=5)
    for before, after in pairwise(plan.slots):
        assert before.end == after.start
        assert after.end - after.start == QUARTER


def test_energy_in_the_rest_of_a_quarter_counts_for_its_length_only() -> None:
    plan = make(exchange(0.5, 0.5), now=NOW + timedelta(minutes=10), load=power(6000), soc_pct=90)
    used_pct = 90 - plan.slots[0].soc_end_pct
    assert used_pct == pytest.approx(5000 * 5 / 60 / 0.96 / 10_000 * 100, abs=0.01)


@pytest.mark.parametrize("left", [timedelta(microseconds=1), timedelta(milliseconds=900)])
def test_the_very_end_of_a_quarter_gives_a_sound_plan(left: timedelta) -> None:
    plan = make(exchange(0.5, 0.1), now=NOW + QUARTER - left, site=_without_export())
    assert plan.slots[0].end - plan.slots[0].start == left
    assert plan.slots[0].battery_power_w == pytest.approx(plan.slots[1].battery_power_w, abs=2)
    assert plan.slots[0].battery_power_w == pytest.approx(-500, abs=2)


def test_a_hole_in_the_prices_ends_the_plan() -> None:
    plan = make(exchange(0.1, 0.1, None, 0.9, 0.9))
    assert plan.slots[-1].end == NOW + timedelta(hours=2)


def test_the_horizon_and_the_forecast_end_the_plan_too() -> None:
    planner = SITE.planner.model_copy(update={"horizon_h": 3.0})
    short = make(exchange(*[0.1] * 9), site=SITE.model_copy(update={"planner": planner}))
    assert short.slots[-1].end == NOW + timedelta(hours=3)
    load = replace(power(500.0), mean_w=(500.0,) * 6)
    assert make(exchange(*[0.1] * 9), load=load).slots[-1].end == NOW + 6 * QUARTER
    pv = replace(power(0.0), mean_w=(0.0,) * 5)
    assert make(exchange(*[0.1] * 9), pv=pv).slots[-1].end == NOW + 5 * QUARTER


def test_a_plan_expires_soon_and_never_outlives_its_prices() -> None:
    assert make(exchange(0.1, 0.1)).expires == NOW + PLAN_LIFETIME
    last = NOW + timedelta(minutes=50)
    assert make(exchange(0.1), now=last).expires == NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    "prices",
    [
        exchange(),
        exchange(None, 0.1),
        exchange(0.1, hours=0.1),
        exchange(0.1, 0.1, currency="SEK"),
    ],
)
def test_without_a_price_for_now_there_is_no_plan(prices: PriceSeries) -> None:
    with pytest.raises(PriceDataError):
        make(prices)


def test_a_site_without_tariff_has_no_plan() -> None:
    with pytest.raises(PriceDataError, match="no prices"):
        make(exchange(0.1), site=SITE.model_copy(update={"prices": None}))


def test_prices_in_another_currency_than_the_sites_are_refused() -> None:
    site = SITE.model_copy(update={"currency": "SEK"})
    prices = owned(exchange(0.1, currency="SEK"), site)
    forecast = SiteForecast(load=power(500.0), pv=power(0.0))
    with pytest.raises(PriceDataError, match="prices are in SEK, the site is in EUR"):
        DailyScheduler(SITE).make_plan(
            PlanQuestion(now_utc=NOW, soc_pct=50.0, prices=prices, forecast=forecast)
        )


def test_a_plan_ends_where_one_of_both_prices_does() -> None:
    long, short = exchange(0.1, 0.1, 0.1), exchange(0.1, 0.1)
    for purchase, feed_in in ((long, short), (short, long)):
        prices = SitePrices(currency="EUR", purchase=purchase, feed_in=feed_in)
        forecast = SiteForecast(load=power(500.0), pv=power(0.0))
        plan = DailyScheduler(SITE).make_plan(
            PlanQuestion(now_utc=NOW, soc_pct=50.0, prices=prices, forecast=forecast)
        )
        assert plan.slots[-1].end == NOW + timedelta(hours=2)


@pytest.mark.parametrize("soc_pct", [math.nan, -0.1, 100.1, math.inf])
def test_a_state_of_charge_that_cannot_be_is_refused(soc_pct: float) -> None:
    with pytest.raises(PlanFailed):
        make(exchange(0.1), soc_pct=soc_pct)


def test_a_naive_time_and_a_forecast_that_begins_later_are_refused() -> None:
    with pytest.raises(PlanFailed, match="aware"):
        make(exchange(0.1), now=NOW.replace(tzinfo=None))
    with pytest.raises(PlanFailed, match="begins at"):
        make(exchange(0.1), load=replace(power(1.0), start_utc=NOW + QUARTER))


def test_limited_authority_plans_no_more_than_it_may_use() -> None:
    site = SITE.model_copy(update={"authority": "limited", "limited_power_w": 700.0})
    plan = make(exchange(0.0, 0.9, 0.0, 0.9), site=site, load=power(3000))
    assert max(abs(slot.battery_power_w) for slot in plan.slots) == pytest.approx(700)


def test_two_units_count_as_one_battery() -> None:
    other = SITE.storage[0].model_copy(update={"name": "two"})
    both = SITE.model_copy(update={"storage": (*SITE.storage, other)})
    plan = make(exchange(0.02, 0.9, 0.02), site=both, soc_pct=90)
    assert min(slot.battery_power_w for slot in plan.slots) == pytest.approx(-10_000 - 0, abs=600)


def test_equal_inputs_give_an_equal_plan_and_other_inputs_another_id() -> None:
    prices = parse_entsoe(sample_text())
    start = FIRST_START_UTC + timedelta(hours=14)
    asked = {"load": _from(start, 600.0), "pv": _from(start, 0.0), "now": start}
    first, second = make(prices, **asked), make(prices, **asked)
    assert first == second
    others = [
        make(prices, **asked, soc_pct=50.1),
        make(prices, **{**asked, "now": start + timedelta(seconds=1)}),
        make(prices, **{**asked, "load": _from(start, 601.0)}),
        make(prices, **asked, site=_without_export()),
    ]
    assert len({first.plan_id, *(plan.plan_id for plan in others)}) == 5


def _from(start: datetime, watt: float) -> PowerForecast:
    return replace(power(watt), start_utc=start)


def test_a_scheduler_that_planned_before_plans_as_a_new_one() -> None:
    prices = owned(parse_entsoe(sample_text()))
    used = DailyScheduler(SITE)
    for step in range(8):
        start = FIRST_START_UTC + timedelta(hours=5 * step)
        forecast = SiteForecast(load=_from(start, 600.0), pv=_from(start, 0.0))
        question = PlanQuestion(
            now_utc=start, soc_pct=20.0 + step, prices=prices, forecast=forecast
        )
        old, new = used.make_plan(question), DailyScheduler(SITE).make_plan(question)
        assert old == new


def test_limits_that_cannot_be_kept_are_admitted() -> None:
    assert make(exchange(0.1, 0.1), soc_pct=5).status is PlanStatus.RELAXED
    assert make(exchange(0.1, 0.1), soc_pct=50).status is PlanStatus.OPTIMAL


def test_powers_a_thousand_times_too_small_are_told() -> None:
    assert "scale wrong" not in make(exchange(0.1, 0.1)).note
    plan = make(exchange(0.1, 0.1), load=power(0.5))
    assert "the load is 0.5 W on the mean: is it 0.5 kW, and a scale wrong?" in plan.note


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.0141, r"up to \d+\.\d\d EUR \(1\.4 %\) less"),
        (3.0, r"up to \d+\.\d\d EUR less"),
        (np.inf, "nobody knows how much less"),
    ],
)
def test_a_search_that_was_cut_short_is_told_with_what_it_may_cost(
    monkeypatch: pytest.MonkeyPatch, share: float, told: str
) -> None:
    solve = DailyScheduler._solve

    def cut(self: DailyScheduler, problem: PlanProblem, *, warm: bool = False) -> PlanSolution:
        found = solve(self, problem, warm=warm)
        less = share * abs(found.objective)
        return replace(found, cut_short=True, bound=found.objective - less)

    monkeypatch.setattr(DailyScheduler, "_solve", cut)
    note = make(exchange(0.1, 0.1)).note
    assert re.search(f"the search was cut short: another plan may cost {told}", note)


def test_a_plan_that_is_kept_is_bounded_by_the_question_and_not_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = parse_site(f"{_SITE}planner: {{change_worth: 100}}\n")
    prices = owned(exchange(0.10, 0.60, 0.10, 0.60), site)
    forecast = SiteForecast(load=power(500.0), pv=power(0.0))
    intervals = intervals_of(site, NOW, prices, forecast)
    problem = plan_problem(site, 50.0, intervals, prices, forecast)
    rest = np.zeros(problem.slots)
    monkeypatch.setattr(daily_scheduler, "keeping", lambda *_: (rest, rest))
    scheduler = DailyScheduler(site)
    best = scheduler._solve(problem)
    kept = scheduler._steady(problem, intervals, make(exchange(0.1, 0.1)))
    assert not kept.battery_w.any()
    assert kept.objective > best.objective + 0.1
    assert kept.bound == best.bound


def test_below_its_minimum_the_battery_charges_and_says_so() -> None:
    plan = make(exchange(0.5, 0.5), soc_pct=2)
    assert plan.slots[0].mode is SlotMode.POWER
    assert plan.slots[0].reason.startswith("charges: below its minimum")


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(-0.5, 0.9), min_size=1, max_size=12),
    st.lists(st.floats(0, 9000), min_size=1, max_size=12),
    st.lists(st.floats(0, 9000), min_size=1, max_size=12),
    st.floats(0, 100),
    st.integers(0, 899),
)
def test_every_plan_is_finite_and_inside_what_the_battery_can_do(
    prices: list[float], load: list[float], pv: list[float], soc_pct: float, seconds: int
) -> None:
    now = NOW + timedelta(seconds=seconds)
    plan = make(exchange(*prices), load=power(*load), pv=power(*pv), soc_pct=soc_pct, now=now)
    assert math.isfinite(plan.expected_cost)
    assert plan.slots[0].start == now < plan.expires <= plan.slots[-1].end
    for slot in plan.slots:
        assert -5000.001 <= slot.battery_power_w <= 5000.001
        assert 0 <= slot.soc_end_pct <= 100
        assert math.isfinite(slot.grid_power_w)
        assert slot.reason
