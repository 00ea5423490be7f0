"""The planner fetches weather beside what it does, and PV follows it."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.config import Site
from holdfast.core.quarter_hours import quarter_of
from holdfast.forecasting import workshop
from holdfast.forecasting.forecast import Basis
from holdfast.forecasting.history import Field
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.forecasting.weather import WeatherForecast
from holdfast.runtime.plan_worker import PlanWorker
from holdfast.runtime.planner import Planner
from holdfast.runtime.price_watch import PriceWatch
from holdfast.runtime.weather_watch import WeatherWatch, read_weather
from holdfast.site.files import SiteFiles
from tests.builders import build_site, room_content
from tests.forecasting.open_meteo import open_meteo_answer
from tests.markets.http_server import PriceServer, Reply, Seen, serving

DEADLINE_S = 300.0
"""A busy computer makes no test wrong."""
PLANT = {"arrays": [{"azimuth_deg": 180, "tilt_deg": 35, "peak_w": 10_000}]}
PLACE = {"latitude_deg": 52.52, "longitude_deg": 13.41}


def site_of(server: PriceServer) -> Site:
    return build_site(location=PLACE, pv=PLANT, weather={"url": f"{server.url}/v1/forecast"})


def now() -> datetime:
    return datetime.now(UTC)


def dull(_: Seen) -> Reply:
    return Reply(body=open_meteo_answer(now()))


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteFiles:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return SiteFiles(state_dir=tmp_path)


@pytest.fixture
def end() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def planner_of(site: Site, files: SiteFiles, watch: WeatherWatch) -> Planner:
    return Planner(site, files, PriceWatch(site, files), watch, PlanWorker(site))


def expected(planner: Planner) -> SiteForecast:
    return planner._rolling.forecast(now())


def wait_until(done: Callable[[], bool]) -> None:
    until = time.monotonic() + DEADLINE_S
    while not done():
        assert time.monotonic() < until
        time.sleep(0.2)  # what is waited for is done by another thread


def fetched(site: Site, files: SiteFiles) -> WeatherForecast:
    """What a watch that runs gets."""
    watch, stop = WeatherWatch(site, files), threading.Event()
    watch.start(stop)
    found: list[WeatherForecast | None] = [None]

    def came() -> bool:
        found[0] = watch.take()
        return found[0] is not None

    wait_until(came)
    assert watch.take() is None, "it is taken once"
    stop.set()
    assert found[0] is not None
    return found[0]


def test_the_planner_fetches_weather_and_pv_follows_it(
    files: SiteFiles, end: threading.Event
) -> None:
    pytest.importorskip("pvlib")
    with serving(dull) as server:
        site = site_of(server)
        watch = WeatherWatch(site, files)
        planner = planner_of(site, files, watch)
        assert expected(planner).pv.basis is not Basis.WEATHER
        watch.start(end)

        def follows() -> bool:
            planner.work()
            known = planner._rolling.history.window(Field.PV_MODEL_W, quarter_of(now()), 96)
            return bool(np.isfinite(known).all())

        wait_until(follows)
        assert expected(planner).pv.basis is Basis.WEATHER
        found = expected(planner)
        assert 0.0 < max(found.pv.mean_w) < 1500.0  # of 10 kW, under a dull sky
        assert found.temperature_at(now()) == 20.0
        assert len(server.seen) == 1
        planner.close()


def test_a_planner_that_is_started_anew_has_the_weather_and_does_not_ask(
    files: SiteFiles, end: threading.Event
) -> None:
    with serving(dull) as server:
        site = site_of(server)
        weather = fetched(site, files)
        again = WeatherWatch(site, files)
        again.start(end)
        taken = again.take()
        assert taken is not None
        assert (taken.first, len(taken)) == (weather.first, len(weather))
        assert len(server.seen) == 1
        state = read_weather(site, files)
        assert state is not None
        assert not state.is_stale(now())
        assert len(server.seen) == 1


def test_a_service_that_does_not_answer_holds_up_nobody(
    files: SiteFiles, end: threading.Event
) -> None:
    asked, answer = threading.Event(), threading.Event()

    def slow(seen: Seen) -> Reply:
        asked.set()
        answer.wait(DEADLINE_S)
        return dull(seen)

    with serving(slow) as server:
        site = site_of(server)
        watch = WeatherWatch(site, files)
        planner = planner_of(site, files, watch)
        watch.start(end)
        assert asked.wait(DEADLINE_S)
        planner.work()
        assert watch.take() is None
        (thread,) = [one for one in threading.enumerate() if one.name == "weather"]
        assert thread.daemon, "the process ends without waiting for it"
        end.set()
        answer.set()
        thread.join(DEADLINE_S)
        with pytest.raises(RuntimeError, match="weather: no longer watched"):
            planner.work()


def test_without_pvlib_it_says_what_to_install_and_temperatures_are_known_all_the_same(
    files: SiteFiles, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(workshop.NEEDS, "pv", "no_such_library")
    with serving(dull) as server:
        site = site_of(server)
        fetched(site, files)
        planner = planner_of(site, files, WeatherWatch(site, files))
        planner.work()
        found = expected(planner)
    assert "pip install 'holdfast[forecast]'" in caplog.text
    assert "no_such_library is missing" in caplog.text
    assert found.pv.basis is Basis.FALLBACK
    assert found.temperature_at(now()) == 20.0


@pytest.mark.parametrize("part", [{}, {"location": PLACE}])
def test_a_site_without_place_or_arrays_asks_nobody(
    part: dict[str, object], files: SiteFiles, end: threading.Event
) -> None:
    with serving(dull) as server:
        site = build_site(weather={"url": server.url}, **part)
        watch = WeatherWatch(site, files)
        watch.start(end)
        watch.check()
        assert watch.take() is None
        assert read_weather(site, files) is None
        assert server.seen == []


def test_a_site_with_rooms_asks_for_the_weather_they_are_in(
    files: SiteFiles, end: threading.Event
) -> None:
    with serving(dull) as server:
        site = build_site(
            location=PLACE, rooms=[room_content()], weather={"url": f"{server.url}/v1/forecast"}
        )
        watch = WeatherWatch(site, files)
        watch.start(end)
        until_s = time.monotonic() + DEADLINE_S
        while not server.seen and time.monotonic() < until_s:
            time.sleep(0.01)
        assert server.seen
