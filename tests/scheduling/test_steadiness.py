"""A plan that changes has a reason that is worth something."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from holdfast.core.plan import Plan
from holdfast.core.slot_mode import SlotMode
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.plan_question import PlanQuestion
from tests.scheduling.planning import NOW, forecast_of, site, site_prices

PRICES = site_prices(*([0.10, 0.12] * 3 + [0.5] * 3 + [0.1] * 3))


def make(
    prices: SitePrices = PRICES,
    *,
    previous: Plan | None = None,
    worth: float = 0.01,
    load_w: float = 1_000.0,
    minutes: float = 0.0,
    soc_pct: float = 20.0,
) -> Plan:
    scheduler = DailyScheduler(site(planner=f"{{change_worth: {worth}}}"))
    now = NOW + timedelta(minutes=minutes)
    return scheduler.make_plan(
        PlanQuestion(
            now_utc=now,
            soc_pct=soc_pct,
            prices=prices,
            forecast=forecast_of(load_w, now=now),
            previous=previous,
        )
    )


def charging(plan: Plan) -> list[bool]:
    return [slot.battery_power_w > 100.0 for slot in plan.slots]


def test_a_change_that_is_worth_nothing_is_not_made() -> None:
    # Two hours swap their prices by a tenth of a cent: where to charge is as good as ever.
    before = make()
    nearly = site_prices(*([0.1205, 0.12] * 3 + [0.5] * 3 + [0.1] * 3))
    steady = make(nearly, previous=before)
    assert charging(steady) == charging(before)
    assert charging(make(nearly)) != charging(before)


def test_a_change_that_pays_is_made() -> None:
    before = make()
    turned = site_prices(*([0.30, 0.12] * 3 + [0.5] * 3 + [0.1] * 3))
    assert charging(make(turned, previous=before)) == charging(make(turned))


def test_with_nothing_asked_for_a_change_every_plan_is_the_best() -> None:
    before = make()
    nearly = site_prices(*([0.1205, 0.12] * 3 + [0.5] * 3 + [0.1] * 3))
    free = make(nearly, previous=before, worth=0.0)
    assert charging(free) == charging(make(nearly))


def test_a_plan_that_cannot_be_kept_is_not() -> None:
    full = make(soc_pct=20.0)
    later = make(previous=full, soc_pct=95.0)
    powers = np.array([slot.battery_power_w for slot in later.slots])
    assert (powers <= 1.0).all()


@pytest.mark.parametrize("minutes", [5.0, 15.0, 20.0])
def test_as_time_goes_by_a_plan_stays_what_it_was(minutes: float) -> None:
    before = make()
    after = make(previous=before, minutes=minutes)
    passed = int(minutes // 15)
    modes = [slot.mode for slot in before.slots[passed:]]
    same = [a is b for a, b in zip(modes, [slot.mode for slot in after.slots], strict=False)]
    assert sum(same) >= len(same) - 2


def test_a_plan_over_is_no_plan_to_keep() -> None:
    before = make(site_prices(0.1, 0.2))
    later = make(previous=before, minutes=240.0)
    assert later.slots[0].mode in set(SlotMode)
    assert later == make(minutes=240.0)


def test_a_plan_by_marks_binds_no_later_one_for_marks_are_kept_by_themselves() -> None:
    before = make()
    led = replace(
        before, slots=tuple(replace(one, mode=SlotMode.STORED_VALUE) for one in before.slots)
    )
    nearly = site_prices(*([0.1205, 0.12] * 3 + [0.5] * 3 + [0.1] * 3))
    assert charging(make(nearly, previous=led)) == charging(make(nearly))
    assert charging(make(nearly, previous=before)) != charging(make(nearly))
