"""Marks are as good as the exact optimum where all is known, and better where it is not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hard_plans import BATTERY
from holdfast.core.errors import PlanFailed
from holdfast.optimization.model import PlanModel
from holdfast.optimization.problem import Array, PlanProblem
from holdfast.optimization.scenarios import (
    LEVELS,
    Marks,
    ScenarioProblem,
    cost_to_come,
    find_marks,
    follow_marks,
)
from holdfast.optimization.slot_cost import build_curves
from holdfast.optimization.storage_limits import stored_limits
from tests.optimization.test_plan_model import problem

NIGHT_AND_DAY = [0.20] * 24 + [0.40] * 16 + [0.30] * 24 + [0.45] * 32


def cost(asked: PlanProblem, marks: Marks) -> float:
    """What comes of marks, priced by the curves that the exact program has."""
    return cost_of(asked, follow_marks(asked, marks))


def cost_of(asked: PlanProblem, gained_kwh: Array) -> float:
    """What it costs to store so much more in each slot."""
    stored_kwh = asked.battery.soc_now_wh / 1e3 + np.cumsum(gained_kwh)
    limits = stored_limits(asked)
    assert (stored_kwh >= limits.low_kwh - 1e-6).all()
    assert (stored_kwh <= limits.high_kwh + 1e-6).all()
    return float(build_curves(asked).cost_at(gained_kwh).sum()) + limits.cost_of(stored_kwh)


def as_it_is(asked: PlanProblem) -> ScenarioProblem:
    return ScenarioProblem(base=asked, load_w=asked.load_w[None], pv_w=asked.pv_w[None])


def with_sun(asked: PlanProblem, *suns: float) -> ScenarioProblem:
    """As many paths as there are suns: PV is so many times what is expected."""
    return ScenarioProblem(
        base=asked,
        load_w=np.repeat(asked.load_w[None], len(suns), axis=0),
        pv_w=np.array(suns)[:, None] * asked.pv_w,
    )


def on_path(question: ScenarioProblem, path: int) -> PlanProblem:
    return replace(question.base, load_w=question.load_w[path], pv_w=question.pv_w[path])


def house(**battery: float) -> PlanProblem:
    """A day of a house: a cheap night, and PV at noon of which much cannot be stored."""
    pv_w = 5000.0 * np.maximum(np.sin((np.arange(96) - 28) / 40 * np.pi), 0.0)
    pv_w[68:] = pv_w[:20] = 0.0
    battery = {"soc_now_wh": 2000.0} | battery
    return problem(NIGHT_AND_DAY, load_w=1500.0, pv_w=pv_w.tolist(), **battery)


@settings(max_examples=40)
@given(
    st.lists(st.floats(0.05, 0.5), min_size=2, max_size=12),
    st.lists(st.floats(0.0, 6000.0), min_size=12, max_size=12),
    st.lists(st.floats(0.0, 6000.0), min_size=12, max_size=12),
    st.floats(1000.0, 9500.0),
)
def test_where_all_is_known_nothing_better_is_missed_by_more_than_the_levels_leave(
    prices: list[float], load_w: list[float], pv_w: list[float], soc_now_wh: float
) -> None:
    slots = len(prices)
    asked = problem(prices, pv_w=pv_w[:slots], soc_now_wh=soc_now_wh)
    asked = replace(asked, load_w=np.array(load_w[:slots]))
    best = PlanModel(slots).solve(asked).objective
    found = cost(asked, find_marks(as_it_is(asked)))
    level_kwh = (asked.battery.soc_max_wh - asked.battery.soc_min_wh) / 1e3 / (LEVELS - 1)
    assert best - 1e-3 <= found <= best + 2.0 * slots * level_kwh * max(prices)


def test_a_night_that_is_cheap_is_used_as_the_exact_program_does() -> None:
    asked = house()
    found = cost(asked, find_marks(as_it_is(asked)))
    assert found == pytest.approx(PlanModel(96).solve(asked).objective, abs=0.02)


def test_where_the_sun_is_not_known_less_is_bought_for_what_it_may_bring() -> None:
    """Half of the days are dull: what is bought in the night is between what each would take."""
    asked = house()
    bought = [
        float(find_marks(with_sun(asked, *suns)).table_kwh[:24, 0].max())
        for suns in ((0.1,), (0.1, 1.9), (1.9,))
    ]
    assert bought[0] > bought[1] > bought[2]


def test_what_is_planned_for_all_that_may_come_costs_less_than_what_is_planned_for_its_mean() -> (
    None
):
    question = with_sun(house(), 0.1, 0.4, 1.0, 1.6, 1.9)
    against_all, against_mean = find_marks(question), find_marks(as_it_is(question.base))

    def expected(marks: Marks) -> float:
        return sum(cost(on_path(question, path), marks) for path in range(5)) / 5

    assert expected(against_all) < expected(against_mean) - 0.003


def test_ways_that_all_agree_are_one() -> None:
    asked = house()
    one, many = find_marks(as_it_is(asked)), find_marks(with_sun(asked, *[1.0] * 12))
    assert one.table_kwh == pytest.approx(many.table_kwh)


def test_a_way_that_counts_for_little_changes_little() -> None:
    question = with_sun(house(), 0.1, 1.9)
    dull = replace(question, weight=np.array([1e6, 1.0]))
    bought = [float(find_marks(each).table_kwh[:24, 0].max()) for each in (question, dull)]
    only = float(find_marks(as_it_is(on_path(question, 0))).table_kwh[:24, 0].max())
    assert bought[0] < bought[1] == pytest.approx(only)


@pytest.mark.parametrize("weight", [[1.0], [0.0, 1.0], [np.nan, 1.0], [np.inf, 1.0]])
def test_a_way_counts_for_something(weight: list[float]) -> None:
    with pytest.raises(PlanFailed, match="weight is not one number above 0 a path"):
        replace(with_sun(house(), 0.1, 1.9), weight=np.array(weight))


def test_marks_are_in_order_whatever_the_prices() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        bought, sold = random.uniform(-0.2, 0.5, (2, 24))
        asked = replace(
            problem(bought.tolist(), sold=sold.tolist()), pv_w=random.uniform(0, 6000, 24)
        )
        marks = find_marks(with_sun(asked, 0.2, 1.0, 1.8))
        assert (marks.table_kwh[:, 0] <= marks.table_kwh[:, 2]).all()
        assert (marks.table_kwh[:, 0] <= marks.table_kwh[:, 1]).all()
        assert (marks.table_kwh[:, 2] <= marks.table_kwh[:, 3]).all()
        assert (marks.table_kwh[:, 0] >= marks.lowest_kwh).all()
        assert (marks.table_kwh[:, 3] <= marks.highest_kwh).all()


def test_what_is_to_come_costs_what_following_the_marks_does() -> None:
    asked = house()
    levels_kwh, to_come = cost_to_come(as_it_is(asked))
    found = float(np.interp(asked.battery.soc_now_wh / 1e3, levels_kwh, to_come))
    assert found == pytest.approx(cost(asked, find_marks(as_it_is(asked))), rel=0.02)


def test_the_more_is_stored_the_less_is_to_come() -> None:
    levels_kwh, to_come = cost_to_come(with_sun(house(), 0.2, 1.0, 1.8))
    assert (np.diff(levels_kwh) > 0.0).all()
    assert (np.diff(to_come) <= 1e-9).all()


def test_what_others_have_asked_for_is_done_whatever_it_is_worth() -> None:
    asked = house()
    fixed_w = np.full(96, -5000.0), np.full(96, 5000.0)
    fixed_w[0][4:8] = fixed_w[1][4:8] = 1500.0
    bound = replace(asked, least_w=fixed_w[0], most_w=fixed_w[1])
    gained_kwh = follow_marks(bound, find_marks(as_it_is(bound)))
    efficiency = asked.battery.charge_efficiency
    assert gained_kwh[4:8] == pytest.approx(np.full(4, 1.5 / 4 * efficiency))


def test_a_battery_below_its_minimum_is_led_back() -> None:
    asked = house(soc_min_wh=3000.0)
    stored_kwh = 2.0 + np.cumsum(follow_marks(asked, find_marks(as_it_is(asked))))
    assert stored_kwh[3] >= 3.0 - 1e-6


def test_nothing_stored_is_sold_where_that_is_not_allowed() -> None:
    asked = replace(house(), sells_stored=False, export_price_per_kwh=np.full(96, 0.9))
    gained_kwh = follow_marks(asked, find_marks(as_it_is(asked)))
    given_kwh = -np.minimum(gained_kwh, 0.0) * asked.battery.discharge_efficiency
    assert (given_kwh <= asked.deficit_w / 4e3 + 1e-9).all()


@pytest.mark.parametrize(
    ("load_w", "pv_w", "words"),
    [
        (np.ones((3, 95)), np.ones((3, 96)), "load_w is not one number a path and slot"),
        (np.ones((0, 96)), np.ones((0, 96)), "load_w is not one number"),
        (np.ones(96), np.ones((3, 96)), "load_w is not one number"),
        (np.ones((3, 96)), -np.ones((3, 96)), "pv_w holds what is no power"),
        (np.full((3, 96), np.nan), np.ones((3, 96)), "load_w holds what is no power"),
        (np.full((3, 96), np.inf), np.ones((3, 96)), "load_w holds what is no power"),
        (np.ones((3, 96)), np.ones((2, 96)), "different paths"),
    ],
)
def test_what_is_no_question_is_refused(load_w: Array, pv_w: Array, words: str) -> None:
    with pytest.raises(PlanFailed, match=words):
        ScenarioProblem(base=house(), load_w=load_w, pv_w=pv_w)


def test_the_battery_of_the_tests_is_one() -> None:
    assert BATTERY.charge_efficiency < 1.0, "or losses would not be seen"
