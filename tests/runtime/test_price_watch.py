"""Asking for prices holds up nobody, and ends at once."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.core.config import Site
from holdfast.core.config.prices import AwattarSource
from holdfast.core.errors import PriceDataError
from holdfast.markets.prices import Direction
from holdfast.runtime.plan_worker import PlanWorker
from holdfast.runtime.planner import Planner
from holdfast.runtime.price_watch import PriceWatch, read_prices
from holdfast.runtime.weather_watch import WeatherWatch
from holdfast.site.files import SiteFiles
from tests.builders import build_site
from tests.markets.http_server import PriceServer, Reply, Seen, serving

FEED_IN = {"source": {"kind": "fixed", "price_per_kwh": 0.08}}
DEADLINE_S = 20.0


def awattar_now() -> bytes:
    """Hours from yesterday to the day after tomorrow, whatever the time is."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    first = int(start.timestamp())
    rows = [
        {
            "start_timestamp": (first + n * 3600) * 1000,
            "end_timestamp": (first + (n + 1) * 3600) * 1000,
            "marketprice": 100.0,
            "unit": "Eur/MWh",
        }
        for n in range(96)
    ]
    return json.dumps({"data": rows}).encode()


def site_of(server: PriceServer) -> Site:
    source = {"kind": "awattar", "url": server.url}
    return build_site(prices={"purchase": {"source": source}, "feed_in": FEED_IN})


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteFiles:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return SiteFiles(state_dir=tmp_path)


@pytest.fixture
def end() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def wait_for_prices(watch: PriceWatch, source: AwattarSource) -> None:
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        try:
            watch.read(source, Direction.PURCHASE)
        except PriceDataError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError("no prices came")


def source_of(site: Site) -> AwattarSource:
    assert site.prices is not None
    assert isinstance(site.prices.purchase.source, AwattarSource)
    return site.prices.purchase.source


def test_prices_come_by_themselves_and_are_kept(files: SiteFiles, end: threading.Event) -> None:
    with serving(lambda _: Reply(body=awattar_now())) as server:
        site = site_of(server)
        watch = PriceWatch(site, files)
        watch.start(end)
        wait_for_prices(watch, source_of(site))
        watch.check()
        asked = len(server.seen)
    # Another process finds them on disk, and does not ask again.
    collector = read_prices(site, files)
    assert collector.read(source_of(site), Direction.PURCHASE).price_at(datetime.now(UTC)) == 0.1
    assert len(server.seen) == asked == 1


def test_a_source_that_does_not_answer_holds_up_nobody(
    files: SiteFiles, end: threading.Event
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def slow(_: Seen) -> Reply:
        asked.set()
        answer.wait(DEADLINE_S)
        return Reply(body=awattar_now())

    with serving(slow) as server:
        site = site_of(server)
        watch = PriceWatch(site, files)
        planner = Planner(site, files, watch, WeatherWatch(site, files), PlanWorker(site))
        watch.start(end)
        assert asked.wait(DEADLINE_S)
        planner.work()
        with pytest.raises(PriceDataError, match="has not answered yet"):
            watch.read(source_of(site), Direction.PURCHASE)
        (thread,) = [one for one in threading.enumerate() if one.name == "prices"]
        assert thread.daemon, "the process ends without waiting for it"
        end.set()
        answer.set()
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


def test_a_watch_that_has_ended_is_noticed(files: SiteFiles, end: threading.Event) -> None:
    with serving(lambda _: Reply(status=503)) as server:
        site = site_of(server)
        watch = PriceWatch(site, files)
        watch.check()  # not started yet
        watch.start(end)
        planner = Planner(site, files, watch, WeatherWatch(site, files), PlanWorker(site))
        planner.work()
        end.set()
        for thread in threading.enumerate():
            if thread.name == "prices":
                thread.join(DEADLINE_S)
        with pytest.raises(RuntimeError, match="no longer watched"):
            planner.work()


def test_a_site_that_asks_nobody_has_a_watch_that_rests(
    files: SiteFiles, end: threading.Event
) -> None:
    site = build_site(prices={"purchase": FEED_IN, "feed_in": FEED_IN})
    watch = PriceWatch(site, files)
    watch.start(end)
    watch.check()
    assert not files.prices.exists()
