"""The optimizer's answer is the best there is, and always one that a battery can follow."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.direct_milp import best_objective
from benchmarks.hard_plans import BATTERY
from holdfast.core.plan import PlanStatus
from holdfast.optimization.answer import build_solution
from holdfast.optimization.model import PlanModel, PlanModels
from holdfast.optimization.problem import (
    BatteryModel,
    PlanFailed,
    PlanProblem,
    PlanSolution,
    SlackGroup,
)
from tests.optimization.oracle import follow


def problem(
    prices: list[float],
    *,
    sold: list[float] | None = None,
    load_w: float = 500.0,
    pv_w: float | list[float] = 0.0,
    import_max_w: float = 10_000,
    export_max_w: float = 10_000,
    **battery: float,
) -> PlanProblem:
    slots = len(prices)
    return PlanProblem(
        dt_h=np.full(slots, 0.25),
        import_price_per_kwh=np.array(prices),
        export_price_per_kwh=np.array(sold or [min(price, 0.05) for price in prices]),
        load_w=np.full(slots, float(load_w)),
        pv_w=np.broadcast_to(np.asarray(pv_w, dtype=np.float64), (slots,)).copy(),
        import_max_w=import_max_w,
        export_max_w=export_max_w,
        battery=replace(BATTERY, **battery),
    )


def solve(asked: PlanProblem) -> PlanSolution:
    return PlanModel(asked.slots).solve(asked)


def prices(low: float, high: float, slots: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(low, high), min_size=slots, max_size=slots)


@st.composite
def problems(
    draw: st.DrawFn, *, low: float = 0.0, export_above_import: bool = False, relaxed: bool = False
) -> PlanProblem:
    slots = draw(st.integers(1, 10))
    bought = np.array(draw(prices(low, 0.5, slots)))
    spread = np.array(draw(prices(-0.1 if export_above_import else 0.0, 0.3, slots)))
    soc_min_wh, soc_max_wh = draw(st.sampled_from([(1_000, 9_500), (0, 10_000), (4_000, 6_000)]))
    soc_range = (0, 10_000) if relaxed else (soc_min_wh, soc_max_wh)
    grid_limits = st.floats(0, 6_000) if relaxed else st.floats(9_000, 20_000)
    return PlanProblem(
        dt_h=np.array(
            draw(st.lists(st.sampled_from([0.01, 0.25, 1.0]), min_size=slots, max_size=slots))
        ),
        import_price_per_kwh=bought,
        export_price_per_kwh=bought - spread,
        load_w=np.array(draw(prices(0, 8_000, slots))),
        pv_w=np.array(draw(prices(0, 8_000, slots))),
        import_max_w=draw(grid_limits),
        export_max_w=draw(grid_limits),
        battery=replace(
            BATTERY,
            soc_min_wh=soc_min_wh,
            soc_max_wh=soc_max_wh,
            soc_now_wh=draw(st.floats(*soc_range)),
            charge_max_w=draw(st.sampled_from([0.0, 1_000.0, 5_000.0])),
            wear_cost_per_kwh=draw(st.sampled_from([0.0, 0.03])),
            terminal_value_per_kwh=draw(st.floats(0, 0.4)),
            ageing_cost_per_kwh_h=draw(st.sampled_from([0.0, 0.0, 0.01])),
            ageing_above_wh=5_000.0,
        ),
        pv_curtailable=draw(st.booleans()),
        pv_switchable=draw(st.booleans()),
    )


@settings(max_examples=150, deadline=None)
@given(problems(low=-0.5, export_above_import=True))
def test_the_answer_is_the_exact_optimum_at_any_prices(asked: PlanProblem) -> None:
    solution = solve(asked)
    best = best_objective(asked)
    assert solution.status is PlanStatus.OPTIMAL
    assert solution.objective == pytest.approx(best, rel=1e-4, abs=2e-6)
    assert solution.bound <= best + 2e-6
    assert solution.bound == pytest.approx(best, rel=1e-4, abs=2e-6)
    assert follow(asked, solution) == pytest.approx(solution.objective, abs=1e-5)


@settings(max_examples=80, deadline=None)
@given(problems(low=-0.5, export_above_import=True, relaxed=True))
def test_there_is_an_answer_whatever_is_asked(asked: PlanProblem) -> None:
    solution = solve(asked)
    follow(asked, solution)
    assert (solution.status is PlanStatus.RELAXED) == bool(solution.relaxed)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(problems(low=-0.2, relaxed=True).filter(lambda p: p.slots > 3), min_size=2, max_size=5)
)
def test_a_model_that_was_used_before_answers_as_a_new_one(asked: list[PlanProblem]) -> None:
    slots = min(item.slots for item in asked)
    model = PlanModel(slots)
    for item in (_first_slots(item, slots) for item in asked):
        assert model.solve(item).objective == pytest.approx(solve(item).objective, abs=1e-5)


def _first_slots(asked: PlanProblem, slots: int) -> PlanProblem:
    return replace(
        asked,
        dt_h=asked.dt_h[:slots],
        import_price_per_kwh=asked.import_price_per_kwh[:slots],
        export_price_per_kwh=asked.export_price_per_kwh[:slots],
        load_w=asked.load_w[:slots],
        pv_w=asked.pv_w[:slots],
    )


def test_another_efficiency_is_taken_up() -> None:
    asked = problem([0.05, 0.4], soc_now_wh=1_000)
    model = PlanModel(2)
    model.solve(asked)
    worse = replace(asked, battery=replace(asked.battery, charge_efficiency=0.7))
    assert solve(worse).objective > solve(asked).objective
    assert model.solve(worse).objective == pytest.approx(solve(worse).objective)


def test_it_buys_cheap_and_serves_dear() -> None:
    solution = solve(problem([0.05] * 4 + [0.40] * 4, soc_now_wh=1_000))
    assert (solution.battery_w[:4] >= -1e-6).all()
    assert solution.battery_w[:4].max() > 500
    assert solution.grid_w[4:] == pytest.approx(0, abs=0.1)


def test_wear_above_the_spread_stops_the_trade() -> None:
    spread = [0.20] * 4 + [0.30] * 4
    cheap = solve(problem(spread, wear_cost_per_kwh=0.01, terminal_value_per_kwh=0.0))
    dear = solve(problem(spread, wear_cost_per_kwh=0.50, terminal_value_per_kwh=0.0))
    assert cheap.battery_w.min() < -400
    assert np.abs(dear.battery_w).max() < 1


def test_a_terminal_value_keeps_the_energy() -> None:
    dumped = solve(problem([0.3] * 4, terminal_value_per_kwh=0.0))
    kept = solve(problem([0.3] * 4, terminal_value_per_kwh=0.5))
    assert dumped.soc_wh[-1] < 5_000 < kept.soc_wh[-1]


def test_below_its_minimum_the_battery_is_led_back_first() -> None:
    solution = solve(problem([0.5] * 8, soc_now_wh=200))
    assert solution.relaxed == (SlackGroup.SOC,)
    assert solution.battery_w[0] > 0
    assert solution.soc_wh[-1] >= 1_000 - 0.01


def test_above_its_maximum_the_battery_serves_the_load_and_is_not_made_to_export() -> None:
    solution = solve(problem([0.1] * 8, soc_now_wh=9_900, terminal_value_per_kwh=0.3))
    assert solution.relaxed == (SlackGroup.SOC,)
    assert (solution.grid_w >= -0.1).all()
    assert solution.soc_wh[-1] <= 9_500 + 0.01


def test_a_load_above_the_import_limit_is_met_by_the_battery_then_admitted() -> None:
    able = solve(problem([0.1] * 4, load_w=4_000, import_max_w=1_000))
    assert able.status is PlanStatus.OPTIMAL
    assert able.grid_w.max() <= 1_000.1
    unable = solve(problem([0.1] * 4, load_w=9_000, import_max_w=1_000))
    assert unable.relaxed == (SlackGroup.IMPORT_LIMIT,)
    assert unable.battery_w[:3] == pytest.approx(-4_000)


def test_surplus_above_the_export_limit_is_stored_then_curtailed() -> None:
    able = solve(problem([0.1] * 4, pv_w=4_000, export_max_w=0))
    assert able.status is PlanStatus.OPTIMAL
    assert able.battery_w == pytest.approx(3_500)
    unable = solve(problem([0.1] * 4, pv_w=9_000, export_max_w=0))
    assert unable.relaxed == (SlackGroup.EXPORT_LIMIT,)
    assert unable.curtailed_w[0] == pytest.approx(3_500)
    assert unable.grid_w == pytest.approx(0, abs=0.2)


def test_the_value_of_stored_energy_is_what_one_more_kwh_saves() -> None:
    asked = problem([0.10, 0.20, 0.30, 0.40], terminal_value_per_kwh=0.0, soc_now_wh=1_100)
    more = replace(asked, battery=replace(asked.battery, soc_now_wh=1_101))
    gain_per_kwh = (solve(asked).objective - solve(more).objective) * 1000
    assert solve(asked).stored_value_per_kwh[0] == pytest.approx(gain_per_kwh, rel=1e-3)
    assert gain_per_kwh == pytest.approx(0.10 / 0.95, rel=1e-3)  # it need not be bought


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    asked = problem([0.1, 0.2])
    for name in ("dt_h", "import_price_per_kwh", "export_price_per_kwh", "load_w", "pv_w"):
        with pytest.raises(PlanFailed):
            replace(asked, **{name: np.array([0.1, bad])})
    for name in ("import_max_w", "export_max_w"):
        with pytest.raises(PlanFailed):
            replace(asked, **{name: bad})
    for name in BatteryModel.__slots__:
        with pytest.raises(PlanFailed, match=name):
            replace(BATTERY, **{name: bad})


@pytest.mark.parametrize(
    "change",
    [
        {"soc_min_wh": 9_600},
        {"soc_max_wh": 10_001},
        {"soc_now_wh": -1},
        {"soc_now_wh": 10_001},
        {"charge_max_w": -1},
        {"discharge_max_w": -1},
        {"charge_efficiency": 0},
        {"discharge_efficiency": 1.01},
        {"wear_cost_per_kwh": -0.01},
        {"ageing_cost_per_kwh_h": -0.01},
        {"ageing_above_wh": 10_001},
        {"soc_final_min_wh": -1},
    ],
)
def test_what_no_battery_can_be_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(PlanFailed):
        replace(BATTERY, **change)


def test_slots_without_length_and_arrays_of_other_lengths_are_refused() -> None:
    asked = problem([0.1, 0.2])
    for wrong in (np.zeros(2), np.ones(3), np.array([]), np.ones((2, 1)), np.array([1, 1])):
        with pytest.raises(PlanFailed):
            replace(asked, dt_h=wrong)
    with pytest.raises(PlanFailed):
        replace(asked, load_w=np.array([-1.0, 0.0]))
    with pytest.raises(PlanFailed, match="3 slots was asked for 2"):
        PlanModel(3).solve(asked)


def test_a_battery_that_must_discharge_a_little_may_still_be_paid_to_charge() -> None:
    # Burning pays in the first slot, yet the battery is above its maximum and has to serve
    # the load: the stronger direction alone cannot keep that limit.
    asked = replace(
        problem(
            [-0.125, 0.0, 0.0, 0.0],
            sold=[-0.125, 0.0, 0.0, 0.0],
            import_max_w=7.5,
            export_max_w=0.0,
            soc_min_wh=4_000,
            soc_max_wh=6_000,
            soc_now_wh=6_010,
            charge_max_w=1_000,
            wear_cost_per_kwh=0.0,
            terminal_value_per_kwh=0.0,
        ),
        dt_h=np.full(4, 0.01),
        load_w=np.array([5.0, 0.0, 0.0, 0.0]),
    )
    solution = solve(asked)
    follow(asked, solution)
    assert solution.soc_wh[0] < 6_010 - 0.03


def test_an_answer_that_no_battery_could_follow_does_not_leave() -> None:
    asked = problem([0.1] * 4, soc_now_wh=9_000)
    with pytest.raises(PlanFailed, match="stored after slot 0"):
        build_solution(asked, np.array([1.0, 0.0, 0.0, 0.0]), np.zeros(4), cost=0.0, bound=0.0)


def test_an_answer_that_costs_something_else_than_it_says_does_not_leave() -> None:
    asked = problem([0.1] * 4)
    true_cost = 4 * 0.125 * 0.1 - 0.1 * 5.0
    nothing = np.zeros(4)
    build_solution(asked, nothing, nothing, cost=true_cost, bound=true_cost)
    with pytest.raises(PlanFailed, match="as it says"):
        build_solution(asked, nothing, nothing, cost=true_cost - 0.01, bound=true_cost)


def test_pv_is_curtailed_where_export_costs_and_only_if_it_may_be() -> None:
    asked = problem([0.3] * 4, sold=[-0.1] * 4, pv_w=3_000, charge_max_w=0.0)
    kept = solve(asked)
    assert kept.curtailed_w == pytest.approx(0.0)
    assert kept.grid_w == pytest.approx(-2_500)
    curtailed = solve(replace(asked, pv_curtailable=True))
    assert curtailed.curtailed_w == pytest.approx(2_500)
    assert curtailed.status is PlanStatus.OPTIMAL


@pytest.mark.parametrize(("pv_w", "grid_w"), [(3_000, 0.0), (300, 200.0)])
def test_pv_that_is_used_makes_no_way_for_import_that_is_paid_for(
    pv_w: float, grid_w: float
) -> None:
    """An export limit cannot throttle it."""
    asked = problem([-0.1] * 4, sold=[-0.01] * 4, pv_w=pv_w, charge_max_w=0.0)
    curtailed = solve(replace(asked, pv_curtailable=True))
    assert curtailed.curtailed_w == pytest.approx(max(pv_w - 500.0, 0.0))
    assert curtailed.grid_w == pytest.approx(grid_w, abs=1e-6)


def test_what_shall_be_stored_at_the_end_is_or_is_told_not_to_be() -> None:
    able = solve(problem([0.3] * 8, soc_final_min_wh=9_000, terminal_value_per_kwh=0.0))
    assert able.status is PlanStatus.OPTIMAL
    assert able.soc_wh[-1] == pytest.approx(9_000, abs=0.5)
    unable = solve(problem([0.3], soc_final_min_wh=9_000, terminal_value_per_kwh=0.0))
    assert unable.relaxed == (SlackGroup.FINAL_SOC,)
    assert unable.battery_w[0] == pytest.approx(5_000, abs=1)


def test_a_full_battery_that_ages_is_filled_as_late_as_it_can_be() -> None:
    day = [0.10] * 8 + [0.40] * 4
    asked = problem(day, soc_now_wh=1_000, discharge_max_w=8_000, load_w=3_000)
    soon = solve(asked)
    ageing = {"ageing_cost_per_kwh_h": 0.01, "ageing_above_wh": 2_000.0}
    late = solve(replace(asked, battery=replace(asked.battery, **ageing)))
    assert late.soc_wh[7] == pytest.approx(soon.soc_wh[7], abs=1.0)
    assert late.soc_wh[:7].sum() < soon.soc_wh[:7].sum() - 1_000
    assert late.objective > soon.objective


def test_an_answer_depends_on_nothing_that_was_solved_before() -> None:
    """Many answers cost the same here, and questions differ in how many pieces their curves have:
    a program that is larger than it need be finds another one of them."""
    chance, slots = np.random.default_rng(1), 96
    sun_w = np.maximum(0.0, 4000.0 * np.sin(np.arange(slots) / slots * 2.0 * np.pi))
    used = PlanModel(slots)
    for number in range(60):
        price = chance.uniform(0.1, 0.4, slots) if number % 4 else np.full(slots, 0.3)
        plain = problem(
            np.round(price, 1).tolist(),
            sold=(np.full(slots, 0.08) if number % 3 else 0.9 * price).tolist(),
            load_w=600.0,
            pv_w=sun_w.tolist() if number % 7 > 2 else 0.0,
            export_max_w=10_000.0 if number % 2 else 2000.0,
            soc_now_wh=5000.0,
            terminal_value_per_kwh=0.1,
        )
        load_w = plain.load_w if number % 2 else chance.uniform(0.0, 2000.0, slots)
        asked = replace(plain, load_w=load_w, sells_stored=bool(number % 2))
        old, new = used.solve(asked, warm=False), PlanModel(slots).solve(asked)
        assert old.battery_w.tolist() == new.battery_w.tolist(), number


def test_models_that_were_used_last_are_kept() -> None:
    models = PlanModels(2)
    first, second = models.of(4), models.of(5)
    assert models.of(4) is first
    models.of(6)
    assert models.of(4) is first
    assert models.of(5) is not second
