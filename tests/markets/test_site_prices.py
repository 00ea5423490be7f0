"""What the owner pays and gets: by the local clock, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from holdfast.core.config.prices import Tariff
from holdfast.core.errors import PriceDataError
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.markets.site_prices import SitePrices, SiteTariffs
from holdfast.markets.tariff import owner_price_per_kwh, quarters
from tests.markets.builders import BERLIN, DAY, HOUR, NOW, QUARTER, TODAY, series, site

FILE = {"kind": "file", "path": "prices.xml"}
FIXED = {"kind": "fixed", "price_per_kwh": 0.30}


def at(text: str) -> datetime:
    """An instant by the clock in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def owned(
    purchase: dict[str, Any],
    feed_in: dict[str, Any] | None = None,
    *,
    known: PriceSeries | None = None,
    start: datetime = TODAY,
    end: datetime = TODAY + DAY,
    **keys: Any,
) -> SitePrices:
    def read(*_: object) -> PriceSeries:
        assert known is not None
        return known

    return SiteTariffs(site(purchase, feed_in, **keys), read).prices(start, end)


# The tariff


def tariff(**keys: Any) -> Tariff:
    return Tariff.model_validate({"source": FIXED, **keys})


def test_the_tariff_is_what_stands_on_the_bill() -> None:
    one = tariff(factor=1.5, fees=[{"price_per_kwh": 0.10}], levies_per_kwh=0.05, vat_pct=20)
    assert owner_price_per_kwh(0.20, one, NOW, BERLIN) == pytest.approx((0.30 + 0.10 + 0.05) * 1.2)
    assert owner_price_per_kwh(-0.20, one, NOW, BERLIN) == pytest.approx(-0.18)
    assert owner_price_per_kwh(0.2, tariff(), NOW, BERLIN) == 0.2
    paid_less = tariff(levies_per_kwh=-0.005)
    assert owner_price_per_kwh(0.2, paid_less, NOW, BERLIN) == pytest.approx(0.195)


def test_fees_change_within_a_slot_of_the_exchange() -> None:
    fees = [
        {"from": "12:30", "to": "13:15", "price_per_kwh": 0.2},
        {"price_per_kwh": 0.1},
    ]
    prices = owned({"source": FILE, "fees": fees}, known=series(1.0, 1.0, start=NOW))  # 12:00
    assert [round(slot.price_per_kwh, 9) for slot in prices.purchase] == [
        1.1,
        1.1,
        1.2,
        1.2,
        1.2,
        1.1,
        1.1,
        1.1,
    ]


def test_slots_are_cut_at_quarter_hours_and_never_stretched() -> None:
    minute = timedelta(minutes=1)
    cut = list(quarters(NOW + 10 * minute, NOW + 35 * minute))
    assert cut == [
        (NOW + 10 * minute, NOW + 15 * minute),
        (NOW + 15 * minute, NOW + 30 * minute),
        (NOW + 30 * minute, NOW + 35 * minute),
    ]
    assert list(quarters(NOW, NOW)) == []


def test_a_long_slot_is_known_within_the_window_alone() -> None:
    day = series(0.1, length=DAY)
    prices = owned({"source": FILE}, known=day, start=NOW + QUARTER, end=NOW + HOUR)
    assert prices.purchase.slots[0].start_utc == NOW + QUARTER
    assert len(prices.purchase) == len(prices.feed_in) == 3


# The clock


TIME_OF_USE = {
    "kind": "time_of_use",
    "prices": [
        {"from": "02:00", "to": "03:00", "price_per_kwh": 0.10},
        {"from": "22:00", "to": "06:00", "price_per_kwh": 0.20},
        {"price_per_kwh": 0.40},
    ],
}


@pytest.mark.parametrize(
    ("day", "hours", "cheap"),
    [("2026-03-29", 23, 0), ("2026-10-25", 25, 8), ("2026-05-08", 24, 4)],
)
def test_time_of_use_on_days_with_a_clock_change(day: str, hours: int, cheap: int) -> None:
    start = at(f"{day}T00:00")
    prices = owned(TIME_OF_USE, start=start, end=start + hours * HOUR)
    values = [slot.price_per_kwh for slot in prices.purchase]
    assert len(values) == 4 * hours
    assert values.count(0.10) == cheap
    assert values.count(0.40) == 64
    assert prices.known_until(start) == start + hours * HOUR
    evening = at(f"{day}T22:00")
    assert prices.purchase.price_at(evening - timedelta(seconds=1)) == 0.40
    assert prices.purchase.price_at(evening) == 0.20


def test_a_fixed_price_holds_in_any_window_from_the_present_quarter_on() -> None:
    prices = owned(FIXED, start=NOW + timedelta(minutes=7), end=NOW + HOUR)
    assert prices.purchase.slots[0].start_utc == NOW
    assert {slot.price_per_kwh for slot in prices.purchase} == {0.30}
    assert {slot.price_per_kwh for slot in prices.feed_in} == {0.08}
    assert prices.known_until(NOW + timedelta(minutes=7)) == NOW + HOUR


# Both together


def test_prices_reach_as_far_as_both_do() -> None:
    long, short = series(*[0.1] * 24), series(*[0.1] * 20)
    for purchase, feed_in in ((long, short), (short, long)):
        prices = SitePrices(currency="EUR", purchase=purchase, feed_in=feed_in)
        assert prices.known_until(NOW) == TODAY + 20 * HOUR
        assert prices.known_until(TODAY + 21 * HOUR) is None
    prices = SitePrices(currency="EUR", purchase=long, feed_in=series())
    assert prices.known_until(NOW) is None
    assert prices.start_utc is None
    later = SitePrices(currency="EUR", purchase=long, feed_in=series(0.1, start=TODAY + 5 * HOUR))
    assert later.start_utc == TODAY + 5 * HOUR


def test_a_window_of_prices_keeps_all_else() -> None:
    prices = owned(FIXED).between(NOW, NOW + HOUR)
    assert len(prices.purchase) == len(prices.feed_in) == 4
    assert prices.currency == "EUR"


def test_another_currency_than_the_sites_is_refused() -> None:
    with pytest.raises(PriceDataError, match="in SEK, the site is in EUR"):
        owned(FILE, known=series(0.1, currency="SEK"))
    with pytest.raises(PriceDataError, match="in SEK, the site is in EUR"):
        owned(FIXED, FILE, known=series(0.1, currency="SEK"))


def test_an_exchange_rate_says_what_a_unit_of_the_sources_currency_costs() -> None:
    purchase = {"source": FILE, "exchange_rate": 11.2, "levies_per_kwh": 0.5, "vat_pct": 25}
    prices = owned(purchase, known=series(0.10, -0.01), currency="SEK")
    assert prices.currency == "SEK"
    assert prices.purchase.price_at(TODAY) == pytest.approx((1.12 + 0.5) * 1.25)
    assert prices.purchase.price_at(TODAY + HOUR) == pytest.approx((-0.112 + 0.5) * 1.25)


def test_a_rate_that_lacks_or_is_too_much_is_told_with_what_to_write() -> None:
    with pytest.raises(
        PriceDataError, match=r"prices are in EUR, the site is in SEK; exchange_rate: .* says how"
    ):
        owned({"source": FILE}, known=series(0.1), currency="SEK")
    with pytest.raises(PriceDataError, match="in EUR already; remove exchange_rate"):
        owned({"source": FILE, "exchange_rate": 1.1}, known=series(0.1))


def test_each_direction_reads_its_own_source() -> None:
    asked: list[Direction] = []

    def read(_: object, direction: Direction) -> PriceSeries:
        asked.append(direction)
        return series(*[0.1 if direction is Direction.PURCHASE else 0.05] * 24)

    book = SiteTariffs(site(FILE, FILE), read)
    prices = book.prices(TODAY, TODAY + DAY)
    assert asked == [Direction.PURCHASE, Direction.FEED_IN]
    assert (prices.purchase.price_at(NOW), prices.feed_in.price_at(NOW)) == (0.1, 0.05)


def test_the_span_is_what_all_sources_know() -> None:
    known = {
        Direction.PURCHASE: series(*[0.1] * 24),
        Direction.FEED_IN: series(*[0.1] * 24, start=TODAY + HOUR),
    }
    book = SiteTariffs(site(FILE, FILE), lambda _, direction: known[direction])
    assert book.span_utc() == (TODAY + HOUR, TODAY + 24 * HOUR)
    only = SiteTariffs(site(FILE), lambda *_: known[Direction.PURCHASE])
    assert only.span_utc() == (TODAY, TODAY + DAY)
    assert SiteTariffs(site(FIXED), lambda *_: series()).span_utc() is None


def test_a_source_that_knows_nothing_has_no_span() -> None:
    with pytest.raises(PriceDataError, match="knows no price"):
        SiteTariffs(site(FILE), lambda *_: series()).span_utc()


def test_a_site_without_prices_has_no_book() -> None:
    bare = site(FIXED).model_copy(update={"prices": None})
    with pytest.raises(PriceDataError, match="no prices"):
        SiteTariffs(bare, lambda *_: series())


# Demand charges


def test_demand_charges_are_numbers_for_the_optimizer() -> None:
    charges = [
        {"price_per_kw": 10.0, "period": "month", "from": "07:00", "to": "22:00"},
        {"price_per_kw": 1.0, "period": "day"},
        {"price_per_kw": 2.0, "period": "year"},
    ]
    one = site({"source": FIXED, "vat_pct": 20})
    assert one.prices is not None
    content = one.model_dump(by_alias=True)
    content["prices"]["demand_charges"] = charges
    book = SiteTariffs(type(one).model_validate(content), lambda *_: series())
    month, day, year = book.prices(TODAY, TODAY + HOUR).demand
    assert [month.price_per_kw, day.price_per_kw, year.price_per_kw] == [12.0, 1.2, 2.4]
    assert month.counts_at(at("2026-05-08T07:00"))
    assert not month.counts_at(at("2026-05-08T06:45"))
    assert day.counts_at(at("2026-05-08T03:00"))
    # By the local clock: at 23:30 UTC the next day has begun.
    late = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)
    assert [item.period_of(late) for item in (month, day, year)] == [
        "2027-01",
        "2027-01-01",
        "2027",
    ]
    assert day.zone == ZoneInfo("Europe/Berlin")
