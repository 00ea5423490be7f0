"""Prices that are known stay in force until better ones come."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from holdfast.core.errors import ConfigError, PriceDataError, SourceError
from holdfast.markets.fetcher import Fetcher
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.price_collector import PriceCollector
from holdfast.markets.prices import Direction
from holdfast.web.request import RateLimited, TokenRefused
from tests.markets.builders import DAY, HOUR, NOW, TODAY, series, site, source
from tests.markets.collecting import (
    BOTH_DAYS,
    MINUTE,
    NL,
    SITE,
    TODAYS,
    Source,
    collector,
    read,
    state,
)
from tests.markets.http_server import Reply, serving
from tests.markets.sources.test_entsoe import document
from tests.markets.sources.test_entsoe_api import day_of


def test_nothing_is_known_before_a_source_is_asked(cache: PriceCache) -> None:
    one = collector(cache, Source(TODAYS))
    with pytest.raises(PriceDataError, match="entsoe: has not answered yet"):
        read(one)
    assert state(one).is_stale(NOW)
    assert (state(one).age(NOW), state(one).known_until(NOW)) == (None, None)
    assert state(one).ask_utc == NOW


def test_an_answer_is_in_force_and_whole_days_around_now_are_asked_for(cache: PriceCache) -> None:
    answer = Source(TODAYS)
    one = collector(cache, answer)
    one.refresh(NOW)
    assert read(one) == TODAYS
    assert state(one).known_until(NOW) == TODAY + DAY
    assert state(one).age(NOW + HOUR) == HOUR
    ((_, asked),) = answer.asked
    assert (asked.now_utc, asked.currency, asked.zone.key) == (NOW, "EUR", "Europe/Berlin")
    assert asked.start_utc == NOW.replace(hour=0) - DAY
    assert asked.end_utc == NOW.replace(hour=0) + 9 * DAY


def test_a_source_is_asked_when_its_time_has_come_and_not_before(cache: PriceCache) -> None:
    answer = Source(TODAYS)
    one = collector(cache, answer)
    one.refresh(NOW)
    publication = NOW + HOUR  # 13:00 in Brussels
    assert state(one).ask_utc == publication
    one.refresh(publication - timedelta(microseconds=1))
    assert len(answer.asked) == 1
    one.refresh(publication)
    assert len(answer.asked) == 2
    assert state(one).ask_utc == publication + 10 * MINUTE  # tomorrow is not out yet
    answer.answer = BOTH_DAYS
    one.refresh(publication + 10 * MINUTE)
    assert read(one).known_until(NOW) == TODAY + 2 * DAY
    assert state(one).ask_utc == publication + 10 * MINUTE + 3 * HOUR


def test_a_clock_that_is_set_back_keeps_nobody_waiting_for_years(cache: PriceCache) -> None:
    answer = Source(TODAYS)
    one = collector(cache, answer)
    one.refresh(NOW)
    one.refresh(NOW - 2 * DAY + 2 * HOUR)
    assert len(answer.asked) == 1
    one.refresh(NOW - 3 * DAY)
    assert len(answer.asked) == 2


def test_a_failure_leaves_the_old_prices_and_says_so(
    cache: PriceCache, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Source(TODAYS)
    one = collector(cache, answer)
    one.refresh(NOW)
    answer.answer = PriceDataError("HTTP 503")
    when = NOW + HOUR
    for failures, minutes in ((1, 1), (2, 2), (3, 4)):
        one.refresh(when)
        assert (state(one).failures, state(one).error) == (failures, "HTTP 503")
        assert state(one).ask_utc == when + minutes * MINUTE
        when = state(one).ask_utc
    assert read(one) == TODAYS
    assert caplog.text.count("HTTP 503") == 1
    answer.answer = BOTH_DAYS
    one.refresh(when)
    assert (state(one).failures, state(one).error) == (0, "")
    assert "gives prices again" in caplog.text
    assert read(one) == BOTH_DAYS


def test_rate_limits_are_respected(cache: PriceCache) -> None:
    one = collector(cache, Source(RateLimited("slow down", retry_after_s=900)))
    one.refresh(NOW)
    assert state(one).ask_utc == NOW + 15 * MINUTE
    with pytest.raises(PriceDataError, match="slow down"):
        read(one)


# Who is to be left alone is, by every process


@pytest.mark.parametrize(
    ("error", "minutes"),
    [(RateLimited("asked too often (HTTP 429)"), 10), (PriceDataError("HTTP 503"), 1)],
)
def test_a_source_that_failed_is_left_alone_over_a_restart(
    error: SourceError, minutes: int, cache: PriceCache
) -> None:
    answer = Source(error)
    collector(cache, answer).refresh(NOW)
    soon = NOW + minutes * MINUTE - timedelta(seconds=1)
    after = collector(cache, answer, soon)
    after.refresh(soon)
    assert len(answer.asked) == 1
    assert (state(after).error, state(after).failures) == (str(error), 1)
    with pytest.raises(PriceDataError, match="HTTP"):
        read(after)
    answer.answer = TODAYS
    after.refresh(NOW + minutes * MINUTE)
    assert read(after) == TODAYS
    assert state(collector(cache, answer, NOW + minutes * MINUTE)).error == ""


def test_who_mends_a_token_sees_it_at_once(cache: PriceCache) -> None:
    answer = Source(TokenRefused("the token is refused"))
    collector(cache, answer).refresh(NOW)
    answer.answer = TODAYS
    after = collector(cache, answer, NOW + MINUTE)
    after.refresh(NOW + MINUTE)
    assert read(after) == TODAYS


def test_a_clock_that_is_set_back_forgets_a_failure(cache: PriceCache) -> None:
    collector(cache, Source(RateLimited("x"))).refresh(NOW)
    assert state(collector(cache, Source(TODAYS), NOW - HOUR)).ask_utc == NOW - HOUR


def test_corrected_prices_replace_those_before(cache: PriceCache) -> None:
    answer = Source(BOTH_DAYS)
    one = collector(cache, answer)
    one.refresh(NOW)
    answer.answer = series(*[0.3] * 48)
    one.refresh(NOW + 3 * HOUR)
    assert read(one) == answer.answer


def test_prices_outlive_a_restart_which_does_not_ask_again(cache: PriceCache) -> None:
    desk_before = collector(cache, Source(TODAYS))
    desk_before.refresh(NOW)
    answer = Source(BOTH_DAYS)
    after = collector(cache, answer, NOW + MINUTE)
    after.refresh(NOW + MINUTE)
    assert answer.asked == []
    assert read(after) == TODAYS
    assert state(after).age(NOW + MINUTE) == MINUTE
    after.refresh(NOW + HOUR)
    assert len(answer.asked) == 1


@pytest.mark.parametrize("now", [NOW + DAY, NOW - HOUR])
def test_kept_prices_that_do_not_hold_now_are_asked_for_at_once(
    now: datetime, cache: PriceCache
) -> None:
    collector(cache, Source(TODAYS)).refresh(NOW)
    assert state(collector(cache, Source(TODAYS), now)).ask_utc == now


def test_what_another_process_was_told_meanwhile_is_in_force_and_is_not_asked_for_again(
    cache: PriceCache,
) -> None:
    answer = Source(TODAYS)
    one = collector(cache, answer)
    one.refresh(NOW)
    later = NOW + HOUR  # tomorrow's prices come out
    collector(cache, Source(BOTH_DAYS)).refresh(later)
    one.refresh(later + MINUTE)
    assert read(one) == BOTH_DAYS
    assert len(answer.asked) == 1


def test_old_answers_are_stale(cache: PriceCache) -> None:
    one = collector(cache, Source(series(*[0.1] * 96)))
    one.refresh(NOW)
    assert not state(one).is_stale(NOW + 6 * HOUR)
    assert state(one).is_stale(NOW + 6 * HOUR + timedelta(seconds=1))
    short = collector(cache, Source(TODAYS))
    assert state(short).is_stale(TODAY + 5 * DAY)


def test_a_source_of_both_directions_is_asked_once_and_octopus_twice(cache: PriceCache) -> None:
    answer = Source(TODAYS)
    both = collector(cache, answer, one=site(NL, NL))
    both.refresh(NOW)
    assert len(answer.asked) == 1
    assert both.read(source(**NL), Direction.FEED_IN) == TODAYS
    account = {"kind": "octopus", "account": "A-1234ABCD", "token_env": "PRICE_TOKEN"}
    one = collector(cache, answer, one=site(account, account, currency="GBP"))
    one.refresh(NOW)
    assert [asked.direction for _, asked in answer.asked[1:]] == list(Direction)


def test_a_site_whose_prices_are_by_the_clock_asks_nobody(cache: PriceCache) -> None:
    one = collector(cache, Source(TODAYS), one=site({"kind": "fixed", "price_per_kwh": 0.3}))
    assert one.states() == ()
    assert one.refresh(NOW) is None
    assert (
        collector(cache, Source(TODAYS), one=SITE.model_copy(update={"prices": None})).states()
        == ()
    )


def test_an_unknown_zone_is_told_before_anybody_is_asked(cache: PriceCache) -> None:
    with pytest.raises(ConfigError, match="zone 'XX' is not known"):
        collector(cache, Source(TODAYS), one=site(NL | {"zone": "XX"}))


def test_no_token_comes_to_the_disk(cache: PriceCache, tmp_path: Path, token: str) -> None:
    answers: Iterator[Reply] = iter(
        [Reply(body=document(day_of(80)).encode()), Reply(status=401), Reply(body=token.encode())]
    )
    with serving(lambda _: next(answers)) as server:
        one = PriceCollector(
            site(NL | {"url": server.url}),
            cache=cache,
            fetch=Fetcher().fetch,
            chance=lambda: 0.0,
            now_utc=NOW,
        )
        for hours in range(3):
            one.refresh(NOW + 4 * hours * HOUR)
        assert len(server.seen) == 3
        assert server.seen[0].query["securityToken"] == token
    content = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(content) == 2  # the prices, and how asking failed
    for secret in (b"s3cr3t", b"t0ken", b"mine", b"PRICE_TOKEN"):
        assert not any(secret in one for one in content)
    assert "s3cr3t" not in repr(one.states())
