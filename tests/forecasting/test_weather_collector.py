"""Weather that is known stays in force until newer comes, whatever the service answers."""

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from holdfast.core.config import Location
from holdfast.forecasting.weather_cache import FetchedWeather, WeatherCache
from holdfast.forecasting.weather_collector import ASK_EVERY, STALE_AFTER, WeatherCollector
from holdfast.site.files import write_atomically
from holdfast.web.carrier import Carrier
from tests.forecasting.open_meteo import open_meteo_answer
from tests.markets.http_server import PriceServer, Reply, always, serving

NOW = datetime(2026, 5, 8, 10, 7, tzinfo=UTC)
BERLIN = Location(latitude_deg=52.52, longitude_deg=13.41)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GOOD = open_meteo_answer(NOW)
LIMIT = {"error": True, "reason": "Hourly API request limit exceeded."}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "state" / "weather.packed"


def collector(
    path: Path,
    server: PriceServer,
    now: datetime = NOW,
    place: Location = BERLIN,
    chance: float = 0,
) -> WeatherCollector:
    return WeatherCollector(
        place,
        f"{server.url}/v1/forecast",
        cache=WeatherCache(path, write_atomically),
        fetch=Carrier(timeout_s=5.0).carry,
        chance=lambda: chance,
        now_utc=now,
    )


def test_weather_is_asked_for_at_once_and_then_every_hour(path: Path) -> None:
    with serving(always(GOOD)) as server:
        one = collector(path, server)
        assert one.state.fetched is None
        assert (one.state.age(NOW), one.state.is_stale(NOW)) == (None, True)
        for when, asked in ((NOW, 1), (NOW + ASK_EVERY - MINUTE, 1), (NOW + ASK_EVERY, 2)):
            one.refresh(when)
            assert len(server.seen) == asked
        assert server.seen[0].path == "/v1/forecast"
        assert server.seen[0].query["latitude"] == "52.5200"
        assert server.seen[0].query["past_days"] == "1"
    fetched = one.state.fetched
    assert fetched is not None
    assert fetched.utc == NOW + ASK_EVERY
    assert len(fetched.weather) == 9 * 96
    assert set(fetched.weather.temperature_c) == {20.0}


def test_sites_do_not_all_ask_in_the_same_second(path: Path) -> None:
    with serving(always(GOOD)) as server:
        one = collector(path, server, chance=1.0)
        one.refresh(NOW)
        assert one.state.ask_utc == NOW + ASK_EVERY + 5 * MINUTE


@pytest.mark.parametrize(
    ("reply", "told", "wait"),
    [
        (Reply(status=503, body=b"<html>maintenance</html>"), "HTTP 503", MINUTE),
        (Reply(status=404, body=b"<html>gone</html>"), "no JSON; it begins with b'<html>", MINUTE),
        (Reply(body=b"<!DOCTYPE html><html></html>"), "no JSON; it begins with b'<!DOC", MINUTE),
        (Reply(body=b""), "the answer is empty", MINUTE),
        (Reply(body=GOOD[:-9]), "no JSON", MINUTE),
        (Reply(body=GOOD, cut=1), "broke off", MINUTE),
        (Reply(hang_up=True), "broke off", MINUTE),
        (Reply(status=302, headers={"Location": "http://elsewhere"}), "not followed", HOUR),
        (Reply(status=403), "access is refused (HTTP 403)", 40 * MINUTE),
        (Reply(status=429, body=json.dumps(LIMIT).encode()), "asked too often", HOUR),
        (Reply(status=429, headers={"Retry-After": "7200"}), "asked too often", 2 * HOUR),
        (
            Reply(status=400, body=b'{"error": true, "reason": "Latitude must be in range"}'),
            "the service refuses: 'Latitude must be in range'",
            MINUTE,
        ),
        (Reply(body=open_meteo_answer(NOW - timedelta(days=30))), "no radiation for now", MINUTE),
        (Reply(body=open_meteo_answer(NOW + timedelta(days=2))), "no radiation for now", MINUTE),
        (
            Reply(body=open_meteo_answer(NOW, diffuse_radiation=[None] * 864)),
            "no radiation for now",
            MINUTE,
        ),
        (
            Reply(body=open_meteo_answer(NOW, temperature_2m=[500.0] * 864)),
            "temperature_2m: 500.0 is not within -60 to 60",
            MINUTE,
        ),
    ],
)
def test_a_bad_answer_leaves_the_old_weather_and_says_why(
    path: Path, reply: Reply, told: str, wait: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(always(GOOD)) as server:
        one = collector(path, server)
        one.refresh(NOW)
        before = one.state.fetched
        kept = path.read_bytes()
        server.answering = lambda _: reply
        one.refresh(NOW + ASK_EVERY)
        assert len(server.seen) == 2
        assert told in one.state.error
        assert one.state.ask_utc == NOW + ASK_EVERY + wait
        assert one.state.fetched is before
        assert path.read_bytes() == kept
        assert caplog.text.count("there is no new weather, the old one stays") == 1
        server.answering = always(open_meteo_answer(NOW + ASK_EVERY))
        one.refresh(one.state.ask_utc)
        assert (one.state.error, one.state.failures) == ("", 0)
        assert "there is new weather again" in caplog.text


def test_failures_are_told_once_and_waits_grow(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(always("", status=500)) as server:
        one, when = collector(path, server), NOW
        for minutes in (1, 2, 4):
            one.refresh(when)
            assert one.state.ask_utc - when == minutes * MINUTE
            when = one.state.ask_utc
    assert caplog.text.count("HTTP 500") == 1


def test_old_weather_is_told_to_be_stale(path: Path) -> None:
    with serving(always(GOOD)) as server:
        one = collector(path, server)
        one.refresh(NOW)
    assert one.state.age(NOW + HOUR) == HOUR
    assert not one.state.is_stale(NOW + STALE_AFTER)
    assert one.state.is_stale(NOW + STALE_AFTER + timedelta(seconds=1))


def test_weather_survives_a_restart_which_does_not_ask_again(path: Path) -> None:
    with serving(always(GOOD)) as server:
        first = collector(path, server)
        first.refresh(NOW)
        later = collector(path, server, NOW + HOUR / 2)
        later.refresh(NOW + HOUR / 2)
        assert len(server.seen) == 1
        before, after = first.state.fetched, later.state.fetched
        assert before is not None
        assert after is not None
        assert (after.utc, after.weather.first) == (NOW, before.weather.first)
        assert np.array_equal(after.weather.ghi_w_m2, before.weather.ghi_w_m2)
        # What came "tomorrow" is no reason to wait until then.
        early = collector(path, server, NOW - 3 * HOUR)
        early.refresh(NOW - 3 * HOUR)
        assert len(server.seen) == 2


def test_a_clock_that_is_set_back_keeps_nobody_waiting_for_years(path: Path) -> None:
    with serving(always(GOOD)) as server:
        one = collector(path, server)
        one.refresh(NOW)
        one.refresh(NOW - timedelta(days=400))
        assert len(server.seen) == 2


def test_the_weather_of_another_place_is_not_used(path: Path) -> None:
    with serving(always(GOOD)) as server:
        collector(path, server).refresh(NOW)
        moved = collector(path, server, place=Location(latitude_deg=48.1, longitude_deg=11.6))
        assert moved.state.fetched is None
        assert moved.state.ask_utc == NOW


def test_a_file_that_is_torn_or_touched_is_not_used(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(always(GOOD)) as server:
        collector(path, server).refresh(NOW)
        whole = path.read_bytes()
        touched = bytearray(whole)
        touched[-1] ^= 1
        for content in (b"", whole[:10], whole[: len(whole) // 2], whole[:-1], bytes(touched)):
            path.write_bytes(content)
            assert collector(path, server).state.fetched is None
            assert "weather.packed is not used" in caplog.text
            caplog.clear()
        path.write_bytes(whole)
        assert collector(path, server).state.fetched is not None


def test_a_disk_that_fails_stops_nobody(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError("no space left")

    with serving(always(GOOD)) as server:
        one = collector(path, server)
        one._cache = WeatherCache(path, full)
        with caplog.at_level(logging.ERROR):
            one.refresh(NOW)
    assert isinstance(one.state.fetched, FetchedWeather)
    assert "no space left" in caplog.text
