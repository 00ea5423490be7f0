"""What is published later counts; what stays of before does so for a reason, and is told."""

from datetime import datetime

import pytest

from holdfast.core.errors import PriceDataError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.price_collector import PriceCollector
from holdfast.markets.prices import Direction, PriceSeries
from tests.markets.builders import DAY, HOUR, NOW, TODAY, series, site, source
from tests.markets.collecting import BOTH_DAYS, MINUTE, TODAYS, Source, collector, read, state


@pytest.mark.parametrize(
    ("later", "in_force"),
    [
        (TODAYS, BOTH_DAYS),
        (series(*[0.3] * 24), series(*[0.3] * 24, *[0.2] * 24)),
        (
            series(*[0.3] * 24, start=TODAY + DAY),
            series(*[None] * 15, *[0.1] * 9, *[0.3] * 24),
        ),
        (
            series(*[0.3] * 20, None, *[0.3] * 27),
            series(*[0.3] * 20, 0.1, *[0.3] * 27),
        ),
    ],
)
def test_what_must_be_out_by_now_stays_known_where_an_answer_lacks_it(
    later: PriceSeries, in_force: PriceSeries, cache: PriceCache
) -> None:
    answer = Source(BOTH_DAYS)
    one = collector(cache, answer)
    one.refresh(NOW)
    answer.answer = later
    when = NOW + 3 * HOUR  # it has been 13:00 in Brussels
    one.refresh(when)
    assert read(one) == in_force
    assert "what was known before stays" in state(one).notes[-1]
    assert (state(one).error, state(one).ask_utc) == ("", when + 10 * MINUTE)
    assert read(collector(cache, Source(later))) == in_force


def test_what_is_taken_back_before_it_must_be_out_goes(cache: PriceCache) -> None:
    answer = Source(BOTH_DAYS)
    one = collector(cache, answer)
    one.refresh(NOW)
    answer.answer = TODAYS
    one.refresh(NOW + 59 * MINUTE)
    assert len(answer.asked) == 1
    later = collector(cache, answer, NOW - DAY)  # nothing known keeps it from asking
    later.refresh(NOW + 59 * MINUTE)
    assert read(later) == TODAYS
    assert state(later).notes == ()


def test_a_piece_that_was_left_out_takes_nothing_back(cache: PriceCache) -> None:
    answer = Source(BOTH_DAYS)
    one = collector(cache, answer, NOW - DAY)
    one.refresh(NOW)
    left_out = "left out: the page of 2026-05-09: HTTP 500"
    answer.answer = PriceAnswer(prices=TODAYS, notes=(left_out,), is_partial=True)
    again = collector(cache, answer, NOW - DAY)
    again.refresh(NOW + 30 * MINUTE)
    assert read(again) == BOTH_DAYS
    assert state(again).notes[0] == left_out


def test_what_is_left_out_is_told_once_in_the_log_and_survives_a_restart(
    cache: PriceCache, caplog: pytest.LogCaptureFixture
) -> None:
    partial = PriceAnswer(prices=TODAYS, notes=("left out: a price",), is_partial=True)
    one = collector(cache, Source(partial))
    for hours in range(4):
        one.refresh(NOW + hours * HOUR)
    assert caplog.text.count("entsoe: left out: a price") == 1
    assert state(collector(cache, Source(TODAYS))).notes == partial.notes


OLD = PriceAnswer(
    prices=series(*[0.27] * 9 * 24, currency="GBP"), tariff="VAR", open_from_utc=TODAY - DAY
)
OCTOPUS = {"kind": "octopus", "account": "A-1234ABCD", "token_env": "PRICE_TOKEN"}


def octopus(cache: PriceCache, answer: Source, now: datetime) -> PriceCollector:
    return collector(cache, answer, now, one=site(OCTOPUS, currency="GBP"))


def test_another_tariff_is_another_source(cache: PriceCache) -> None:
    answer = Source(OLD)
    octopus(cache, answer, NOW).refresh(NOW)
    agile = PriceAnswer(prices=series(*[0.1] * 40, currency="GBP"), tariff="AGILE")
    answer.answer = agile
    when = NOW + 8 * HOUR
    one = octopus(cache, answer, when)
    one.refresh(when)
    assert one.read(source(**OCTOPUS), Direction.PURCHASE) == agile.prices
    assert state(one).known_until(when) == TODAY + 40 * HOUR


def test_prices_of_a_tariff_that_is_over_go_though_nothing_is_known_of_the_next(
    cache: PriceCache,
) -> None:
    answer = Source(OLD)
    octopus(cache, answer, NOW).refresh(NOW)
    why = "left out: rates of E-2R-VAR-C: it has more than one register"
    nothing = series(currency="GBP")
    answer.answer = PriceAnswer(prices=nothing, tariff="E-2R-VAR-C", notes=(why,), is_partial=True)
    when = NOW + 8 * HOUR
    one = octopus(cache, answer, when)
    one.refresh(when)
    for after in (one, octopus(cache, answer, when)):
        assert (state(after).error, state(after).known_until(when)) == (why, None)
        assert len(after.read(source(**OCTOPUS), Direction.PURCHASE)) == 0
    answer.answer = PriceAnswer(prices=nothing, tariff="E-2R-VAR-C", notes=(why,), is_partial=True)
    one.refresh(when + HOUR)
    assert state(one).failures == 2


def test_a_tariff_whose_rates_fail_once_stays_known(cache: PriceCache) -> None:
    answer = Source(OLD)
    octopus(cache, answer, NOW).refresh(NOW)
    answer.answer = PriceAnswer(
        prices=series(currency="GBP"), tariff="VAR", notes=("HTTP 500",), is_partial=True
    )
    one = octopus(cache, answer, NOW + 8 * HOUR)
    one.refresh(NOW + 8 * HOUR)
    assert state(one).error == "HTTP 500"
    assert one.read(source(**OCTOPUS), Direction.PURCHASE) == OLD.prices


def test_what_a_source_says_is_shown_as_one_line(cache: PriceCache) -> None:
    one = collector(cache, Source(PriceDataError("\x1b[2J no\nprices " + 999 * "x")))
    one.refresh(NOW)
    assert state(one).error.startswith(" [2J no prices xxx")
    assert len(state(one).error) < 400


def test_what_an_open_end_once_filled_is_not_held_against_the_end_of_a_tariff(
    cache: PriceCache,
) -> None:
    answer = Source(OLD)
    octopus(cache, answer, NOW).refresh(NOW)
    ended = PriceAnswer(prices=series(*[0.27] * 26, currency="GBP"), tariff="VAR")
    answer.answer = ended
    when = NOW + 8 * HOUR  # after 16:00 in London
    one = octopus(cache, answer, when)
    one.refresh(when)
    assert one.read(source(**OCTOPUS), Direction.PURCHASE) == ended.prices


def test_prices_that_do_not_hold_yet_are_kept_and_it_is_told_where_they_lie(
    cache: PriceCache,
) -> None:
    tomorrow = series(*[0.3] * 24, start=TODAY + DAY)
    one = collector(cache, Source(tomorrow))
    one.refresh(NOW)
    assert read(one) == tomorrow
    assert state(one).error == (
        "no price for now; what came lies within 2026-05-08T22:00Z to 2026-05-09T22:00Z"
    )
    assert state(one).is_stale(NOW)
    assert state(one).ask_utc == NOW + 10 * MINUTE


def test_an_answer_without_any_price_is_a_failure(cache: PriceCache) -> None:
    answer = Source(TODAYS)
    one = collector(cache, answer)
    one.refresh(NOW)
    answer.answer = series()
    one.refresh(NOW + HOUR)
    assert state(one).error == "the answer has no price"
    assert read(one) == TODAYS
