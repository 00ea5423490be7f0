"""What days have cost beside no battery and self-consumption, by figures worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.bill_line import BillPart
from holdfast.core.config import Site
from holdfast.core.config.prices import Prices
from holdfast.monitoring.history.database import HistoryError
from holdfast.monitoring.history.energies import PricesNow, counted
from holdfast.monitoring.history.minute_book import Minute
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.savings import HomeBattery, savings
from holdfast.monitoring.history.site_power import SitePower
from holdfast.monitoring.history.span_savings import SpanName, SpanSavings
from holdfast.monitoring.history.store import HistoryStore
from tests.builders import UNIT, build_site
from tests.monitoring.history.samples import place_in

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 11, 29)
FIXED = {"source": {"kind": "fixed", "price_per_kwh": 0.3}}


def site_of(**parts: Any) -> Site:
    prices = Prices.model_validate({"purchase": FIXED, "feed_in": FIXED, **parts})
    return build_site(timezone="Europe/Berlin").model_copy(update={"prices": prices})


SITE = site_of()
BATTERY = HomeBattery.of(SITE)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC)


def write(
    place: HistoryPlace,
    *quarters: tuple[float, float, float],
    day: date = DAY,
    soc_pct: tuple[float, float] = (50.0, 50.0),
    price: float = 0.3,
) -> None:
    """(load, PV, battery) in W of the quarter hours from midnight on; SOC goes in a line."""
    start_s = int(midnight(day).timestamp())
    store = HistoryStore(place, "here", start_s)
    for index, (load_w, pv_w, battery_w) in enumerate(quarters):
        grid_w = load_w - pv_w + battery_w
        power = SitePower(grid_w=grid_w, pv_w=pv_w, battery_w=(battery_w,))
        first, last = soc_pct
        for minute in range(15):
            share = (index * 15 + minute) / max(len(quarters) * 15 - 1, 1)
            sums = counted(power, PricesNow(purchase=price, feed_in=0.1), 60.0)
            store.write(
                Minute(
                    start_s=start_s + index * 900 + minute * 60,
                    units={f"{UNIT}/soc_pct": "%"},
                    values=np.full((1, 60), first + share * (last - first)),
                    samples=60,
                    quarter=dict(sums),
                    total={},
                    spells=(),
                ),
                start_s,
            )
    store.close()


def told(place: HistoryPlace, site: Site, span: SpanName, now: datetime) -> SpanSavings:
    (found,) = savings(site, HistoryReader(place, BERLIN), now, [span])
    return found


def test_a_morning_is_paid_for_as_counted_and_otherwise_as_worked_out(tmp_path: Path) -> None:
    """An hour of 2 kW from the grid, though the battery was half full."""
    place = place_in(tmp_path)
    write(place, *[(2000.0, 0.0, 0.0)] * 4)
    found = told(place, SITE, SpanName.TODAY, midnight(DAY) + timedelta(hours=1))
    assert found.paid == found.no_battery == pytest.approx(0.6)
    assert found.measured == pytest.approx(1.0)
    # Self-consumption takes the 2 kWh from the cells, which are as dear to fill again.
    used_wh = 2000.0 / BATTERY.efficiency
    refill = 0.3 / BATTERY.efficiency
    assert found.self_consumption == pytest.approx(used_wh / 1e3 * refill)
    assert found.saved_against_no_battery == pytest.approx(0.0)


def test_what_is_stored_more_counts_for_what_it_costs_to_buy(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    write(place, *[(500.0, 0.0, 2000.0)] * 4, soc_pct=(50.0, 60.0))
    found = told(place, SITE, SpanName.TODAY, midnight(DAY) + timedelta(hours=1))
    more_kwh = BATTERY.capacity_wh * 0.1 / 1e3
    assert found.stored_more_kwh == pytest.approx(more_kwh, rel=0.02)
    assert found.paid == pytest.approx(2.5 * 0.3 - found.stored_more_kwh * 0.3 / BATTERY.efficiency)
    assert found.no_battery == pytest.approx(0.5 * 0.3)


def test_the_tariffs_other_parts_are_in_all_three(tmp_path: Path) -> None:
    charges = {
        "demand_charges": [{"price_per_kw": 10, "period": "day"}],
        "standing_charges": [{"price": 24, "per": "day"}],
    }
    place, site = place_in(tmp_path), site_of(**charges)
    write(place, *[(3000.0, 0.0, 0.0)] * 4)
    found = told(place, site, SpanName.TODAY, midnight(DAY) + timedelta(hours=1))
    parts = {line.part: line.amount for line in found.lines}
    assert parts[BillPart.DEMAND] == pytest.approx(30.0)
    assert parts[BillPart.STANDING] == pytest.approx(1.0)
    assert found.no_battery == pytest.approx(0.9 + 30.0 + 1.0)
    assert found.self_consumption is not None
    assert found.self_consumption < 5.0  # it serves all of it


def test_a_month_is_billed_for_its_peak_and_a_day_says_that_it_is_not(tmp_path: Path) -> None:
    site = site_of(demand_charges=[{"price_per_kw": 10, "period": "month"}])
    place = place_in(tmp_path)
    write(place, *[(4000.0, 0.0, 0.0)] * 4)
    now = midnight(DAY) + timedelta(hours=1)
    assert told(place, site, SpanName.MONTH, now).paid == pytest.approx(1.2 + 40.0)
    day = told(place, site, SpanName.TODAY, now)
    assert day.paid == pytest.approx(1.2)
    assert day.missing == ("charges by the month: today has no part of them",)


def test_a_quota_of_the_month_that_is_used_up_is_not_there_today(tmp_path: Path) -> None:
    site = site_of(quotas=[{"energy_kwh": 1.5, "period": "month"}])
    place = place_in(tmp_path)
    write(place, *[(4000.0, 0.0, 0.0)] * 1, day=DAY - timedelta(days=1))
    write(place, *[(4000.0, 0.0, 0.0)] * 1)
    now = midnight(DAY) + timedelta(minutes=15)
    assert told(place, site, SpanName.YESTERDAY, now).paid == pytest.approx(0.0)
    assert told(place, site, SpanName.TODAY, now).paid == pytest.approx(0.15)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    place = place_in(tmp_path)
    write(place, (1000.0, 0.0, 0.0))
    now = midnight(DAY) + timedelta(hours=2)
    assert told(place, SITE, SpanName.TODAY, now).missing == ("only 12% of it was measured",)
    none = told(place, SITE, SpanName.YESTERDAY, now)
    assert (none.paid, none.saved_against_no_battery) == (None, None)
    assert none.missing == ("nothing was measured in it, with its prices",)
    bare = SITE.model_copy(update={"prices": None})
    assert told(place, bare, SpanName.TODAY, now).missing == ("site.yaml has no prices",)


def test_a_site_without_a_history_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="no history"):
        told(place_in(tmp_path), SITE, SpanName.TODAY, midnight(DAY) + timedelta(hours=2))


@given(
    st.lists(st.floats(-3000, 3000), min_size=1, max_size=40),
    st.floats(BATTERY.least_wh, BATTERY.most_wh),
)
def test_self_consumption_makes_no_energy_and_stays_within_its_limits(
    net_wh: list[float], stored_wh: float
) -> None:
    left_wh, end_wh = BATTERY.follow(net_wh, stored_wh)
    assert BATTERY.least_wh - 1e-6 <= end_wh <= BATTERY.most_wh + 1e-6
    for before, left in zip(net_wh, left_wh, strict=True):
        assert abs(left) <= abs(before) + 1e-9  # it never makes it worse at the meter
        assert left * before >= -1e-6
    into_wh = sum(left_wh) - sum(net_wh)  # AC, + into the battery
    lossless_wh = end_wh - stored_wh
    assert into_wh >= lossless_wh - 1e-6
