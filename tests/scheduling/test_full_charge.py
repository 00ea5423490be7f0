"""Now and then the battery becomes full, when that is cheapest, and at the latest when it must."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.asked_slot import AskedBy
from holdfast.core.config.reserve import FullCharge
from holdfast.core.slot_mode import SlotMode
from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.full_charge import FullChargeAsker, FullChargeMemory
from holdfast.simulation.demo_site import simulated_site

START = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WISH = FullCharge(every_days=7, within_days=1, kept_hours=1)
SITE = simulated_site()


def asker(wish: FullCharge = WISH, memory: FullChargeMemory | None = None) -> FullChargeAsker:
    return FullChargeAsker(wish, SITE, memory)


def prices(start: datetime, hours: int, price: Callable[[int], float]) -> SitePrices:
    slots = tuple(
        PriceSlot(
            start_utc=start + h * HOUR, end_utc=start + (h + 1) * HOUR, price_per_kwh=price(h)
        )
        for h in range(hours)
    )
    series = PriceSeries(currency="EUR", slots=slots)
    half = tuple(
        PriceSlot(start_utc=s.start_utc, end_utc=s.end_utc, price_per_kwh=0.05) for s in slots
    )
    return SitePrices(
        currency="EUR", purchase=series, feed_in=PriceSeries(currency="EUR", slots=half)
    )


def chosen(full: FullChargeAsker, now: datetime) -> tuple[datetime, datetime] | None:
    found = full.asked(now, now + 10 * DAY)
    return (found[0].start, found[0].end) if found else None


def watched() -> FullChargeMemory:
    return FullChargeMemory(counted_from=START)


def test_nothing_is_asked_before_it_is_due() -> None:
    full = asker()
    for hours in range(7 * 24):
        now = START + hours * HOUR
        full.look(now, 50.0, prices(now, 24, lambda h: 0.3), None)
        assert chosen(full, now) is None


def test_once_due_the_cheapest_time_is_chosen() -> None:
    full, now = asker(memory=watched()), START + 7 * DAY
    full.look(now, 50.0, prices(now, 24, lambda h: 0.10 if 13 <= h < 16 else 0.30), None)
    window = chosen(full, now)
    assert window is not None
    assert now + 13 * HOUR <= window[0] < window[1] <= now + 16 * HOUR
    (slot,) = full.asked(now, now + DAY)
    assert (slot.by, slot.mode, slot.who) == (AskedBy.SCHEDULE, SlotMode.FULL_CHARGE, "full charge")
    assert slot.reason == "not full since 2026-03-02; this is the cheapest time"


def test_surplus_counts_as_what_it_would_earn() -> None:
    full, now = asker(memory=watched()), START + 7 * DAY
    pv = PowerForecast(
        start_utc=now, mean_w=(0.0,) * 40 + (9000.0,) * 16 + (0.0,) * 100, basis=Basis.WEATHER
    )
    load = PowerForecast(start_utc=now, mean_w=(300.0,) * 156, basis=Basis.HISTORY)
    full.look(now, 50.0, prices(now, 24, lambda h: 0.20), SiteForecast(load=load, pv=pv))
    window = chosen(full, now)
    assert window is not None
    assert now + 10 * HOUR <= window[0] < window[1] <= now + 14 * HOUR


def test_what_has_begun_is_not_moved_and_what_has_not_may_be() -> None:
    full, now = asker(memory=watched()), START + 7 * DAY
    full.look(now, 50.0, prices(now, 12, lambda h: 0.10 if h >= 8 else 0.30), None)
    first = chosen(full, now)
    full.look(
        now + HOUR, 50.0, prices(now + HOUR, 24, lambda h: 0.01 if 15 <= h < 19 else 0.3), None
    )
    second = chosen(full, now)
    assert first is not None
    assert second is not None
    assert second[0] >= now + 16 * HOUR > first[0]
    begun = second[0] + HOUR / 4
    full.look(begun, 60.0, prices(begun, 24, lambda h: -0.5 if h == 20 else 0.3), None)
    assert chosen(full, begun) == second


def test_it_is_over_once_it_was_full_for_long_enough() -> None:
    full, now = asker(memory=watched()), START + 8 * DAY
    full.look(now, 50.0, None, None)
    assert chosen(full, now) is not None
    for minutes in range(0, 60, 5):
        full.look(now + timedelta(minutes=minutes), 99.5, None, None)
        assert full.memory.counted_from == START
    full.look(now + HOUR, 99.5, None, None)
    assert full.memory.counted_from == now + HOUR
    assert chosen(full, now + HOUR) is None


def test_full_for_a_moment_does_not_count() -> None:
    full = asker(memory=watched())
    for minutes in range(0, 600, 5):
        full.look(START + timedelta(minutes=minutes), 99.5 if minutes % 30 else 98.0, None, None)
    assert full.memory.counted_from == START


def test_without_prices_it_waits_no_longer_than_it_may() -> None:
    full, due = asker(memory=watched()), START + 7 * DAY
    full.look(due + 0.9 * DAY, 50.0, None, None)
    assert chosen(full, due + 0.9 * DAY) is None
    full.look(due + DAY, 50.0, None, None)
    window = chosen(full, due + DAY)
    assert window is not None
    assert window[0] == due + DAY


def test_it_does_not_wait_for_what_is_cheaper_but_too_late() -> None:
    full, now = asker(memory=watched()), START + 7 * DAY + 0.5 * DAY
    full.look(now, 50.0, prices(now, 48, lambda h: 0.01 if h > 20 else 0.30), None)
    window = chosen(full, now)
    assert window is not None
    assert window[0] <= START + 8 * DAY


def test_a_charge_that_did_not_become_full_is_tried_again() -> None:
    full, now = asker(memory=watched()), START + 8 * DAY
    full.look(now, 50.0, None, None)
    window = chosen(full, now)
    assert window is not None
    full.look(window[1], 60.0, None, None)
    again = chosen(full, window[1])
    assert again is not None
    assert again[0] == window[1]


@pytest.mark.parametrize("known", [True, False])
@given(hours=st.lists(st.floats(0.1, 30.0), min_size=1, max_size=40), soc_pct=st.floats(0.0, 100.0))
def test_whatever_happens_a_charge_is_bounded(
    known: bool, hours: list[float], soc_pct: float
) -> None:
    full, now = asker(), START
    for step in hours:
        now += step * HOUR
        full.look(
            now,
            soc_pct,
            prices(now.replace(minute=0, second=0, microsecond=0), 30, lambda h: 0.1 * (h % 5))
            if known
            else None,
            None,
        )
        window = chosen(full, now)
        if window is not None:
            assert timedelta(0) < window[1] - window[0] <= timedelta(hours=6)
            assert window[1] > now
