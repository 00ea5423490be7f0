"""Whatever a house's history looks like there is a plan that the gate takes, or a word."""

from collections.abc import Callable

import numpy as np
import pytest

from holdfast.control.plan_gate import accept_plan
from holdfast.core.plan import Plan
from holdfast.core.quarter_hours import QUARTER, quarter_of
from holdfast.core.slot_mode import SlotMode
from holdfast.forecasting.array_file import Floats
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.scheduling.rolling_planner import RollingPlanner
from tests.scheduling.planning import NOW, site, site_prices

DAY = 96
PRICES = site_prices(*([0.15] * 6 + [0.35] * 10 + [0.12] * 8), sold=0.07)


def powers(days: int) -> tuple[Floats, Floats]:
    """Load with a peak in the evening, and the same sun each day; times are UTC."""
    hour = (np.arange(days * DAY) % DAY) / 4.0 + NOW.hour
    load_w = 400.0 + 1500.0 * np.exp(-(((hour % 24.0) - 18.0) ** 2) / 4.0)
    pv_w = 3000.0 * np.maximum(np.sin((hour % 24.0 - 5.0) / 14.0 * np.pi), 0.0)
    return load_w, pv_w


def known(load_w: Floats, pv_w: Floats) -> PowerHistory:
    history, first = PowerHistory(), quarter_of(NOW) - len(load_w)
    history.put(Field.LOAD_W, first, load_w)
    history.put(Field.PV_W, first, pv_w)
    return history


def planned(history: PowerHistory) -> Plan:
    planner = RollingPlanner(site(), history)
    plan = planner.plan(NOW, 50.0, PRICES)
    accept_plan(plan, now_ns=0, utc=NOW, site=site())
    return plan


def by_worth(plan: Plan) -> bool:
    return any(slot.mode is SlotMode.STORED_VALUE for slot in plan.slots)


def _wild(load_w: Floats, pv_w: Floats) -> tuple[Floats, Floats]:
    random = np.random.default_rng(3)
    times = np.repeat(random.choice([0.0, 0.2, 3.0, 10.0], len(load_w) // DAY), DAY)
    return load_w * times, pv_w * times[::-1]


def _holes(load_w: Floats, pv_w: Floats) -> tuple[Floats, Floats]:
    lost = np.random.default_rng(4).random(len(load_w)) < 0.3
    return np.where(lost, np.nan, load_w), np.where(lost, np.nan, pv_w)


def _new_meter(load_w: Floats, pv_w: Floats) -> tuple[Floats, Floats]:
    """The old one told kW for W, and nothing for two days."""
    old, none = len(load_w) - 10 * DAY, slice(len(load_w) - 12 * DAY, len(load_w) - 10 * DAY)
    load_w, pv_w = load_w.copy(), pv_w.copy()
    load_w[:old] /= 1000.0
    pv_w[:old] /= 1000.0
    load_w[none] = pv_w[none] = np.nan
    return load_w, pv_w


def _twice(load_w: Floats, pv_w: Floats) -> tuple[Floats, Floats]:
    load_w = load_w.copy()
    load_w[-6 * DAY :] *= 2.0
    return load_w, pv_w


def _same(load_w: Floats, pv_w: Floats) -> tuple[Floats, Floats]:
    return load_w, pv_w


KINDS: dict[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    "days that all agree": _same,
    "days that all disagree": _wild,
    "a third lost": _holes,
    "a meter that was changed": _new_meter,
    "a house that has doubled its load": _twice,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("days", [7, 13, 40])
def test_there_is_a_plan_that_the_gate_takes(kind: str, days: int) -> None:
    plan = planned(known(*KINDS[kind](*powers(days))))
    assert plan.slots[0].start == NOW
    assert plan.slots[-1].end == PRICES.purchase.slots[-1].end_utc


@pytest.mark.parametrize("days", range(6))
def test_of_too_few_days_nothing_is_made_up(days: int) -> None:
    """Marks come once five whole days of errors are known, and these need forecasts before."""
    assert not by_worth(planned(known(*powers(days))))


def test_where_all_days_agree_what_stored_energy_is_worth_says_what_the_forecast_does() -> None:
    history = known(*powers(40))
    costs = []
    for days in (28, 0):
        one = site(planner=f"{{scenario_days: {days}}}")
        plan = RollingPlanner(one, history).plan(NOW, 50.0, PRICES)
        assert by_worth(plan) is (days > 0)
        bought = [(slot.grid_power_w or 0.0, slot.import_price_per_kwh) for slot in plan.slots]
        hours = QUARTER.total_seconds() / 3600.0 / 1000.0
        costs.append(
            sum(w * hours * (price if w > 0.0 else 0.07) for w, price in bought)
            - plan.slots[-1].soc_end_pct / 100.0 * 10.0 * 0.1  # type: ignore[operator]
        )
    assert costs[0] == pytest.approx(costs[1], abs=0.1)


def test_a_load_that_has_doubled_is_mostly_known_within_six_days() -> None:
    before, after = (
        RollingPlanner(site(), known(*kind(*powers(40)))).forecast(NOW).load
        for kind in (_same, _twice)
    )
    assert sum(after.mean_w) > 1.6 * sum(before.mean_w)


def test_powers_a_thousand_times_too_small_are_doubted_in_the_plan() -> None:
    load_w, pv_w = powers(40)
    assert "kW" in planned(known(load_w / 1000.0, pv_w / 1000.0)).note
