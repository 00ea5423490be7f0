"""Bills were calculated by hand; what must hold for all of them is tried on many."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.bill_line import BillPart
from holdfast.core.config.prices import Prices
from holdfast.core.quarter_hours import QUARTER
from holdfast.markets.periods import PERIODS
from holdfast.markets.tariff_bill import (
    MeteredQuarter,
    TariffTerms,
    peaks_w_of,
    tariff_bill,
    terms_of,
)

BERLIN = ZoneInfo("Europe/Berlin")
FIXED = {"source": {"kind": "fixed", "price_per_kwh": 0.1}}
MAY = datetime(2026, 4, 30, 22, tzinfo=UTC)
"""May begins in Berlin."""


def terms(vat_pct: float = 0.0, **parts: Any) -> TariffTerms:
    purchase = {**FIXED, "vat_pct": vat_pct}
    prices = Prices.model_validate({"purchase": purchase, "feed_in": FIXED, **parts})
    return terms_of(prices, BERLIN)


def quarters(
    *import_wh: float,
    start: datetime = MAY,
    export_wh: float = 0.0,
    bought: float = 0.30,
    sold: float = 0.08,
) -> list[MeteredQuarter]:
    return [
        MeteredQuarter(
            start_utc=start + index * QUARTER,
            import_wh=wh,
            export_wh=export_wh,
            purchase_per_kwh=bought,
            feed_in_per_kwh=sold,
        )
        for index, wh in enumerate(import_wh)
    ]


def amounts(found: Sequence[MeteredQuarter], of: TariffTerms, **others: Any) -> list[float]:
    return [round(line.amount, 6) for line in tariff_bill(found, of, **others).lines]


# By hand. -----------------------------------------------------------------------------------------


def test_energy_is_paid_and_feed_in_earned_at_the_price_of_each_quarter_hour() -> None:
    found = quarters(1000, 500, export_wh=200) + quarters(250, start=MAY + 2 * QUARTER, bought=0.2)
    bill = tariff_bill(found, terms())
    energy, feed_in = bill.lines
    assert (energy.quantity, energy.unit) == (1.75, "kWh")
    assert energy.amount == pytest.approx(1.5 * 0.30 + 0.25 * 0.20)
    assert feed_in.amount == pytest.approx(-0.4 * 0.08)
    assert bill.total == pytest.approx(0.5 - 0.032)


def test_a_demand_charge_is_for_the_highest_quarter_hour_of_its_window_with_vat() -> None:
    charge = {"price_per_kw": 10, "period": "month", "from": "00:15"}
    # 2 kWh in a quarter hour are 8 kW, but at midnight nothing counts; then 0.75 kWh are 3 kW.
    assert amounts(quarters(2000, 750, 500), terms(20, demand_charges=[charge])) == [
        0.975, 0.0, 3 * 10 * 1.2,
    ]  # fmt: skip


def test_belgium_pays_for_the_mean_of_the_last_twelve_months_and_at_least_for_2_5_kw() -> None:
    charge = {"price_per_kw": 4, "period": "month", "least_kw": 2.5, "mean_of": 12}
    of = terms(demand_charges=[charge])
    # May 2025 is the thirteenth back, and June is to come.
    known = {"2025-05": 9e3, "2026-03": 4e3, "2026-04": 1e3, "2026-06": 9e3}
    bill = tariff_bill(quarters(1500), of, peaks_w=known)  # 6 kW
    assert bill.amount_of(BillPart.DEMAND) == pytest.approx(4 * (4 + 2.5 + 6) / 3)
    year = {f"2025-{month:02}": 3e3 for month in range(6, 13)}
    year |= {f"2026-{month:02}": 3e3 for month in range(1, 5)}
    bill = tariff_bill(quarters(1500), of, peaks_w=known | year)
    assert bill.amount_of(BillPart.DEMAND) == pytest.approx(4 * (11 * 3 + 6) / 12)


def test_capacity_has_its_price_and_another_one_above_it() -> None:
    charge = {"subscribed_kw": 4, "price_per_kw": 2, "excess_per_kw": 30, "period": "month"}
    of = terms(10, capacity_charges=[charge])
    assert amounts(quarters(0, 1500), of)[2:] == [4 * 2 * 1.1, round(2 * 30 * 1.1, 6)]
    assert amounts(quarters(0, 1000), of)[2:] == [4 * 2 * 1.1, 0.0]


def test_two_charges_by_the_month_have_a_peak_each() -> None:
    charges = [
        {"price_per_kw": 1, "period": "month", "from": "00:15"},
        {"price_per_kw": 10, "period": "month", "to": "00:15"},
    ]
    assert amounts(quarters(500, 250), terms(demand_charges=charges))[2:] == [1.0, 20.0]


def test_a_free_window_gives_fifty_kwh_a_month_and_no_more() -> None:
    of = terms(quotas=[{"energy_kwh": 5, "period": "month", "from": "11:00", "to": "14:00"}])
    eleven = MAY.replace(day=1, hour=9)
    morning = quarters(2000, start=eleven - QUARTER)
    noon = quarters(2000, 2000, 2000, start=eleven)
    bill = tariff_bill(morning + noon, of)
    assert bill.amount_of(BillPart.QUOTA) == pytest.approx(-5 * 0.30)
    assert bill.total == pytest.approx(3 * 0.30)
    # The next month has its own; the same day has not.
    june = quarters(2000, start=eleven.replace(month=6))
    assert tariff_bill(noon + june, of).amount_of(BillPart.QUOTA) == pytest.approx(-7 * 0.30)
    assert tariff_bill(noon[2:], of, before=noon[:2]).amount_of(BillPart.QUOTA) == pytest.approx(
        -0.3
    )


def test_the_next_quota_takes_what_the_first_one_left() -> None:
    both = [
        {"energy_kwh": 1, "period": "day"},
        {"energy_kwh": 1, "period": "day", "price_per_kwh": 0.1},
    ]
    assert amounts(quarters(5000), terms(20, quotas=both))[1:3] == [-0.30, round(0.12 - 0.30, 6)]


@pytest.mark.parametrize(
    ("start", "count", "days"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 92, 1.0),  # the clock is set forward
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 100, 1.0),  # and back
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 25, 0.25),
        (MAY, 96, 1.0),
        (MAY, 31 * 96, 31.0),
    ],
)
def test_a_standing_charge_by_the_day_knows_how_long_days_are(
    start: datetime, count: int, days: float
) -> None:
    of = terms(19, standing_charges=[{"name": "meter", "price": 0.5, "per": "day"}])
    (_, _, line) = tariff_bill(quarters(*[0.0] * count, start=start), of).lines
    assert (line.what, line.unit) == ("meter", "day")
    assert line.quantity == pytest.approx(days)
    assert line.amount == pytest.approx(days * 0.5 * 1.19)


def test_a_standing_charge_by_month_and_year_is_shared_by_time() -> None:
    of = terms(standing_charges=[{"price": 31, "per": "month"}, {"price": 365, "per": "year"}])
    assert amounts(quarters(*[0.0] * 96), of)[2:] == [1.0, 1.0]


def test_a_day_is_not_billed_for_the_peak_of_its_month() -> None:
    charges = [{"price_per_kw": 1, "period": period} for period in ("day", "month", "year")]
    of = terms(demand_charges=charges)
    assert [len(of.up_to(span).demand) for span in PERIODS] == [1, 2, 3]


def test_nothing_measured_is_no_bill() -> None:
    bill = tariff_bill([], terms(standing_charges=[{"price": 1, "per": "day"}]))
    assert (bill.lines, bill.total) == ((), 0)


# For all. -----------------------------------------------------------------------------------------

ALL_PARTS = terms(
    21,
    demand_charges=[{"price_per_kw": 3, "period": "day", "least_kw": 1, "from": "01:00"}],
    capacity_charges=[{"subscribed_kw": 2, "price_per_kw": 1, "excess_per_kw": 5, "period": "day"}],
    standing_charges=[{"price": 1, "per": "day"}],
    quotas=[{"energy_kwh": 3, "period": "day", "from": "00:30", "to": "02:00"}],
)
ENERGIES = st.lists(st.floats(0, 5000), min_size=1, max_size=12)


@given(ENERGIES, st.integers(0, 11), st.floats(0.01, 3000))
def test_more_import_never_costs_less_at_a_positive_price(
    import_wh: list[float], place: int, more_wh: float
) -> None:
    before = quarters(*import_wh)
    place %= len(before)
    after = list(before)
    after[place] = replace(after[place], import_wh=after[place].import_wh + more_wh)
    assert tariff_bill(after, ALL_PARTS).total >= tariff_bill(before, ALL_PARTS).total - 1e-9


@given(ENERGIES, st.floats(0, 4000))
def test_a_bill_is_the_sum_of_its_lines_and_of_its_days(
    import_wh: list[float], export_wh: float
) -> None:
    first = quarters(*import_wh, export_wh=export_wh)
    second = quarters(*reversed(import_wh), start=MAY + 96 * QUARTER)
    bills = [tariff_bill(part, ALL_PARTS) for part in (first, second)]
    for bill in bills:
        assert bill.total == pytest.approx(bill.amount_of(*BillPart))
    standing = [bill.amount_of(BillPart.STANDING) for bill in bills]
    whole = tariff_bill(first + second, ALL_PARTS)
    without_standing = whole.total - whole.amount_of(BillPart.STANDING)
    assert without_standing == pytest.approx(sum(b.total for b in bills) - sum(standing))


@given(ENERGIES)
def test_no_quarter_hour_is_above_the_peak_that_is_paid_for(import_wh: list[float]) -> None:
    (price, _) = ALL_PARTS.demand
    found = quarters(*import_wh)
    (peak_w,) = peaks_w_of(found, price).values()
    assert all(peak_w >= 4 * q.import_wh - 1e-6 for q in found if price.counts_at(q.start_utc))
