"""Losses by power, standby, taper and a shared inverter are planned with as they are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.errors import PlanFailed
from holdfast.optimization.conversion import Conversion
from holdfast.optimization.model import PlanModel
from holdfast.optimization.problem import BatteryModel, PlanProblem
from holdfast.optimization.scenarios import ScenarioProblem, find_marks, follow_marks
from tests.optimization.grid_search import World, least_cost, stored_w
from tests.optimization.test_plan_model import problem
from tests.optimization.test_scenarios import as_it_is, cost

FLAT = Conversion(ac_w=(-4_000.0, 0.0, 5_000.0), battery_w=(-4_000 / 0.96, 0.0, 4_750.0))
"""The losses of ``BATTERY``."""
CORNERS = ((-800.0, -860.0), (-200.0, -240.0), (0.0, -15.0), (200.0, 160.0), (1_000.0, 930.0))
CONCAVE = ((-800.0, -860.0), (-200.0, -300.0), (0.0, 0.0), (200.0, 120.0), (1_000.0, 930.0))
"""Little power loses much: the curve of such a slot is not convex."""


def small(world: World, **battery: float) -> BatteryModel:
    """A battery of 1 kWh in that world."""
    ac_w, battery_w = zip(*world.corners, strict=True)
    taper_per_h = taper_end_wh = 0.0
    if world.taper_to < 1.0:
        width_wh = 1_000.0 - world.taper_from_wh
        taper_per_h = battery_w[-1] * (1.0 - world.taper_to) / width_wh
        taper_end_wh = world.taper_from_wh + width_wh / (1.0 - world.taper_to)
    basis = BatteryModel(
        capacity_wh=1_000.0,
        soc_min_wh=100.0,
        soc_max_wh=1_000.0,
        soc_now_wh=500.0,
        charge_max_w=1_000.0,
        discharge_max_w=800.0,
        charge_efficiency=0.93,
        discharge_efficiency=0.93,
        wear_cost_per_kwh=0.01,
        terminal_value_per_kwh=0.2,
        conversion=Conversion(ac_w=ac_w, battery_w=battery_w),
        taper_per_h=taper_per_h,
        taper_end_wh=taper_end_wh,
        hybrid_ac_max_w=None if world.hybrid_w == np.inf else world.hybrid_w,
        pv_stored_per_kwh=world.pv_stored,
    )
    return replace(basis, **battery)


WORLDS = [
    World(corners=CORNERS, taper_from_wh=1_000.0, taper_to=1.0),
    World(corners=CONCAVE, taper_from_wh=1_000.0, taper_to=1.0),
    World(corners=CORNERS, taper_from_wh=700.0, taper_to=0.1),
    World(corners=CONCAVE, taper_from_wh=600.0, taper_to=0.3),
    World(corners=CORNERS, taper_from_wh=1_000.0, taper_to=1.0, hybrid_w=600.0),
    World(corners=CORNERS, taper_from_wh=800.0, taper_to=0.1, hybrid_w=500.0, pv_stored=1.01),
]


@st.composite
def questions(draw: st.DrawFn, *, low: float = -0.1) -> tuple[PlanProblem, World]:
    world = draw(st.sampled_from(WORLDS))
    slots = draw(st.integers(1, 4))

    def numbers(least: float, most: float) -> np.ndarray:
        return np.array(draw(st.lists(st.floats(least, most), min_size=slots, max_size=slots)))

    bought = numbers(low, 0.5)
    asked = PlanProblem(
        dt_h=np.full(slots, 0.5),
        import_price_per_kwh=bought,
        export_price_per_kwh=bought - numbers(0.0, 0.3),
        load_w=numbers(0.0, 900.0),
        pv_w=numbers(0.0, 1_500.0),
        import_max_w=10_000.0,
        export_max_w=10_000.0,
        battery=small(world, soc_now_wh=draw(st.floats(200.0, 1_000.0))),
        pv_curtailable=draw(st.booleans()),
    )
    return asked, world


@settings(max_examples=40, deadline=None)
@given(questions())
def test_nothing_on_a_fine_grid_costs_less_than_the_answer(
    question: tuple[PlanProblem, World],
) -> None:
    asked, world = question
    solution = PlanModel(asked.slots).solve(asked)
    found = least_cost(asked, world)
    assert solution.objective <= found + 6e-4  # a kWh of battery may cost half as many thousandths
    assert solution.objective >= found - 0.004  # the grid's steps, of 5 Wh and 1 W


@settings(max_examples=60, deadline=None)
@given(questions())
def test_a_battery_that_follows_the_answer_has_what_is_told(
    question: tuple[PlanProblem, World],
) -> None:
    asked, world = question
    solution = PlanModel(asked.slots).solve(asked)
    stored_wh = asked.battery.soc_now_wh
    for slot in range(asked.slots):
        power_w, pv_w = float(solution.battery_w[slot]), float(asked.pv_w[slot])
        stored_wh += stored_w(world, power_w, pv_w) * 0.5
        assert stored_wh == pytest.approx(float(solution.soc_wh[slot]), abs=0.2)
        let_w = pv_w - float(solution.curtailed_w[slot])
        assert abs(power_w - let_w) <= world.hybrid_w + 0.2
        grid_w = float(asked.load_w[slot]) + power_w - let_w
        assert grid_w == pytest.approx(float(solution.grid_w[slot]), abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(questions(low=0.02))
def test_marks_follow_the_same_losses(question: tuple[PlanProblem, World]) -> None:
    asked, world = question
    marks = find_marks(as_it_is(asked))
    gained_kwh = follow_marks(asked, marks)
    found = cost(asked, marks)
    assert found >= PlanModel(asked.slots).solve(asked).objective - 1e-3
    del gained_kwh, world


def test_losses_that_are_no_curve_change_no_answer() -> None:
    pv_w = 5_000.0 * np.maximum(np.sin((np.arange(96) - 28) / 40 * np.pi), 0.0)
    prices = [0.20] * 24 + [0.40] * 16 + [0.30] * 24 + [0.45] * 32
    asked = problem(prices, load_w=1_500.0, pv_w=pv_w.tolist())
    same = replace(asked, battery=replace(asked.battery, conversion=FLAT))
    plain, curved = PlanModel(96).solve(asked), PlanModel(96).solve(same)
    assert curved.objective == pytest.approx(plain.objective, abs=1e-6)
    assert curved.soc_wh == pytest.approx(plain.soc_wh, abs=0.01)
    marks, same_marks = find_marks(as_it_is(asked)), find_marks(as_it_is(same))
    assert same_marks.table_kwh == pytest.approx(marks.table_kwh, abs=1e-9)


def test_a_spread_that_pays_at_full_power_does_not_at_little() -> None:
    """Served from what is stored is a load that is worth what is lost for it."""
    served = {}
    for load_w in (40.0, 700.0):
        asked = PlanProblem(
            dt_h=np.full(8, 0.5),
            import_price_per_kwh=np.array([0.30] * 4 + [0.35] * 4),
            export_price_per_kwh=np.zeros(8),
            load_w=np.full(8, load_w),
            pv_w=np.zeros(8),
            import_max_w=10_000.0,
            export_max_w=10_000.0,
            battery=small(WORLDS[1], terminal_value_per_kwh=0.28),
        )
        marks = find_marks(as_it_is(asked))
        served[load_w] = float(-follow_marks(asked, marks).sum())
    assert served[700.0] > 0.2
    assert served[40.0] < 0.01


def test_what_the_inverter_draws_is_in_what_is_told() -> None:
    """A night without load and with a fair price: nothing pays, and 15 W are drawn."""
    asked = PlanProblem(
        dt_h=np.full(4, 0.5),
        import_price_per_kwh=np.full(4, 0.3),
        export_price_per_kwh=np.zeros(4),
        load_w=np.zeros(4),
        pv_w=np.zeros(4),
        import_max_w=10_000.0,
        export_max_w=10_000.0,
        battery=small(WORLDS[0]),
    )
    solution = PlanModel(4).solve(asked)
    assert solution.soc_wh == pytest.approx([492.5, 485.0, 477.5, 470.0], abs=0.01)
    paths = ScenarioProblem(base=asked, load_w=asked.load_w[None], pv_w=asked.pv_w[None])
    assert follow_marks(asked, find_marks(paths)) == pytest.approx([-0.0075] * 4, abs=1e-5)


@pytest.mark.parametrize(
    ("ac_w", "battery_w"),
    [
        ((-1.0, 0.0, 1.0), (-1.1, 0.0, 1.1)),
        ((-1.0, 0.0, 1.0), (-0.9, 0.0, 0.9)),
        ((-1.0, 0.0, 1.0), (-1.1, 0.1, 0.9)),
        ((-1.0, 0.0, 1.0), (-1.1, -1.1, 0.9)),
        ((0.0, 0.0), (0.0, 0.0)),
        ((-1.0, 1.0), (-1.1, 0.9)),
        ((-1.0, 0.0, float("nan")), (-1.1, 0.0, 0.9)),
        ((-1.0, 0.0, 1.0), (-1.1, 0.0)),
    ],
)
def test_a_curve_that_makes_energy_or_does_not_rise_is_none(
    ac_w: tuple[float, ...], battery_w: tuple[float, ...]
) -> None:
    with pytest.raises(PlanFailed, match="conversion"):
        Conversion(ac_w=ac_w, battery_w=battery_w)
