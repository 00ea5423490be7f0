"""The minute book: a value each second, gaps, and time that stands still, jumps or goes back."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.history.energies import PricesNow, Sum
from holdfast.monitoring.history.minute_book import Minute, MinuteBook
from holdfast.monitoring.history.series import STATE_NUMBERS
from tests.builders import UNIT
from tests.monitoring.history.samples import (
    BEGIN,
    BEGIN_S,
    PRICES,
    minutes_of,
    reading,
    seconds,
    status_at,
)


def series(minute: Minute, key: str) -> np.ndarray:
    return minute.values[list(minute.units).index(key)]


def test_a_minute_holds_a_value_each_second_of_all_that_is_known() -> None:
    first, second = minutes_of(
        status_at(at, grid_w=float(number)) for number, at in enumerate(seconds(90))
    )
    assert (first.start_s, second.start_s) == (BEGIN_S, BEGIN_S + 60)
    assert (first.samples, second.samples) == (60, 30)
    np.testing.assert_array_equal(series(first, "site/grid_power_w"), np.arange(60.0))
    assert np.isnan(series(second, "site/grid_power_w")[30:]).all()
    assert first.units == {
        "site/grid_power_w": "W", "site/pv_power_w": "W", "battery/battery_power_w": "W",
        "battery/soc_pct": "%", "battery/battery_power/asked": "W",
        "battery/battery_power/low": "W", "battery/battery_power/high": "W",
        "battery/battery_power/permitted": "W", "battery/battery_power/ramped": "W",
        "battery/battery_power/written": "W", "battery/battery_power/measured": "W",
        "site/state": "state", "site/request_w": "W", "site/load_power_w": "W",
    }  # fmt: skip
    assert series(first, "site/state")[0] == STATE_NUMBERS[State.RUNNING] == 2.0


def test_what_is_not_good_is_a_gap_and_not_zero() -> None:
    def status(number: int, at: datetime):
        found = status_at(at)
        if number == 5:
            found.readings[SITE][Signal.GRID_POWER_W] = reading(Signal.GRID_POWER_W, 500.0, "stale")
        return found

    (minute,) = minutes_of(status(number, at) for number, at in enumerate(seconds(10)))
    grid_w = series(minute, "site/grid_power_w")
    assert np.flatnonzero(~np.isnan(grid_w)).tolist() == [0, 1, 2, 3, 4, 6, 7, 8, 9]
    assert np.isnan(series(minute, "site/load_power_w")[5])


def test_a_controller_that_ends_leaves_a_gap_and_the_minute_is_written_all_the_same() -> None:
    book = MinuteBook((UNIT,))
    for at in seconds(20):
        assert book.take(status_at(at), PRICES) is None
    assert book.idle(BEGIN_S + 40) is None
    minute = book.idle(BEGIN_S + 60)
    assert minute is not None
    assert minute.samples == 20
    ended = {spell.name: spell.end_s for spell in minute.spells}
    assert ended == {"running": BEGIN_S + 19, "plan": BEGIN_S + 19}
    assert book.idle(BEGIN_S + 120) is None
    assert book.close() is None


def test_a_computer_that_does_not_know_the_time_leaves_nothing_in_1970() -> None:
    start = datetime(1970, 1, 1, 0, 3, tzinfo=UTC)
    assert minutes_of(status_at(at) for at in seconds(90, start)) == []


def test_energy_counts_the_time_that_has_passed_and_not_that_of_the_clock() -> None:
    """The clock jumps ahead by two hours in the middle: nothing was imported in them."""
    before = [status_at(at, grid_w=3600.0) for at in seconds(31)]
    jumped = [
        status_at(at + timedelta(hours=2), grid_w=3600.0, monotonic_ns=status_at(at).monotonic_ns)
        for at in seconds(30, BEGIN + timedelta(seconds=31))
    ]
    minutes = minutes_of([*before, *jumped])
    assert [minute.start_s - BEGIN_S for minute in minutes] == [0, 7200 + 0, 7260]
    assert sum(minute.total[Sum.IMPORT_WH] for minute in minutes) == pytest.approx(60.0)


def test_time_that_comes_again_is_counted_once_in_its_quarter_and_once_in_all() -> None:
    """The clock is set back by 20 s."""
    first = [status_at(at, grid_w=3600.0) for at in seconds(40)]
    again = [
        status_at(
            at - timedelta(seconds=20), grid_w=3600.0, monotonic_ns=status_at(at).monotonic_ns
        )
        for at in seconds(40, BEGIN + timedelta(seconds=40))
    ]
    minutes = minutes_of([*first, *again])
    quarter_s = sum(minute.quarter[Sum.GRID_S] for minute in minutes)
    assert quarter_s == pytest.approx(39.0 + 21.0, abs=1.1)
    assert sum(minute.total[Sum.IMPORT_WH] for minute in minutes) == pytest.approx(79.0)


def test_a_clock_that_was_wrong_by_a_year_is_believed_once_it_is_right() -> None:
    wrong = [status_at(at) for at in seconds(30, BEGIN + timedelta(days=365))]
    right = [status_at(at) for at in seconds(30)]
    _, minute = minutes_of([*wrong, *right])
    assert minute.start_s == BEGIN_S
    assert minute.quarter[Sum.GRID_S] == pytest.approx(29.0)


def test_a_hole_in_what_is_told_is_not_filled() -> None:
    """Nobody looked for 20 s: what held before and after says nothing of them."""
    minutes = minutes_of(
        [status_at(at, grid_w=3600.0) for at in seconds(60) if not 20 <= at.second < 40]
    )
    assert minutes[0].quarter[Sum.GRID_S] == pytest.approx(38.0)
    assert minutes[0].quarter[Sum.IMPORT_WH] == pytest.approx(38.0)


def test_money_is_counted_only_while_prices_are_known() -> None:
    (minute,) = minutes_of((status_at(at) for at in seconds(60)), PricesNow(purchase=0.3))
    assert Sum.COST not in minute.quarter
    assert Sum.PRICED_S not in minute.quarter
