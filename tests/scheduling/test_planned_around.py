"""The optimizer plans around what is asked for, and says what comes of it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.plan_gate import accept_plan
from holdfast.core.abilities import SETPOINT_ONLY
from holdfast.core.asked_slot import AskedBy, AskedSlot, SlotTerms
from holdfast.core.config import Site
from holdfast.core.plan import Plan
from holdfast.core.slot_mode import NEEDS, SlotMode
from holdfast.scheduling.course import follow, known_problem, wishes_of, with_expectation
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.scheduling.precedence import lay_over
from tests.scheduling.planning import BOILER, NOW, forecast_of, site, site_prices

SITE = site()
HOUR = timedelta(hours=1)
TWO_UNITS = site(second="{charge_power_max_w: 3000, discharge_power_max_w: 3000}")


def asked(
    start_h: float,
    end_h: float,
    mode: SlotMode | None,
    power_w: float = 0.0,
    *,
    by: AskedBy = AskedBy.SCHEDULE,
    **terms: float,
) -> AskedSlot:
    return AskedSlot(
        start=NOW + start_h * HOUR,
        end=NOW + end_h * HOUR,
        by=by,
        who="entry",
        reason="as asked",
        mode=mode,
        battery_power_w=power_w,
        terms=SlotTerms(**terms),
    )


def planned(
    wanted: Sequence[AskedSlot],
    *prices: float,
    load_w: float = 1_000.0,
    pv_w: float = 0.0,
    soc_pct: float = 50.0,
    of: Site = SITE,
) -> Plan:
    """The plan around ``wanted``, with it laid over and with what is expected, as handed over."""
    question = PlanQuestion(
        now_utc=NOW,
        soc_pct=soc_pct,
        prices=site_prices(*prices),
        forecast=forecast_of(load_w, pv_w),
        asked=tuple(wanted),
    )
    laid = lay_over(DailyScheduler(of).make_plan(question), wanted, site=of, now_utc=NOW)
    problem = known_problem(of, laid.plan.slots, question, SETPOINT_ONLY)
    assert problem is not None
    plan = with_expectation(laid, follow(problem, wishes_of(laid)))
    accept_plan(plan, now_ns=10**15, utc=NOW, site=of)
    return plan


def soc_at(plan: Plan, hour: float) -> float:
    """The state of charge that is expected at the end of so many hours, %."""
    found = next(each for each in plan.slots if each.end >= NOW + hour * HOUR)
    assert found.soc_end_pct is not None
    return found.soc_end_pct


def test_room_is_made_for_a_charge_that_was_asked_for() -> None:
    """What will be charged all the same is used before, at the same price."""
    prices = (0.3, 0.3, 0.3, 0.3, 0.3, 0.3)
    wanted = [asked(2, 4, SlotMode.POWER, 4_000.0)]
    with_it, without = planned(wanted, *prices, soc_pct=80.0), planned([], *prices, soc_pct=80.0)
    fixed = [each for each in with_it.slots if each.by is AskedBy.SCHEDULE]
    assert {each.battery_power_w for each in fixed} == {4_000.0}
    assert (fixed[0].start, fixed[-1].end) == (NOW + 2 * HOUR, NOW + 4 * HOUR)
    assert soc_at(with_it, 2) <= soc_at(without, 2) + 0.5
    assert with_it.expected_cost > without.expected_cost


def test_a_forced_discharge_is_filled_up_before_where_that_is_cheap() -> None:
    prices = (0.05, 0.05, 0.30, 0.30, 0.60, 0.60)
    wanted = [asked(2, 3, SlotMode.POWER, -4_000.0, by=AskedBy.OPERATOR)]
    assert soc_at(planned(wanted, *prices), 2) >= soc_at(planned([], *prices), 2) - 0.5


def test_a_rest_is_planned_around() -> None:
    """In the dearest hour the battery may not help, so it helps in the next dearest."""
    prices = (0.30, 0.50, 0.60, 0.30)
    plan = planned([asked(2, 3, SlotMode.PASSIVE)], *prices, load_w=3_000.0, soc_pct=45.0)
    for each in plan.slots:
        if NOW + 2 * HOUR <= each.start < NOW + 3 * HOUR:
            assert (each.mode, each.grid_power_w) == (SlotMode.PASSIVE, pytest.approx(3_000.0))
    assert soc_at(plan, 2) < 20.0


def test_a_reserve_is_not_used_up_before() -> None:
    """Nothing is bought for it, but what is there is held back."""
    prices = (0.60, 0.60, 0.10, 0.10)
    plan = planned([asked(2, 4, None, reserve_pct=45.0)], *prices, soc_pct=50.0)
    assert soc_at(plan, 2) == pytest.approx(45.0, abs=1.0)
    assert soc_at(planned([], *prices, soc_pct=50.0), 2) < 35.0
    below = planned([asked(2, 4, None, reserve_pct=90.0)], *prices, soc_pct=50.0)
    assert soc_at(below, 2) <= 51.0, "and nothing is bought"


def test_a_ceiling_leaves_room() -> None:
    prices = (0.10, 0.10, 0.60, 0.60)
    plan = planned([asked(0, 2, None, soc_ceiling_pct=60.0)], *prices, load_w=3_000.0)
    assert soc_at(plan, 2) <= 60.5
    assert soc_at(planned([], *prices, load_w=3_000.0), 2) > 62.0


def test_a_cap_on_import_is_kept() -> None:
    prices = (0.10, 0.10, 0.60, 0.60)
    plan = planned([asked(0, 4, None, import_max_w=4_000.0)], *prices, load_w=3_000.0)
    free = planned([], *prices, load_w=3_000.0)
    assert max(each.grid_power_w or 0.0 for each in plan.slots) <= 4_020.0
    assert max(each.grid_power_w or 0.0 for each in free.slots) > 5_000.0


@pytest.mark.parametrize("of", [TWO_UNITS, site(loads=BOILER)], ids=["two units", "a boiler"])
def test_a_whole_site_plans_around_it_too(of: Site) -> None:
    wanted = [asked(1, 2, SlotMode.POWER, -2_000.0), asked(2, 3, SlotMode.HOLD)]
    plan = planned(wanted, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, of=of)
    assert "not planned around" not in plan.note
    assert {each.by for each in plan.slots} == {AskedBy.PLAN, AskedBy.SCHEDULE}


def test_what_is_taken_back_leaves_nothing_of_it_in_the_plan() -> None:
    """Until the next plan the battery follows load and PV there: it sells nothing for nobody."""
    question = PlanQuestion(
        now_utc=NOW,
        soc_pct=80.0,
        prices=site_prices(0.3, 0.3, 0.3),
        forecast=forecast_of(500.0),
        asked=(asked(0, 1, SlotMode.POWER, -5_000.0),),
    )
    first = DailyScheduler(SITE).make_plan(question).slots[0]
    assert (first.mode, first.battery_power_w) == (SlotMode.SELF_CONSUMPTION, 0.0)


@pytest.mark.parametrize("pct", [0.0, 4.0])
@pytest.mark.parametrize(
    ("mode", "power_w", "terms"),
    [
        (SlotMode.POWER, -5_000.0, ("reserve_pct",)),
        (SlotMode.SOC, 0.0, ("soc_target_pct",)),
        (SlotMode.COMMERCIAL, 0.0, ("soc_target_pct",)),
    ],
    ids=["export", "a target", "commercial"],
)
def test_nobody_asks_for_less_than_the_sites_reserve(
    mode: SlotMode, power_w: float, terms: tuple[str, ...], pct: float
) -> None:
    """C9: what is written is never below the reserve, nor is that expected."""
    of = site(operation="{backup_reserve_pct: 20}")
    wanted = asked(0, 3, mode, power_w, import_max_w=4_000.0, **dict.fromkeys(terms, pct))
    plan = planned([wanted], 0.3, 0.3, 0.3, of=of)
    assert min(each.soc_end_pct or 0.0 for each in plan.slots) >= 20.0 - 1e-6
    for each in plan.slots:
        assert (each.terms.soc_target_pct or 20.0) >= 20.0
        assert (each.terms.reserve_pct or 20.0) >= 20.0


MODES = st.sampled_from([None, *SlotMode])
TERMS = st.fixed_dictionaries(
    {},
    optional={
        "reserve_pct": st.floats(0.0, 100.0),
        "soc_ceiling_pct": st.floats(0.0, 100.0),
        "soc_target_pct": st.floats(0.0, 100.0),
        "import_max_w": st.floats(0.0, 9_000.0),
        "export_max_w": st.floats(0.0, 9_000.0),
        "grid_target_w": st.floats(-2_000.0, 2_000.0),
    },
)


@st.composite
def wishes(draw: st.DrawFn) -> list[AskedSlot]:
    found = []
    for by in draw(st.lists(st.sampled_from(list(AskedBy)[:4]), max_size=4)):
        start_h = draw(st.floats(-1.0, 5.0))
        end_h = start_h + draw(st.floats(0.01, 4.0))
        power_w = draw(st.floats(-9_000.0, 9_000.0))
        mode = draw(MODES)
        needed = {NEEDS[mode]: 50.0} if mode in NEEDS else {}
        found.append(asked(start_h, end_h, mode, power_w, by=by, **needed | draw(TERMS)))
    return found


@given(wanted=wishes(), soc_pct=st.floats(0.0, 100.0), pv_w=st.sampled_from([0.0, 6_000.0]))
def test_whatever_is_asked_for_there_is_a_plan_around_it(
    wanted: list[AskedSlot], soc_pct: float, pv_w: float
) -> None:
    plan = planned(wanted, 0.3, 0.1, -0.1, 0.5, 0.3, soc_pct=soc_pct, pv_w=pv_w)
    assert "not planned around" not in plan.note
