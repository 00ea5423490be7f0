"""What was measured is kept for a year, survives a power cut, and forgets a wrong clock."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.quarter_hours import QUARTER, QUARTERS_PER_DAY, quarter_of, start_of
from holdfast.forecasting.history import KEPT_DAYS, Field, PowerHistory

NOON = datetime(2026, 5, 8, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def history_of(*samples: tuple[datetime, float, float]) -> PowerHistory:
    history = PowerHistory()
    for utc, load_w, pv_w in samples:
        history.add(utc, load_w, pv_w)
    return history


def test_samples_of_a_quarter_become_their_mean() -> None:
    history = history_of((NOON, 100, 0), (NOON + 7 * MINUTE, 300, 10), (NOON + QUARTER, 900, 50))
    assert history.load_w(quarter_of(NOON)) == 200
    assert history.pv_w(quarter_of(NOON)) == 5
    assert history.load_w(quarter_of(NOON + QUARTER)) == 900
    assert history.load_w(quarter_of(NOON - QUARTER)) is None
    assert len(history) == 2


def test_a_measurement_that_is_missing_is_not_a_zero() -> None:
    history = PowerHistory()
    history.add(NOON - DAY, None, 100.0)
    history.add(NOON - DAY, 50.0, None)
    history.add(NOON, None, 100.0)
    assert history.load_w(quarter_of(NOON - DAY)) == 50.0
    assert history.pv_w(quarter_of(NOON - DAY)) == 100.0
    assert history.load_w(quarter_of(NOON)) is None
    assert np.isnan(history.window(Field.LOAD_W, quarter_of(NOON), 1)).all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf"), 1e300])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    for load_w, pv_w in ((bad, 1.0), (1.0, bad)):
        history = PowerHistory()
        with pytest.raises(ValueError, match="is"):
            history.add(NOON, load_w, pv_w)
        assert len(history) == 0


def test_naive_times_are_refused_and_local_ones_are_the_same_instants() -> None:
    summer = timezone(timedelta(hours=2))
    history = history_of((NOON.astimezone(summer), 70, 0))
    assert history.load_w(quarter_of(NOON)) == 70.0
    with pytest.raises(ValueError, match="time zone"):
        history.add(datetime(2026, 1, 1), 1.0, 1.0)  # noqa: DTZ001


def test_a_window_joins_days_and_leaves_gaps() -> None:
    history = PowerHistory()
    first = quarter_of(NOON)
    history.put(Field.PRICE_PER_KWH, first, np.array([0.1, np.nan, -0.3]))
    history.put(Field.PRICE_PER_KWH, first + 1, np.array([np.nan, np.nan, 0.4]))
    whole = history.window(Field.PRICE_PER_KWH, first - 200, 404)
    assert np.flatnonzero(np.isfinite(whole)).tolist() == [200, 202, 203]
    assert whole[[200, 202, 203]] == pytest.approx([0.1, -0.3, 0.4])
    with pytest.raises(ValueError, match="beyond"):
        history.put(Field.PV_CLEAR_W, first, np.array([np.inf]))


def test_memory_is_bounded_and_keeps_the_last_days() -> None:
    history = PowerHistory()
    for day in range(KEPT_DAYS + 30):
        history.add(NOON + day * DAY, float(day), 0.0)
    assert len(history) == KEPT_DAYS
    assert history.load_w(quarter_of(NOON + 29 * DAY)) is None
    assert history.load_w(quarter_of(NOON + 30 * DAY)) == 30.0


@pytest.mark.parametrize("wrong", [datetime(1970, 1, 2, tzinfo=UTC), NOON + 9000 * DAY])
def test_days_with_a_wrong_clock_go_first(wrong: datetime) -> None:
    history = PowerHistory()
    for day in range(KEPT_DAYS - 5):
        history.add(NOON - day * DAY, 100.0, 0.0)
    for day in range(5):
        history.add(wrong + day * DAY, 9999.0, 0.0)
    for day in range(1, 6):
        history.add(NOON + day * DAY, 200.0, 0.0)
    assert history.load_w(quarter_of(wrong)) is None
    assert history.load_w(quarter_of(NOON + 5 * DAY)) == 200.0
    assert history.load_w(quarter_of(NOON - (KEPT_DAYS - 6) * DAY)) == 100.0


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.floats(-1e6, 1e6), st.floats(0, 1e6)), max_size=30)
)
def test_a_history_survives_being_written_and_read(samples: list[tuple[int, float, float]]) -> None:
    history = history_of(*[(NOON + q * 5 * MINUTE, load, pv) for q, load, pv in samples])
    again = PowerHistory.from_bytes(history.to_bytes())
    for copy in (history, again):
        copy.add(NOON, 123.0, 4.0)  # a mean goes on where it was
    for field in (Field.LOAD_W, Field.PV_W):
        windows = [each.window(field, quarter_of(NOON) - 96, 600) for each in (history, again)]
        np.testing.assert_array_equal(*windows)


def test_a_year_takes_little_room_on_disk() -> None:
    history, random = PowerHistory(), np.random.default_rng(1)
    for field in (Field.LOAD_W, Field.PV_W, Field.PRICE_PER_KWH):
        history.put(field, quarter_of(NOON), random.random(KEPT_DAYS * QUARTERS_PER_DAY - 96))
    assert len(history.to_bytes()) < 600_000


def test_the_eight_days_of_older_releases_are_taken_over() -> None:
    quarter = quarter_of(NOON)
    text = f'{{"version":1,"load":[[{quarter},200.5,60]],"pv":[[{quarter + 1},5,1]]}}'
    history = PowerHistory.from_bytes(text.encode())
    assert history.load_w(quarter) == 200.5
    assert history.pv_w(quarter + 1) == 5
    assert len(history) == 2


def _torn(content: bytes) -> list[bytes]:
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    return [
        content[:50],
        content[: len(content) // 2],
        content[:-1],
        content + b"x",
        bytes(flipped),
    ]


def test_a_torn_file_is_refused() -> None:
    for content in _torn(history_of((NOON, 1, 2)).to_bytes()):
        with pytest.raises(ValueError, match="is"):
            PowerHistory.from_bytes(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"version":1,"load":[[1,1e999,1]],"pv":[]}',
        '{"version":2,"load":[],"pv":[]}',
        '{"version":1,"load":[[1,NaN,1]],"pv":[]}',
        '{"version":1,"load":[[1,5,0]],"pv":[]}',
        '{"version":1,"load":[[1.5,5,1]],"pv":[]}',
        '{"version":1,"load":[["1",5,1]],"pv":[]}',
        '{"version":1,"load":[[1,true,1]],"pv":7}',
        '{"version":1,"load":5,"pv":[]}',
        '{"version":' + "[" * 100_000,
    ],
)
def test_a_damaged_history_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        PowerHistory.from_bytes(text.encode())


def test_quarters_are_numbered_by_instant() -> None:
    assert start_of(quarter_of(NOON + 14 * MINUTE)) == NOON
    change = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 2:30 in Berlin comes twice that night
    assert quarter_of(change + timedelta(hours=1)) - quarter_of(change) == 4
