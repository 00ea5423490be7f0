"""What a kWh costs is read from what the planner keeps; nobody is asked."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.core.config.prices import AwattarSource
from holdfast.core.quarter_hours import quarter_start
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.price_cache import FetchedPrices, PriceCache
from holdfast.markets.prices import Direction, PriceSeries, PriceSlot
from holdfast.monitoring.history.energies import PricesNow
from holdfast.runtime import known_prices
from holdfast.runtime.known_prices import READ_EVERY_S, KnownPrices
from holdfast.site.files import SiteFiles, write_atomically
from tests.builders import build_site

NOW = quarter_start(datetime(2026, 11, 29, 12, 7, tzinfo=UTC))
URL = "http://127.0.0.1:9/nobody"
ASKED = build_site(
    prices={
        "purchase": {"source": {"kind": "awattar", "url": URL}, "vat_pct": 20.0},
        "feed_in": {"source": {"kind": "fixed", "price_per_kwh": 0.08}},
    }
)


def keep(files: SiteFiles, price: float) -> None:
    slot = PriceSlot(start_utc=NOW, end_utc=NOW + timedelta(hours=1), price_per_kwh=price)
    answer = PriceAnswer(prices=PriceSeries(currency="EUR", slots=(slot,)))
    source = AwattarSource(kind="awattar", url=URL)
    PriceCache(files.prices, write_atomically).keep(
        source, Direction.PURCHASE, FetchedPrices(utc=NOW, answer=answer)
    )


@pytest.fixture
def files(tmp_path: Path) -> SiteFiles:
    return SiteFiles(state_dir=tmp_path)


def test_the_owners_prices_hold_for_their_quarter_hours(files: SiteFiles) -> None:
    keep(files, 0.25)
    prices = KnownPrices(ASKED, files)
    assert prices.at(NOW) == PricesNow()
    prices.refresh(NOW)
    found = prices.at(NOW + timedelta(minutes=59))
    assert (found.purchase, found.feed_in) == pytest.approx((0.3, 0.08))
    assert prices.at(NOW + timedelta(minutes=60)) == PricesNow(feed_in=0.08)


def test_what_the_planner_learns_is_read_after_a_while(
    files: SiteFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [1000.0]
    monkeypatch.setattr(known_prices.time, "monotonic", lambda: now_s[0])
    prices = KnownPrices(ASKED, files)
    prices.refresh(NOW)
    assert prices.at(NOW) == PricesNow()
    keep(files, 0.25)
    prices.refresh(NOW)
    assert prices.at(NOW) == PricesNow(), "a file is not read each second"
    now_s[0] += READ_EVERY_S
    prices.refresh(NOW)
    assert prices.at(NOW).purchase == pytest.approx(0.3)


def test_a_site_without_prices_knows_none(files: SiteFiles) -> None:
    prices = KnownPrices(build_site(), files)
    prices.refresh(NOW)
    assert prices.at(NOW) == PricesNow()
    assert list(files.state_dir.iterdir()) == []
