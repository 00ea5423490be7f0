"""The answer for a whole site: exact where it can be compared, and always one that can be done."""

from dataclasses import replace
from itertools import pairwise, product
from types import SimpleNamespace

import highspy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.direct_milp import best_objective
from benchmarks.hard_plans import BATTERY, KINDS, WITH_LOADS, Kind, house_with_loads
from holdfast.core.device_mode import MODES, DeviceMode
from holdfast.core.errors import PlanFailed
from holdfast.core.plan import PlanStatus
from holdfast.optimization import site_model
from holdfast.optimization.model import PlanModel
from holdfast.optimization.problem import Array, PlanProblem
from holdfast.optimization.site_model import GAP, solve_site
from holdfast.optimization.site_problem import (
    ModeRules,
    PeakPrice,
    Room,
    ShiftableLoad,
    SiteProblem,
    SiteSlack,
    SiteSolution,
)
from holdfast.optimization.site_program import build_site
from holdfast.optimization.sparse import run

NO_BATTERY = replace(BATTERY, charge_max_w=0.0, discharge_max_w=0.0, terminal_value_per_kwh=0.0)


def base(
    prices: list[float],
    *,
    sold: list[float] | None = None,
    load_w: float | list[float] = 500.0,
    pv_w: float | list[float] = 0.0,
    import_max_w: float = 20_000,
) -> PlanProblem:
    slots = len(prices)

    def full(value: float | list[float]) -> Array:
        return np.broadcast_to(np.asarray(value, dtype=np.float64), (slots,)).copy()

    return PlanProblem(
        dt_h=np.full(slots, 0.25),
        import_price_per_kwh=np.array(prices),
        export_price_per_kwh=np.array(sold or [min(price, 0.05) for price in prices]),
        load_w=full(load_w),
        pv_w=full(pv_w),
        import_max_w=import_max_w,
        export_max_w=10_000,
        battery=BATTERY,
    )


def room(slots: int, **changes: object) -> Room:
    values: dict[str, object] = {
        "name": "kitchen",
        "power_max_w": 1_500.0,
        "heat_per_power": 1.0,
        "capacity_wh_per_k": 2_000.0,
        "loss_w_per_k": 40.0,
        "temperature_now_c": 20.0,
        "outdoor_c": np.full(slots, 0.0),
        "gains_w": np.zeros(slots),
        "low_c": np.full(slots, 20.0),
        "high_c": np.full(slots, 23.0),
        "discomfort_cost_per_k_h": 5.0,
        "end_cost_per_k": 2.0,
    }
    return Room(**(values | changes))  # type: ignore[arg-type]


days = st.lists(st.floats(-0.3, 0.5), min_size=2, max_size=12)


@settings(max_examples=40, deadline=None)
@given(
    days,
    st.floats(-0.1, 0.2),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0.0, 3_000.0, 9_000.0]),
)
def test_one_unit_alone_gets_the_answer_of_the_exact_model(
    prices: list[float],
    spread: float,
    curtailable: bool,
    switchable: bool,
    sells: bool,
    pv_w: float,
) -> None:
    asked = base(prices, sold=[price - spread for price in prices], pv_w=pv_w)
    unit = replace(BATTERY, ageing_cost_per_kwh_h=0.01, ageing_above_wh=5_000)
    warm = np.linspace(0.5, 3.0, asked.slots)
    asked = replace(
        asked,
        pv_curtailable=curtailable,
        pv_switchable=switchable,
        sells_stored=sells,
        battery=unit,
        ageing_factor=warm,
    )
    best = PlanModel(asked.slots).solve(asked)
    found = solve_site(SiteProblem(base=asked, batteries=(unit,))).plan
    assert found.objective == pytest.approx(best.objective, rel=2e-4, abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(days, st.sampled_from([0.0, 300.0, 3_000.0]))
def test_what_is_stored_is_not_sold_where_it_may_not_be(prices: list[float], pv_w: float) -> None:
    """However much an export earns; a load that waits may be served."""
    asked = replace(base(prices, sold=[1.0] * len(prices), pv_w=pv_w), sells_stored=False)
    car = ShiftableLoad(name="car", energy_wh=300, power_max_w=4_000, first_slot=0, last_slot=1)
    found = solve_site(SiteProblem(base=asked, batteries=(BATTERY, BATTERY), loads=(car,)))
    alone = PlanModel(asked.slots).solve(asked)
    for grid_w in (found.plan.grid_w, alone.grid_w):
        assert grid_w.min() >= -max(pv_w - 500.0, 0.0) - 0.1


@settings(max_examples=25, deadline=None)
@given(days)
def test_two_halves_of_a_battery_earn_what_the_whole_earns(prices: list[float]) -> None:
    asked = base(prices)
    energies = ("capacity_wh", "soc_min_wh", "soc_max_wh", "soc_now_wh")
    powers = ("charge_max_w", "discharge_max_w")
    half = replace(BATTERY, **{name: getattr(BATTERY, name) / 2 for name in energies + powers})
    halves = solve_site(SiteProblem(base=asked, batteries=(half, half)))
    whole = solve_site(SiteProblem(base=asked, batteries=(BATTERY,)))
    assert halves.plan.objective == pytest.approx(whole.plan.objective, rel=1e-3, abs=1e-4)
    # One that charges the other would lose energy twice.
    assert not ((halves.unit_w.min(0) < -1.0) & (halves.unit_w.max(0) > 1.0)).any()


def test_units_that_differ_are_used_as_they_are() -> None:
    quick = replace(BATTERY, capacity_wh=2_000, soc_min_wh=0, soc_max_wh=2_000, soc_now_wh=2_000)
    slow = replace(BATTERY, charge_max_w=500, discharge_max_w=500, soc_now_wh=9_000)
    asked = base([0.4] * 4, load_w=4_000)
    found = solve_site(SiteProblem(base=asked, batteries=(quick, slow)))
    assert found.unit_w[1] == pytest.approx(-500)
    assert -found.unit_w[0].sum() * 0.25 == pytest.approx(2_000 * 0.96, rel=1e-3)


def test_a_deep_cycle_is_used_only_where_it_is_worth_it() -> None:
    deep = replace(
        BATTERY,
        soc_now_wh=9_500,
        deep_from_wh=4_000,
        deep_wear_cost_per_kwh=0.1,
        terminal_value_per_kwh=0.0,
    )
    for price, share_wh in ((0.11, 4_000), (0.14, 8_500)):
        found = solve_site(SiteProblem(base=base([price] * 16, load_w=4_000), batteries=(deep,)))
        delivered_wh = -found.plan.battery_w.sum() * 0.25
        assert delivered_wh == pytest.approx(share_wh * 0.96, abs=1.0)
    # Two shallow cycles are no deep one.
    twice = base([0.11] * 4 + [0.0] * 4 + [0.11] * 4, load_w=4_000, sold=[0.0] * 12)
    found = solve_site(SiteProblem(base=twice, batteries=(deep,)))
    assert -found.plan.battery_w[:4].sum() * 0.25 == pytest.approx(3_840, abs=1.0)
    assert -found.plan.battery_w[8:].sum() * 0.25 == pytest.approx(3_840, abs=1.0)


def test_a_demand_charge_shaves_the_peak_but_not_below_what_was_reached() -> None:
    asked = base([0.2] * 8, load_w=[500.0] * 4 + [4_000.0] * 2 + [500.0] * 2)
    free = solve_site(SiteProblem(base=asked, batteries=(BATTERY,)))
    dear = PeakPrice(cost_per_kw=5.0)
    shaved = solve_site(SiteProblem(base=asked, batteries=(BATTERY,), demand=(dear,)))
    reached = replace(dear, peak_so_far_w=3_000.0)
    kept = solve_site(
        SiteProblem(base=asked, batteries=(replace(BATTERY, soc_now_wh=1_000),), demand=(reached,))
    )
    assert shaved.plan.grid_w.max() < 10.0
    assert free.plan.grid_w.max() <= 4_000.1
    assert kept.plan.grid_w.max() == pytest.approx(3_000.0, abs=1.0)


def test_a_demand_charge_counts_only_in_its_hours() -> None:
    hours = (False,) * 4 + (True,) * 4
    asked = base([0.2] * 8, load_w=2_000)
    charge = PeakPrice(cost_per_kw=5.0, hours_only=hours)
    found = solve_site(
        SiteProblem(base=asked, batteries=(replace(BATTERY, soc_now_wh=3_500),), demand=(charge,))
    )
    assert found.plan.grid_w[4:].max() < found.plan.grid_w[:4].max()


def test_a_room_is_heated_before_the_dear_hours() -> None:
    slots = 32
    prices = [0.1] * 16 + [0.6] * 16
    asked = base(prices)
    warm = solve_site(SiteProblem(base=asked, batteries=(NO_BATTERY,), rooms=(room(slots),)))
    flat = solve_site(
        SiteProblem(base=base([0.35] * slots), batteries=(NO_BATTERY,), rooms=(room(slots),))
    )
    assert warm.room_w[0, :16].sum() > 1.2 * flat.room_w[0, :16].sum()
    assert warm.room_c[0].min() >= 19.99
    assert warm.room_c[0].max() <= 23.01
    assert warm.relaxed == ()


def test_a_room_that_cannot_be_warm_is_as_warm_as_it_can_be_and_says_so() -> None:
    cold = room(8, temperature_now_c=10.0)
    found = solve_site(SiteProblem(base=base([0.3] * 8), batteries=(NO_BATTERY,), rooms=(cold,)))
    assert found.relaxed == (SiteSlack.COMFORT,)
    assert found.plan.status is PlanStatus.RELAXED
    assert found.room_w[0] == pytest.approx(1_500)


def test_a_room_follows_its_equation() -> None:
    one = room(
        1, power_max_w=0.0, temperature_now_c=20.0, low_c=np.zeros(1), high_c=np.full(1, 99.0)
    )
    found = solve_site(SiteProblem(base=base([0.3]), batteries=(NO_BATTERY,), rooms=(one,)))
    # After a quarter hour: 20 degrees above outdoors, less exp(-40 W/K x 0.25 h / 2000 Wh/K).
    assert found.room_c[0, 0] == pytest.approx(20.0 * np.exp(-0.005))


def test_a_load_waits_for_the_cheap_slots_of_its_window() -> None:
    car = ShiftableLoad(name="car", energy_wh=2_000, power_max_w=4_000, first_slot=1, last_slot=5)
    prices = [0.0, 0.5, 0.1, 0.3, 0.1, 0.5, 0.0]
    found = solve_site(SiteProblem(base=base(prices), batteries=(NO_BATTERY,), loads=(car,)))
    assert found.load_w[0] == pytest.approx([0, 0, 4_000, 0, 4_000, 0, 0], abs=0.1)


def test_a_load_that_runs_through_is_not_interrupted() -> None:
    washing = ShiftableLoad(
        name="washing",
        energy_wh=1_500,
        power_max_w=2_000,
        first_slot=0,
        last_slot=6,
        runs_through=True,
    )
    prices = [0.0, 0.5, 0.1, 0.3, 0.1, 0.5, 0.0]
    found = solve_site(SiteProblem(base=base(prices), batteries=(NO_BATTERY,), loads=(washing,)))
    assert found.load_w[0] == pytest.approx([0, 0, 2_000, 2_000, 2_000, 0, 0], abs=0.1)


def test_a_load_that_cannot_be_done_in_time_is_told() -> None:
    for runs_through in (False, True):
        car = ShiftableLoad(
            name="car",
            energy_wh=9_000,
            power_max_w=4_000,
            first_slot=0,
            last_slot=2,
            runs_through=runs_through,
        )
        found = solve_site(SiteProblem(base=base([0.1] * 4), batteries=(NO_BATTERY,), loads=(car,)))
        assert found.relaxed == (SiteSlack.DEADLINE,)


def assert_modes_are_kept(asked: SiteProblem, found: SiteSolution) -> None:
    """By the table, written apart from the program."""
    assert found.modes is not None
    assert asked.modes is not None
    charge_w, discharge_w = np.maximum(found.unit_w.sum(0), 0), np.maximum(-found.unit_w.sum(0), 0)
    surplus_w = np.maximum(-asked.base.net_load_w, 0.0)
    for slot, mode in enumerate(found.modes):
        row = MODES[mode]
        if not row.charges_from_grid:
            assert charge_w[slot] <= (0.0 if row.exports else surplus_w[slot]) + 1.0
        if not row.serves_load:
            assert discharge_w[slot] <= 1.0
        if not row.exports:
            assert discharge_w[slot] <= max(asked.base.net_load_w[slot], 0.0) + 1.0
        if row.must_serve:
            power_w = sum(battery.discharge_max_w for battery in asked.batteries)
            assert found.plan.grid_w[slot] <= max(asked.base.net_load_w[slot] - power_w, 0.0) + 1.0
    changes = [
        slot for slot in range(1, len(found.modes)) if found.modes[slot] != found.modes[slot - 1]
    ]
    for before, after in pairwise(changes):
        assert after - before >= asked.modes.dwell_slots


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(-0.1, 0.5), min_size=8, max_size=16), st.integers(1, 4))
def test_one_mode_at_a_time_each_kept_for_a_while(prices: list[float], dwell: int) -> None:
    pv_w = [0.0] * (len(prices) // 2) + [3_000.0] * (len(prices) - len(prices) // 2)
    asked = SiteProblem(
        base=base(prices, pv_w=pv_w), batteries=(BATTERY,), modes=ModeRules(dwell_slots=dwell)
    )
    found = solve_site(asked)
    assert_modes_are_kept(asked, found)
    free = solve_site(replace(asked, modes=None))
    assert found.plan.objective >= free.plan.objective - 1e-4


def test_load_first_alone_serves_the_load_whatever_it_costs() -> None:
    rules = ModeRules(allowed=(DeviceMode.LOAD_FIRST,), dwell_slots=1)
    dear_later = [0.05] * 4 + [0.6] * 4
    found = solve_site(SiteProblem(base=base(dear_later), batteries=(BATTERY,), modes=rules))
    assert found.plan.grid_w == pytest.approx(0.0, abs=1.0)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0, 10_000),
    st.floats(0, 6_000),
    st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=6),
    st.floats(0, 12_000),
)
def test_there_is_an_answer_whatever_is_asked(
    soc_wh: float, import_max_w: float, prices: list[float], pv_w: float
) -> None:
    slots = len(prices)
    asked = replace(
        base(prices, load_w=3_000, pv_w=pv_w, import_max_w=import_max_w), export_max_w=1_000.0
    )
    unit = replace(BATTERY, soc_now_wh=soc_wh, soc_final_min_wh=9_000)
    car = ShiftableLoad(name="car", energy_wh=9_000, power_max_w=4_000, first_slot=0, last_slot=0)
    found = solve_site(
        SiteProblem(base=asked, batteries=(unit, unit), rooms=(room(slots),), loads=(car,))
    )
    assert np.isfinite(found.plan.battery_w).all()
    assert (found.plan.status is PlanStatus.RELAXED) == bool(found.relaxed)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (ShiftableLoad, {"power_max_w": 0.0}),
        (ShiftableLoad, {"energy_wh": float("nan")}),
        (ShiftableLoad, {"first_slot": 3}),
        (PeakPrice, {"cost_per_kw": -1.0}),
        (PeakPrice, {"cost_per_kw": float("nan")}),
        (ModeRules, {"dwell_slots": 0}),
        (ModeRules, {"allowed": ()}),
        (Room, {"loss_w_per_k": 0.0}),
        (Room, {"temperature_now_c": float("nan")}),
        (Room, {"low_c": np.full(2, 30.0)}),
        (Room, {"gains_w": np.array([0.0, float("nan")])}),
    ],
)
def test_what_cannot_be_is_refused(kind: type, change: dict[str, object]) -> None:
    parts = {
        ShiftableLoad: ShiftableLoad(
            name="car", energy_wh=1.0, power_max_w=1.0, first_slot=0, last_slot=2
        ),
        PeakPrice: PeakPrice(cost_per_kw=1.0),
        ModeRules: ModeRules(),
        Room: room(2),
    }
    with pytest.raises(PlanFailed):
        replace(parts[kind], **change)


def test_parts_of_other_lengths_are_refused() -> None:
    asked = base([0.1, 0.2])
    late = ShiftableLoad(name="car", energy_wh=1.0, power_max_w=1.0, first_slot=0, last_slot=2)
    for parts in (
        {"batteries": ()},
        {"batteries": (BATTERY,), "rooms": (room(3),)},
        {"batteries": (BATTERY,), "loads": (late,)},
        {"batteries": (BATTERY,), "demand": (PeakPrice(cost_per_kw=1.0, hours_only=(True,)),)},
    ):
        with pytest.raises(PlanFailed):
            SiteProblem(base=asked, **parts)  # type: ignore[arg-type]


def run_through(prices: list[float], **changes: object) -> tuple[Array, SiteSolution]:
    washing = ShiftableLoad(
        name="washing",
        energy_wh=1_200,
        power_max_w=2_000,
        first_slot=0,
        last_slot=len(prices) - 1,
        runs_through=True,
    )
    asked = SiteProblem(
        base=base(prices),
        batteries=(NO_BATTERY,),
        loads=(replace(washing, **changes),),  # type: ignore[arg-type]
    )
    found = solve_site(asked)
    return found.load_w[0], found


def test_a_load_that_runs_through_is_at_full_power_until_it_is_done() -> None:
    # 600 Wh of three slots at 2 kW: the relay must not open in between.
    load_w, found = run_through([0.5, 0.1, 0.2, 0.1, 0.5])
    assert load_w == pytest.approx([0, 2_000, 2_000, 800, 0], abs=0.1)
    assert found.relaxed == ()


def test_it_runs_through_from_the_rest_of_a_slot() -> None:
    washing = ShiftableLoad(
        name="washing",
        energy_wh=1_100,
        power_max_w=2_000,
        first_slot=0,
        last_slot=3,
        runs_through=True,
    )
    asked = replace(base([0.1, 0.1, 0.3, 0.5]), dt_h=np.array([0.05, 0.25, 0.25, 0.25]))
    found = solve_site(SiteProblem(base=asked, batteries=(NO_BATTERY,), loads=(washing,)))
    assert found.load_w[0] == pytest.approx([2_000, 2_000, 2_000, 0], abs=0.1)


def test_one_that_has_begun_goes_on_whatever_it_costs() -> None:
    prices = [0.9, 0.9, 0.9, 0.0, 0.0, 0.0]
    assert run_through(prices)[0][0] == pytest.approx(0, abs=0.1)
    assert run_through(prices, has_begun=True)[0] == pytest.approx(
        [2_000, 2_000, 800, 0, 0, 0], abs=0.1
    )


@pytest.mark.parametrize("kind", WITH_LOADS, ids=lambda kind: kind.name)
def test_a_house_with_loads_costs_what_a_direct_program_finds(kind: Kind) -> None:
    asked = house_with_loads(kind, 96, 1)
    plan = solve_site(asked).plan
    best = best_objective(asked.base, asked.loads)
    assert plan.objective == pytest.approx(best, rel=1e-4)
    assert plan.bound <= best + 1e-4 * abs(best)


def test_where_the_best_takes_too_long_a_good_answer_comes_with_a_bound_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is found in a time depends on the computer; what is found in a node does not.
    monkeypatch.setitem(site_model._OPTIONS, "time_limit", 600.0)
    monkeypatch.setitem(site_model._OPTIONS, "mip_max_nodes", 1)
    asked = replace(house_with_loads(KINDS[2], 192, 0), batteries=(BATTERY, BATTERY))
    found = solve_site(asked)
    assert found.relaxed == ()
    assert found.plan.objective - found.plan.bound > GAP * abs(found.plan.objective)
    assert found.plan.bound > 1.2 * found.plan.objective
    assert found.plan.cut_short
    assert found.plan.status is PlanStatus.BEST_FOUND


def test_a_search_that_ends_by_itself_is_not_cut_short() -> None:
    plan = solve_site(house_with_loads(KINDS[0], 96, 0)).plan
    assert not plan.cut_short
    assert plan.status is PlanStatus.OPTIMAL


def test_all_rounds_together_get_the_time_and_each_a_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_s: list[float] = []

    class Highs:
        spent_s = 0.0

        def getRunTime(self) -> float:  # noqa: N802 - the library's name
            return self.spent_s

        def setOptionValue(self, name: str, value: float) -> None:  # noqa: N802
            given_s.append(value)
            self.spent_s += value

    monkeypatch.setattr(site_model, "run", lambda _: np.zeros(0))
    highs = Highs()
    for _ in range(3):
        site_model._run(highs)
    assert given_s == [site_model.LONGEST_S, 1.0, 1.0]


def test_a_relaxation_that_was_cut_short_bounds_nothing() -> None:
    class Cut:
        def getInfo(self) -> object:  # noqa: N802 - the library's name
            return SimpleNamespace(objective_function_value=3.0, mip_dual_bound=2.0)

        def getModelStatus(self) -> object:  # noqa: N802
            return highspy.HighsModelStatus.kTimeLimit

    nothing, some = np.zeros(0, np.int32), np.zeros(1, np.int32)
    assert site_model._bound(Cut(), nothing) == -np.inf
    assert site_model._bound(Cut(), some) == 2.0


# The main fuse. -----------------------------------------------------------------------------------


def over_kwh(asked: PlanProblem, found: SiteSolution) -> Array:
    """What is imported beyond the limit, kWh."""
    return np.asarray(np.maximum(found.plan.grid_w - asked.import_max_w, 0.0) * asked.dt_h / 1e3)


@pytest.mark.parametrize("price", [-2.0, -0.5, 0.0, 0.3, 5.0])
@pytest.mark.parametrize("load_w", [500.0, 3_500.0])
def test_no_wish_is_worth_the_main_fuse(price: float, load_w: float) -> None:
    """A full battery at the end, a battery below its minimum, a cold room, a load in a hurry."""
    slots = 8
    asked = base([price] * slots, load_w=load_w, import_max_w=3_000)
    unavoidable = np.full(slots, max(load_w - 3_000.0, 0.0) * 0.25 / 1e3)
    empty = replace(
        BATTERY, soc_now_wh=0.0, soc_min_wh=1_000.0, soc_final_min_wh=9_000.0, charge_max_w=5_000.0
    )
    cold = room(slots, temperature_now_c=5.0, discomfort_cost_per_k_h=900.0, end_cost_per_k=900.0)
    car = ShiftableLoad(name="car", energy_wh=9_000, power_max_w=9_000, first_slot=0, last_slot=3)
    for parts in ({"batteries": (empty,)}, {"rooms": (cold,)}, {"loads": (car,)}):
        found = solve_site(SiteProblem(**({"base": asked, "batteries": (NO_BATTERY,)} | parts)))
        assert (over_kwh(asked, found) <= unavoidable + 1e-6).all()
        assert found.relaxed, "what cannot be had is told"


def test_a_load_that_has_begun_goes_on_beyond_the_limit_as_it_would() -> None:
    asked = base([0.3] * 8, import_max_w=1_000)
    washing = ShiftableLoad(
        name="washing",
        energy_wh=1_250,
        power_max_w=2_000,
        first_slot=0,
        last_slot=7,
        runs_through=True,
        has_begun=True,
    )
    found = solve_site(SiteProblem(base=asked, batteries=(NO_BATTERY,), loads=(washing,)))
    assert found.load_w[0] == pytest.approx([2_000, 2_000, 1_000, 0, 0, 0, 0, 0], abs=0.1)
    over = [1.5 / 4, 1.5 / 4, 0.5 / 4, 0, 0, 0, 0, 0]
    assert over_kwh(asked, found) == pytest.approx(over, abs=1e-4)
    waits = replace(washing, has_begun=False)
    found = solve_site(SiteProblem(base=asked, batteries=(NO_BATTERY,), loads=(waits,)))
    assert over_kwh(asked, found).max() == pytest.approx(0.0, abs=1e-6)


def test_a_load_takes_no_more_than_it_needs_where_energy_is_paid_for() -> None:
    load = ShiftableLoad(name="car", energy_wh=1_000, power_max_w=2_000, first_slot=0, last_slot=3)
    found = solve_site(SiteProblem(base=base([-0.3] * 4), batteries=(NO_BATTERY,), loads=(load,)))
    assert found.load_w[0].sum() * 0.25 == pytest.approx(1_000, abs=0.1)


@pytest.mark.parametrize("runs_through", [False, True])
@pytest.mark.parametrize(("planned_w", "stays_up_to"), [(2_000.0, 0.12), (0.0, 0.08)])
def test_a_load_is_switched_otherwise_than_planned_only_if_that_is_worth_it(
    planned_w: float, stays_up_to: float, runs_through: bool
) -> None:
    # 0.5 kWh, now or later at 0.10 a kWh: what a change saves is half the difference in price.
    later = 0.10
    for price in (stays_up_to - 0.01, stays_up_to, stays_up_to + 0.01, later):
        car = ShiftableLoad(
            name="car",
            energy_wh=500,
            power_max_w=2_000,
            first_slot=0,
            last_slot=3,
            planned_w=planned_w,
            runs_through=runs_through,
        )
        asked = SiteProblem(
            base=base([price, 0.3, later, 0.2]),
            batteries=(NO_BATTERY,),
            loads=(car,),
            change_cost=0.011,
        )
        found = solve_site(asked)
        stays = abs(price - later) * 0.5 < 0.011
        now = planned_w > 0.0 if stays else price < later
        assert found.load_w[0, 0] == pytest.approx(2_000 if now else 0, abs=0.1)
        bought = price if now else later
        assert found.plan.objective == pytest.approx(
            bought * 0.5 + float(asked.base.load_w @ asked.base.import_price_per_kwh) * 0.25e-3,
            abs=1e-4,
        )


def test_a_room_is_switched_otherwise_than_planned_only_if_that_is_worth_it() -> None:
    def first_w(change_cost: float) -> float:
        kitchen = room(4, planned_w=1_500.0, temperature_now_c=20.5, end_cost_per_k=0.0)
        asked = SiteProblem(
            base=base([0.3, 0.1, 0.1, 0.1]),
            batteries=(NO_BATTERY,),
            rooms=(kitchen,),
            change_cost=change_cost,
        )
        return float(solve_site(asked).room_w[0, 0])

    assert first_w(0.0) == pytest.approx(0.0, abs=0.1)
    assert first_w(1.0) == pytest.approx(1_500.0, abs=0.1)


def sequences(rules: ModeRules, slots: int) -> list[tuple[DeviceMode, ...]]:
    """All that the rules permit, by their words."""

    def permitted(modes: tuple[DeviceMode, ...]) -> bool:
        begun = 0
        if modes[0] is rules.now:
            begun = -rules.dwell_slots  # how long it has been is said by kept_slots
        if any(mode is not rules.now for mode in modes[: rules.kept_slots]):
            return False
        for slot in range(1, slots):
            if modes[slot] is not modes[slot - 1]:
                if slot - begun < rules.dwell_slots:
                    return False
                begun = slot
        return True

    return [modes for modes in product(rules.allowed, repeat=slots) if permitted(modes)]


def best_of(asked: SiteProblem, tried: list[tuple[DeviceMode, ...]]) -> float:
    """The least cost of the sequences, each made the only one that is possible."""
    costs = []
    for modes in tried:
        free = replace(asked, modes=ModeRules(allowed=tuple(DeviceMode), dwell_slots=1))
        blocks, columns = build_site(free)
        for slot, mode in enumerate(modes):
            blocks.add_rows(1.0, 1.0, (columns.modes[mode][slot : slot + 1], 1.0))
        highs = blocks.build({"output_flag": False})
        run(highs)
        costs.append(float(highs.getInfo().objective_function_value))
    return min(costs)


TWO = (DeviceMode.BATTERY_FIRST, DeviceMode.LOAD_FIRST)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from([0.02, 0.1, 0.5, 0.6]), min_size=1, max_size=6),
    st.integers(1, 4),
    st.sampled_from([None, *TWO]),
    st.integers(0, 3),
)
def test_modes_are_the_best_of_all_that_the_rules_permit(
    prices: list[float], dwell: int, now: DeviceMode | None, kept: int
) -> None:
    rules = ModeRules(
        allowed=TWO, dwell_slots=dwell, now=now, kept_slots=0 if now is None else kept
    )
    asked = SiteProblem(base=base(prices), batteries=(BATTERY,), modes=rules)
    found = solve_site(asked)
    tried = sequences(rules, len(prices))
    assert found.modes in tried
    best = best_of(asked, tried)
    assert found.cost == pytest.approx(best, rel=1e-4, abs=1e-5)


def test_the_rest_of_a_slot_counts_as_no_whole_one_of_a_dwell() -> None:
    rules = ModeRules(allowed=TWO, dwell_slots=2)
    # Charging pays in the first two slots alone, serving in the ones after.
    asked = replace(base([0.02, 0.02, 0.6, 0.6, 0.6]), dt_h=np.array([0.05, *[0.25] * 4]))
    found = solve_site(SiteProblem(base=asked, batteries=(BATTERY,), modes=rules))
    assert found.modes is not None
    assert found.modes[0] is found.modes[1] is found.modes[2]


@pytest.mark.parametrize(
    "change",
    [
        {"allowed": TWO, "now": DeviceMode.GRID_FIRST},
        {"kept_slots": 1},
        {"now": DeviceMode.GRID_FIRST, "kept_slots": -1},
    ],
)
def test_modes_that_cannot_go_on_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(PlanFailed):
        replace(ModeRules(), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("planned_w", [-1.0, 2_001.0, float("nan")])
def test_what_cannot_have_been_planned_is_refused(planned_w: float) -> None:
    with pytest.raises(PlanFailed):
        ShiftableLoad(
            name="car",
            energy_wh=1.0,
            power_max_w=2_000.0,
            first_slot=0,
            last_slot=0,
            planned_w=planned_w,
        )
    with pytest.raises(PlanFailed):
        ShiftableLoad(
            name="car",
            energy_wh=1.0,
            power_max_w=2_000.0,
            first_slot=1,
            last_slot=1,
            planned_w=0.0,
        )
    with pytest.raises(PlanFailed):
        room(2, power_max_w=2_000.0, planned_w=planned_w)
    with pytest.raises(PlanFailed):
        SiteProblem(base=base([0.1]), batteries=(BATTERY,), change_cost=min(planned_w, -1.0))


def test_among_slots_of_equal_price_a_load_runs_at_a_stretch() -> None:
    car = ShiftableLoad(name="car", energy_wh=1_500, power_max_w=2_000, first_slot=1, last_slot=14)
    prices = [0.1] + [0.3] * 3 + [0.1] * 10 + [0.3]
    found = solve_site(SiteProblem(base=base(prices), batteries=(BATTERY,), loads=(car,)))
    assert found.load_w[0, 4:7] == pytest.approx(2_000, abs=0.1)
    assert found.load_w[0].sum() == pytest.approx(6_000, abs=0.1)


def test_a_mode_changes_only_where_that_is_worth_it() -> None:
    # An empty battery: any mode will do but where it charges, and serves.
    empty = replace(BATTERY, soc_now_wh=1_000.0)
    asked = SiteProblem(
        base=base([0.3] * 8 + [0.1] * 8 + [0.5] * 8),
        batteries=(empty,),
        modes=ModeRules(now=DeviceMode.LOAD_FIRST),
        change_cost=0.02,
    )
    modes = solve_site(asked).modes
    assert modes is not None
    assert sum(after is not before for before, after in pairwise(modes)) <= 2
    still = solve_site(replace(asked, change_cost=100.0)).modes
    assert still == (DeviceMode.LOAD_FIRST,) * 24


def test_a_mode_that_must_go_on_with_an_empty_battery_leads_to_a_plan() -> None:
    empty = replace(BATTERY, soc_now_wh=1_000.0)
    rules = ModeRules(now=DeviceMode.LOAD_FIRST, kept_slots=4)
    found = solve_site(SiteProblem(base=base([0.3] * 8), batteries=(empty,), modes=rules))
    assert found.modes is not None
    assert found.modes[:4] == (DeviceMode.LOAD_FIRST,) * 4
    assert found.plan.grid_w[:4] == pytest.approx(500.0, abs=1.0)
    assert found.relaxed == ()
