"""PV that may be off is reckoned with where plans allow for what may come."""

from dataclasses import replace

import numpy as np
import pytest

from holdfast.core.plan import PV_OFF_IMPORT_SHARE
from holdfast.optimization.problem import PlanProblem
from holdfast.optimization.scenarios import find_marks, follow_marks
from tests.optimization.test_plan_model import problem, solve
from tests.optimization.test_scenarios import as_it_is, cost_of


def paid_at_noon(*, sold: float, import_max_w: float = 10_000, slots: int = 24) -> PlanProblem:
    """Import is paid for in eight quarter hours with sun, in between those that cost."""
    prices = [0.30] * 8 + [-0.20] * 8 + [0.40] * (slots - 16)
    asked = problem(
        prices,
        sold=[sold] * slots,
        load_w=600.0,
        pv_w=[2_500.0 if 6 <= slot < 18 else 0.0 for slot in range(slots)],
        import_max_w=import_max_w,
        soc_now_wh=2_000.0,
    )
    return replace(asked, pv_curtailable=True, pv_switchable=True)


@pytest.mark.parametrize("sold", [-0.20, 0.0, 0.08])
@pytest.mark.parametrize("import_max_w", [10_000.0, 4_000.0])
def test_marks_earn_what_the_exact_plan_does(sold: float, import_max_w: float) -> None:
    asked = paid_at_noon(sold=sold, import_max_w=import_max_w)
    best = solve(asked)
    assert best.pv_off[8:16].any()
    gained_kwh = follow_marks(asked, find_marks(as_it_is(asked)), best.pv_off)
    assert cost_of(asked, gained_kwh) == pytest.approx(best.objective, abs=0.05)


def test_no_more_is_bought_with_pv_off_than_it_stays_off_for() -> None:
    asked = paid_at_noon(sold=-0.2, import_max_w=4_000.0)
    gained_kwh = follow_marks(asked, find_marks(as_it_is(asked)), asked.may_switch_pv)
    most_kwh = (PV_OFF_IMPORT_SHARE * 4_000.0 - 600.0) / 4e3 * asked.battery.charge_efficiency
    assert gained_kwh[8:10] == pytest.approx([most_kwh] * 2, rel=1e-6)


def test_sun_that_may_come_is_not_counted_on_where_pv_is_off() -> None:
    """With and without much sun the battery is filled from the grid, which pays for it."""
    asked = paid_at_noon(sold=-0.2)
    question = replace(
        as_it_is(asked),
        load_w=np.repeat(asked.load_w[None], 2, axis=0),
        pv_w=np.array([[0.2], [1.8]]) * asked.pv_w,
    )
    buys = find_marks(question).table_kwh[8:16, 0]
    assert buys[-1] > 0.95 * asked.battery.soc_max_wh / 1e3
