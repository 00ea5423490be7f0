"""Loads that wait, where feed-in earns more than purchase costs: a good answer, and its bound."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.direct_milp import best_objective
from benchmarks.hard_plans import BATTERY, KINDS, Kind, hard_problem, house_with_loads
from holdfast.core.plan import PlanStatus
from holdfast.optimization import site_model
from holdfast.optimization.load_search import Searched, search
from holdfast.optimization.priced_loads import PricedLoads, can_be_priced
from holdfast.optimization.problem import Array
from holdfast.optimization.site_model import solve_site
from holdfast.optimization.site_problem import (
    ModeRules,
    PeakPrice,
    ShiftableLoad,
    SiteProblem,
    SiteSolution,
)

_SLOTS = 10


@pytest.fixture(autouse=True)
def _with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is found in a time depends on the computer."""
    monkeypatch.setitem(site_model._OPTIONS, "time_limit", 600.0)


def drawn(number: int) -> SiteProblem:
    """A small house, every one unlike: prices, PV, limits, and loads of both kinds."""
    random = np.random.default_rng(number)
    kind = KINDS[int(random.integers(len(KINDS)))]
    base = replace(
        hard_problem(kind, _SLOTS, number),
        pv_w=random.uniform(0.0, 6_000.0, _SLOTS) * random.integers(0, 2, _SLOTS),
        pv_curtailable=bool(random.integers(2)),
        pv_switchable=bool(random.integers(2)),
        import_max_w=float(random.choice([3_500.0, 6_000.0, 25_000.0])),
        export_max_w=float(random.choice([0.0, 2_000.0, 10_000.0])),
    )
    if not base.pv_curtailable:
        base = replace(base, export_max_w=max(base.export_max_w, 6_000.0))
    loads = []
    for index in range(int(random.integers(1, 4))):
        first, through = int(random.integers(0, 4)), bool(random.integers(2))
        loads.append(
            ShiftableLoad(
                name=f"load {index}",
                energy_wh=float(random.integers(1, 6)) * 200.0,
                power_max_w=float(random.choice([800.0, 2_000.0])),
                first_slot=first,
                last_slot=int(random.integers(first + 2, _SLOTS)),
                runs_through=through,
                has_begun=through and bool(random.integers(2)),
                planned_w=400.0 if first == 0 and random.integers(2) else None,
            )
        )
    battery = replace(BATTERY, soc_now_wh=float(random.uniform(1_000.0, 9_500.0)))
    return SiteProblem(base=base, batteries=(battery,), loads=tuple(loads), change_cost=0.01)


def by_whole_numbers(problem: SiteProblem, monkeypatch: pytest.MonkeyPatch) -> SiteSolution:
    with monkeypatch.context() as patched:
        patched.setattr(site_model, "_MANY_SLOTS", _SLOTS + 1)
        return solve_site(problem)


def by_prices(problem: SiteProblem, monkeypatch: pytest.MonkeyPatch) -> SiteSolution:
    with monkeypatch.context() as patched:
        patched.setattr(site_model, "_MANY_SLOTS", 0)
        return solve_site(problem)


@pytest.mark.parametrize("number", range(60))
def test_nothing_is_better_than_the_best_nor_worse_than_the_bound_says(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = drawn(number)
    assert can_be_priced(asked)
    best, found = by_whole_numbers(asked, monkeypatch), by_prices(asked, monkeypatch)
    near = 2e-4 * abs(best.cost) + 1e-4
    assert found.cost >= best.cost - near
    gap = found.plan.objective - found.plan.bound
    assert found.cost - gap <= best.cost + near
    assert gap >= 0.0
    assert found.plan.cut_short or found.cost <= best.cost + 2.0 * near + 1e-3


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_whatever_a_load_would_pay_the_bound_holds(number: int, prices: int) -> None:
    asked = drawn(number)
    random = np.random.default_rng(prices)
    price = random.uniform(-0.5, 0.5, (len(asked.loads), _SLOTS))
    for row, load in zip(price, asked.loads, strict=True):
        if not load.runs_through:
            row[:] = row[0]
    best = solve_site(asked)
    assert PricedLoads(asked).at(price).bound <= best.cost + 2e-4 * abs(best.cost) + 1e-4


@pytest.mark.parametrize("kind", KINDS[1:], ids=lambda kind: kind.name)
def test_a_house_costs_hardly_more_than_a_direct_program_finds(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    boiler = ShiftableLoad(
        name="boiler", energy_wh=3_000, power_max_w=2_000, first_slot=0, last_slot=30
    )
    washer = ShiftableLoad(
        name="washer",
        energy_wh=1_000,
        power_max_w=1_000,
        first_slot=10,
        last_slot=30,
        runs_through=True,
    )
    asked = SiteProblem(
        base=hard_problem(kind, 32, 1), batteries=(BATTERY,), loads=(boiler, washer)
    )
    found = by_prices(asked, monkeypatch).plan
    best = best_objective(asked.base, asked.loads)
    assert best - 1e-4 * abs(best) <= found.objective <= best + 1e-3 * abs(best)
    assert found.bound <= best + 1e-4 * abs(best)


def test_two_days_of_it_are_told_with_a_bound_close_by() -> None:
    found = solve_site(house_with_loads(KINDS[2], 192, 0))
    plan = found.plan
    assert found.relaxed == ()
    assert plan.objective - plan.bound <= 2e-3 * abs(plan.objective)
    assert plan.status is PlanStatus.BEST_FOUND
    assert plan.cut_short


def test_the_same_question_has_the_same_answer() -> None:
    asked = drawn(7)
    first, second = solve_site(asked), solve_site(asked)
    assert (first.plan.battery_w == second.plan.battery_w).all()
    assert first.plan.bound == second.plan.bound


def test_a_plan_that_would_be_late_is_the_best_so_far_and_says_what_it_may_cost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = iter([False] * 4 + [True])
    late = search

    def hurried(*asked: Any, **how: Any) -> Searched:
        return late(*asked, **how | {"is_late": lambda: next(steps)})

    monkeypatch.setattr(site_model, "search", hurried)
    plan = solve_site(house_with_loads(KINDS[2], 192, 0)).plan
    assert next(steps, None) is None
    assert plan.cut_short
    assert 1e-3 < (plan.objective - plan.bound) / abs(plan.objective) < 0.05


def test_a_load_without_time_for_its_energy_is_short_of_it_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = drawn(3)
    car = ShiftableLoad(name="car", energy_wh=3_000, power_max_w=2_000, first_slot=2, last_slot=4)
    asked = replace(asked, loads=(car,), base=replace(asked.base, import_max_w=25_000.0))
    found = by_prices(asked, monkeypatch)
    assert found.short_wh == pytest.approx([1_500.0], abs=0.1)
    assert found.plan.objective - found.plan.bound <= 0.01


def floor(asked: SiteProblem) -> Array:
    return np.full(asked.base.slots, 2_000.0)


def test_what_joins_slots_beside_battery_and_loads_is_left_to_whole_numbers() -> None:
    asked = drawn(2)
    base, battery = asked.base, asked.batteries[0]
    others = (
        replace(asked, loads=()),
        replace(asked, batteries=(battery, battery)),
        replace(asked, demand=(PeakPrice(cost_per_kw=1.0),)),
        replace(asked, modes=ModeRules()),
        replace(asked, base=replace(base, sells_stored=False)),
        replace(asked, base=replace(base, floor_wh=floor(asked), ceiling_wh=9.0 * floor(asked))),
        replace(asked, base=replace(base, least_w=-floor(asked), most_w=floor(asked))),
        replace(asked, batteries=(replace(battery, deep_wear_cost_per_kwh=0.1),)),
        replace(asked, batteries=(replace(battery, soc_now_wh=500.0),)),
        replace(asked, batteries=(replace(battery, soc_now_wh=9_900.0),)),
        replace(asked, batteries=(replace(battery, soc_final_min_wh=5_000.0),)),
        replace(asked, base=replace(base, import_max_w=10.0)),
        replace(asked, base=replace(base, export_max_w=10.0, pv_curtailable=False)),
    )
    assert can_be_priced(asked)
    assert not any(can_be_priced(other) for other in others)
