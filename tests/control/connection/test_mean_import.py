"""The quarter-hour guard: the budget of the clock's interval, not a mean of the last minutes."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.connection.mean_import import IntervalMemory, MeanImport
from holdfast.core.config import Grid
from holdfast.core.units import NS_PER_S, ns_from_s
from tests.builders import T0

NOON_NS = 1_768_392_000 * NS_PER_S
"""A full hour, UTC."""
QUARTER_S = 900


def guard(interval_min: int = 15) -> MeanImport:
    return MeanImport(Grid(import_max_w=50_000, export_max_w=0, interval_min=interval_min))


class Clock:
    """Counts what is imported, second by second, from a time after noon on."""

    def __init__(self, after_s: float = 0.0, interval_min: int = 15) -> None:
        self.guard = guard(interval_min)
        self.memory: IntervalMemory | None = None
        self.utc_ns, self.time_ns = NOON_NS + ns_from_s(after_s), T0
        self.count(0.0)

    def count(self, import_w: float | None, *, load_w: float = 0.0) -> IntervalMemory:
        self.memory = self.guard.count(
            self.memory,
            utc_ns=self.utc_ns,
            time_ns=self.time_ns,
            import_w=import_w,
            load_w=load_w,
        )
        assert self.memory is not None
        return self.memory

    def run(self, seconds: float, import_w: float | None, *, load_w: float = 0.0) -> IntervalMemory:
        self.utc_ns += ns_from_s(seconds)
        self.time_ns += ns_from_s(seconds)
        return self.count(import_w, load_w=load_w)

    def permitted_w(self, limit_w: float = 6000.0, deliverable_w: float = math.inf) -> float:
        return self.guard.allowance(self.memory, limit_w, deliverable_w).import_w

    def charging_w(self, deliverable_w: float, limit_w: float = 6000.0) -> float:
        return self.guard.allowance(self.memory, limit_w, deliverable_w).charging_w


def test_at_the_start_of_an_interval_the_limit_less_a_hundredth_is_permitted():
    assert Clock().permitted_w() == pytest.approx(5940.0)


def test_what_was_left_over_may_be_imported_later_and_what_was_too_much_is_made_good():
    clock = Clock()
    clock.run(600, 0.0)
    assert clock.permitted_w() == pytest.approx(5940.0 * 3)
    clock = Clock()
    clock.run(600, 8910.0)
    assert clock.permitted_w() == pytest.approx(0.0)
    clock.run(60, 5940.0)
    assert clock.permitted_w() == 0.0  # import cannot be taken back: it is never below zero


@pytest.mark.parametrize(
    ("left_s", "permitted_w"),
    [(900 - 600, 5940.0 * 3), (10, 5940.0 * 90), (9, 5940.0 * (1 + 891 / 10)), (1, 5940 * 90.9)],
)
def test_the_last_seconds_make_nothing_good_all_at_once(left_s, permitted_w):
    clock = Clock()
    clock.run(QUARTER_S - left_s, 0.0)
    assert clock.permitted_w() == pytest.approx(permitted_w)


def test_a_new_interval_begins_with_what_flowed_in_it():
    clock = Clock()
    clock.run(700, 1800.0)
    clock.run(190, None)
    memory = clock.run(20, 3600.0)
    assert (memory.counted_wh, memory.uncounted_s) == (pytest.approx(10.0), 0.0)
    assert clock.guard.left_s(memory) == 890.0


def test_after_a_gap_of_hours_only_the_present_interval_counts():
    clock = Clock()
    memory = clock.run(3 * 3600 + 60, 3600.0)
    assert memory.counted_wh == pytest.approx(60.0)


@pytest.mark.parametrize(("interval_min", "left_s"), [(15, 500), (30, 1400), (60, 3200)])
def test_intervals_begin_with_the_hour(interval_min, left_s):
    clock = Clock(400, interval_min)
    assert clock.guard.left_s(clock.memory) == left_s
    assert clock.guard.allowance(clock.memory, 1.0, 0.0).interval_s == interval_min * 60


def test_what_nobody_counted_is_taken_to_have_been_at_the_limit():
    """On a start within an interval, and while the meter cannot be read."""
    clock = Clock(300)
    assert clock.memory is not None
    assert (clock.memory.counted_wh, clock.memory.uncounted_s) == (0.0, 300.0)
    assert clock.permitted_w() == pytest.approx(5940.0)
    assert clock.permitted_w(3000.0) == pytest.approx(2970.0)
    clock.run(60, None)
    assert clock.memory.uncounted_s == 360.0
    assert clock.permitted_w() == pytest.approx(5940.0)


def test_without_a_clock_each_moment_keeps_the_limit():
    assert guard().count(None, utc_ns=None, time_ns=T0, import_w=1.0, load_w=0.0) is None
    clock = Clock()
    clock.run(600, 0.0)
    assert (
        clock.guard.count(clock.memory, utc_ns=None, time_ns=T0, import_w=1.0, load_w=0.0) is None
    )
    allowance = clock.guard.allowance(None, 6000.0, 100.0)
    assert (allowance.import_w, allowance.charging_w) == (5940.0, 5940.0)
    assert (allowance.left_s, allowance.used_wh) == (900.0, 0.0)


@pytest.mark.parametrize(
    ("by_s", "is_new"), [(2.0, False), (-2.0, False), (2.1, True), (-2.1, True), (300.0, True)]
)
def test_a_clock_that_was_set_makes_a_new_start(by_s, is_new):
    clock = Clock(100)
    clock.run(300, 0.0, load_w=4000.0)
    clock.utc_ns += ns_from_s(by_s)
    memory = clock.run(1, 0.0)
    assert (memory.uncounted_s > 400.0 - 3.0) is is_new
    assert memory.peak_w == pytest.approx(4000.0, rel=1e-4)
    clock.utc_ns += ns_from_s(by_s)
    assert clock.run(1, 0.0, load_w=9000.0).peak_w == 9000.0


def test_before_any_load_was_seen_none_is_expected():
    memory = IntervalMemory(index=0, counted_wh=0.0, uncounted_s=0.0, utc_ns=0, time_ns=0)
    assert memory.peak_w == 0.0


def test_a_monotonic_clock_that_goes_back_makes_a_new_start():
    clock = Clock(100)
    clock.run(300, 0.0)
    clock.utc_ns, clock.time_ns = clock.utc_ns - NS_PER_S, clock.time_ns - NS_PER_S
    assert clock.count(0.0).uncounted_s == 399.0


def test_both_clocks_may_stand_still():
    clock = Clock()
    before = clock.run(300, 600.0)
    assert clock.count(600.0) == before


@given(
    before_s=st.integers(0, 899),
    before_w=st.floats(0, 20_000),
    limit_w=st.floats(100, 20_000),
    rest=st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_whoever_keeps_within_what_is_permitted_keeps_the_mean(before_s, before_w, limit_w, rest):
    """Whatever was before, unless it was too much already."""
    clock = Clock()
    clock.run(before_s, before_w)
    over_wh = max(before_w * before_s / 3600.0 - limit_w / 4.0, 0.0)
    for share in rest:
        left_s = clock.guard.left_s(clock.memory)
        clock.run(0.5 * left_s, share * clock.permitted_w(limit_w))
    left_s = clock.guard.left_s(clock.memory)
    allowance = clock.guard.allowance(clock.memory, limit_w, math.inf)
    assert allowance.missing_wh(allowance.import_w) <= over_wh + 1e-6
    assert allowance.import_w >= 0.0
    assert left_s > 0.0


def test_what_is_missing_is_told_before_the_interval_ends():
    clock = Clock()
    clock.run(600, 6000.0)
    allowance = clock.guard.allowance(clock.memory, 6000.0, 0.0)
    assert allowance.missing_wh(6000.0) == pytest.approx(0.0)
    assert allowance.missing_wh(9600.0) == pytest.approx(300.0)
    assert allowance.missing_wh(0.0) == pytest.approx(-500.0)


# ------------------------------------------------------------------- room for a load that may come


def test_the_highest_load_of_the_last_day_is_remembered_and_fades():
    clock = Clock()
    clock.run(10, 0.0, load_w=9000.0)
    assert clock.run(1, 0.0, load_w=100.0).peak_w == pytest.approx(9000.0, rel=1e-4)
    assert clock.run(86_400, 0.0, load_w=0.0).peak_w == pytest.approx(6000.0, rel=1e-3)
    assert clock.run(86_400 * 3, 0.0, load_w=0.0).peak_w == 0.0
    assert clock.run(86_400 * 9, 0.0, load_w=0.0).peak_w == 0.0
    assert clock.run(1, 0.0, load_w=50.0).peak_w == 50.0
    assert Clock().count(0.0, load_w=0.0).peak_w == 0.0


def test_a_load_that_the_batteries_can_carry_takes_nothing_from_charging():
    clock = Clock()
    clock.memory = replace(clock.count(0.0), peak_w=10_000.0)
    assert clock.charging_w(deliverable_w=4060.0) == pytest.approx(5940.0)
    assert clock.charging_w(deliverable_w=4059.0) < 5940.0


@pytest.mark.parametrize("after_s", [60.0, 870.0])
@pytest.mark.parametrize("spare_w", [0.0, 1.0, 3000.0])
def test_so_it_is_after_too_much_was_imported_and_shortly_before_the_end(after_s, spare_w):
    clock = Clock()
    clock.run(after_s, 9000.0 if after_s < 100.0 else 5940.0, load_w=10_000.0)
    highest_w = clock.memory.peak_w
    assert clock.charging_w(highest_w - 5940.0 + spare_w) == clock.permitted_w()


def test_a_clock_that_runs_ahead_over_the_end_of_an_interval_counts_no_time_that_was_not():
    clock = Clock(after_s=899.9)
    clock.utc_ns += ns_from_s(2.4)
    clock.time_ns += ns_from_s(1.0)
    assert clock.count(3600.0).counted_wh == pytest.approx(1.0)


def test_charging_leaves_what_the_batteries_could_not_carry_of_the_highest_load():
    """10 kW less 2 kW leave 8 kW to the grid: for the last 11.1 minutes there is energy for it."""
    clock = Clock()
    clock.memory = replace(clock.count(0.0), peak_w=10_000.0)
    assert clock.charging_w(2000.0) < 0.0
    clock.run(230, 0.0)
    clock.memory = replace(clock.count(0.0), peak_w=10_000.0)
    spare_wh = 5940.0 / 4 - 8000.0 * 670 / 3600
    assert clock.charging_w(2000.0) == pytest.approx(8000.0 + spare_wh * 60.0)
    clock.run(1, 36_000.0)
    clock.memory = replace(clock.count(0.0), peak_w=10_000.0)
    spare_wh = 5940.0 / 4 - 8000.0 * 669 / 3600 - 10.0
    assert clock.charging_w(2000.0) == pytest.approx(8000.0 + spare_wh * 60.0)
    clock.run(360, 0.0)
    clock.memory = replace(clock.count(0.0), peak_w=10_000.0)
    assert clock.charging_w(2000.0) == clock.permitted_w()
