"""The limit monitor: each row, each side, each level, driven sample by sample."""

import math

import pytest

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.safety.envelope import Envelope
from holdfast.safety.finding import RAMP_TO_ZERO_NS, Level, Reaction
from holdfast.safety.limit_monitor import LimitMonitor
from holdfast.safety.limits import build_limits
from tests.builders import T0, UNIT, build_site, put, snapshot_of, unit_content

SITE_YAML = build_site()
LIMITS = {limit.row.id: limit for limit in build_limits(SITE_YAML)}
CASES = [
    pytest.param(limit, level, id=f"{row}-{level.name.lower()}")
    for row, limit in LIMITS.items()
    for level, _ in limit.levels
]


class Driver:
    """Feeds one limit with samples, half a second apart unless told otherwise."""

    def __init__(self, limit):
        self.limit = limit
        self.monitor = LimitMonitor((limit,))
        self.store = DataStore((UNIT,))
        self.memory = {}
        self.now_ns = T0

    def sample(self, value, dt_s=0.5):
        """One new sample; the findings after it."""
        self.now_ns += ns_from_s(dt_s)
        put(self.store, self.limit.owner, self.limit.row.signal, value, self.now_ns)
        return self.look()

    def look(self, dt_s=0.0):
        """A cycle without a new sample."""
        self.now_ns += ns_from_s(dt_s)
        snapshot = freeze(self.store.image(), self.now_ns)
        findings, self.memory = self.monitor.assess(snapshot, self.memory)
        return findings

    def reach(self, value):
        """As many samples as the row's debounce takes."""
        for _ in range(self.limit.row.samples[0]):
            findings = self.sample(value)
        return findings


def threshold_of(limit, level):
    return dict(limit.levels)[level]


def just_inside(limit, level):
    return math.nextafter(threshold_of(limit, level), -limit.row.side * math.inf)


def far_inside(limit):
    """A plausible value beyond every level's hysteresis, on the good side."""
    row = SIGNALS[limit.row.signal]
    return row.low if limit.row.side > 0 else row.high


def expected_reaction(limit, level):
    if level is Level.TRIP:
        return Reaction.TRIP
    return limit.row.reaction if level is Level.ALARM else Reaction.LOG


@pytest.mark.parametrize(("limit", "level"), CASES)
def test_just_inside_a_level_it_is_never_found(limit, level):
    driver = Driver(limit)
    for _ in range(10):
        findings = driver.sample(just_inside(limit, level))
        assert all(found.level < level for found in findings)
    if level is limit.levels[-1][0]:
        assert driver.memory == {}


@pytest.mark.parametrize("beyond", [False, True], ids=["at", "beyond"])
@pytest.mark.parametrize(("limit", "level"), CASES)
def test_at_and_beyond_a_level_it_is_found_with_its_mth_sample_and_not_before(limit, level, beyond):
    threshold = threshold_of(limit, level)
    value = math.nextafter(threshold, limit.row.side * math.inf) if beyond else threshold
    driver = Driver(limit)
    for _ in range(limit.row.samples[0] - 1):
        assert driver.sample(value) == ()
    (found,) = driver.sample(value)
    assert (found.level, found.reaction) == (level, expected_reaction(limit, level))
    assert (found.owner, found.row) == (limit.owner, limit.row.id)
    assert found.since_ns == driver.now_ns
    assert limit.row.signal in found.text
    assert (limit.unit == "0/1") is not (f"{threshold:g} {limit.unit}" in found.text)


@pytest.mark.parametrize(("limit", "level"), CASES)
def test_the_same_sample_read_again_is_no_further_proof(limit, level):
    driver = Driver(limit)
    m, _ = limit.row.samples
    found = driver.sample(threshold_of(limit, level))
    for _ in range(20):
        assert bool(driver.look(dt_s=0.01)) is bool(found) is (m == 1)


@pytest.mark.parametrize(("limit", "level"), CASES)
def test_it_clears_only_after_the_hold_time_beyond_the_hysteresis(limit, level):
    driver = Driver(limit)
    (found,) = driver.reach(threshold_of(limit, level))
    inside = far_inside(limit)
    m, n = limit.row.samples  # the hold time begins when fewer than m of n are beyond
    steps = (n - m) + math.ceil(limit.row.hold_s / 0.5)
    for _ in range(steps):
        (still,) = driver.sample(inside)
        assert (still.level, still.since_ns) == (level, found.since_ns)
    assert driver.sample(inside) == ()
    assert driver.memory == {}


@pytest.mark.parametrize(
    ("limit", "level"), [case for case in CASES if case.values[0].hysteresis > 0]
)
def test_within_the_hysteresis_it_never_clears(limit, level):
    driver = Driver(limit)
    driver.reach(threshold_of(limit, level))
    within = threshold_of(limit, level) - limit.row.side * limit.hysteresis * 0.99
    for _ in range(math.ceil(3 * limit.row.hold_s)):
        (found,) = driver.sample(within, dt_s=1.0)
        assert found.level is level


@pytest.mark.parametrize(("limit", "level"), CASES)
def test_a_relapse_starts_the_hold_time_again(limit, level):
    driver = Driver(limit)
    driver.reach(threshold_of(limit, level))
    inside = far_inside(limit)
    almost = math.ceil(limit.row.hold_s / 0.5)
    for _ in range(3):
        for _ in range(almost):
            assert driver.sample(inside)
        assert driver.sample(threshold_of(limit, level))
    for _ in range(almost):
        assert driver.sample(inside)
    assert driver.sample(inside) == ()


@pytest.mark.parametrize("period", [2, 3])
@pytest.mark.parametrize(("limit", "level"), CASES)
def test_an_intermittent_value_is_caught_and_stays_found(limit, level, period):
    """Half of the samples beyond are enough for every row; a third only for one of one."""
    driver = Driver(limit)
    m, _ = limit.row.samples
    seen = []
    for index in range(40):
        beyond = index % period == 0
        value = threshold_of(limit, level) if beyond else far_inside(limit)
        findings = driver.sample(value, dt_s=0.3)
        seen.append(bool(findings) and findings[0].level is level)
    if period == 2 or m == 1:
        first = seen.index(True)
        assert first <= period * (m - 1)
        assert all(seen[first:])
    else:
        assert not any(seen)


@pytest.mark.parametrize("limit", LIMITS.values(), ids=LIMITS)
def test_the_strongest_level_reached_counts_and_a_worse_one_is_taken_at_once(limit):
    driver = Driver(limit)
    for level, threshold in reversed(limit.levels):
        (found,) = driver.reach(threshold)
        assert found.level is level
        assert found.since_ns == driver.now_ns


@pytest.mark.parametrize("limit", [limit for limit in LIMITS.values() if len(limit.levels) == 3])
def test_back_from_a_trip_it_falls_to_the_level_that_still_holds(limit):
    driver = Driver(limit)
    driver.reach(threshold_of(limit, Level.TRIP))
    alarm, trip = threshold_of(limit, Level.ALARM), threshold_of(limit, Level.TRIP)
    value = alarm if abs(trip - alarm) > limit.hysteresis else alarm - limit.row.side * 1e-6
    levels = []
    for _ in range(math.ceil(limit.row.hold_s / 0.5) + 3):
        (found,) = driver.sample(value)
        levels.append(found.level)
    assert levels[0] is Level.TRIP
    assert levels[-1] in (Level.TRIP, Level.ALARM)
    assert Level.NORMAL not in levels


@pytest.mark.parametrize(("limit", "level"), CASES)
def test_lost_or_bad_data_leave_a_finding_as_it_is(limit, level):
    driver = Driver(limit)
    driver.reach(threshold_of(limit, level))
    (bad,) = driver.sample(math.nan)
    (stale,) = driver.look(dt_s=3600.0)
    assert bad.level is stale.level is level
    assert "not known" in stale.text


def test_time_without_data_is_no_time_inside():
    """A second inside, then silence for longer than the hold time, proves nothing."""
    limit = LIMITS["cell_voltage_high"]
    driver = Driver(limit)
    driver.reach(3.7)
    driver.sample(3.3)
    driver.sample(3.3)
    driver.look(dt_s=60.0)
    (found,) = driver.sample(3.3)
    assert found.level is Level.TRIP


def test_a_reading_that_is_missing_is_no_finding_of_a_limit():
    driver = Driver(LIMITS["cell_voltage_high"])
    assert driver.look(dt_s=1.0) == ()
    assert driver.memory == {}


def test_units_are_judged_each_by_its_own_readings():
    site = build_site(unit_content("left"), unit_content("right"))
    monitor = LimitMonitor(build_limits(site))
    store, memory = DataStore(site.unit_names), {}
    for step in range(3):
        now_ns = T0 + step * NS_PER_S
        put(store, "left", Signal.SOC_PCT, 5.0, now_ns)
        put(store, "right", Signal.SOC_PCT, 50.0, now_ns)
        findings, memory = monitor.assess(freeze(store.image(), now_ns), memory)
    assert [found.key for found in findings] == ["left/soc_low"]


def test_a_row_whose_device_is_silent_is_remembered_while_another_row_changes():
    limits = (LIMITS["soc_low"], LIMITS["inverter_fault"])
    monitor, store, memory = LimitMonitor(limits), DataStore((UNIT,)), {}
    put(store, UNIT, Signal.SOC_PCT, 5.0, T0)
    for second in range(3):
        now_ns = T0 + second * NS_PER_S
        put(store, UNIT, Signal.INVERTER_FAULT, 1.0, now_ns)
        findings, memory = monitor.assess(freeze(store.image(), now_ns), memory)
        assert [found.row for found in findings] == ["soc_low", "inverter_fault"]
        assert memory["battery/soc_low"].since_ns == T0


def test_assessing_leaves_the_memory_it_was_given_alone():
    driver = Driver(LIMITS["soc_high"])
    before = driver.memory
    driver.sample(99.0)
    assert before == {}
    assert driver.memory != {}


def test_margins_tell_the_distance_of_each_good_value_and_leave_out_the_rest():
    monitor = LimitMonitor(build_limits(SITE_YAML))
    store = DataStore((UNIT,))
    put(store, UNIT, Signal.SOC_PCT, 20.0, T0)
    put(store, UNIT, Signal.PACK_VOLTAGE_V, math.nan, T0)
    put(store, SITE, Signal.WATCHDOG_ARMED, 1.0, T0)
    margins = monitor.margins(freeze(store.image(), T0))
    assert margins == {
        "battery/soc_high": 75.0,
        "battery/soc_low": 10.0,
        "site/watchdog_lost": 0.5,
    }


def test_after_a_trip_it_falls_to_what_the_last_samples_still_show_not_to_what_the_last_one_does():
    driver = Driver(LIMITS["cell_voltage_low"])  # trip at 2.5 V, alarm at 2.8 V, 2 of 3
    driver.reach(2.4)
    for _ in range(21):
        (found,) = driver.sample(2.7)
        assert found.level is Level.TRIP
    (found,) = driver.sample(3.3)  # 10 s inside the trip level; two of three beyond the alarm
    assert found.level is Level.ALARM
    assert found.since_ns == driver.now_ns


def test_after_a_trip_it_falls_to_what_the_hysteresis_of_the_next_level_still_holds():
    driver = Driver(LIMITS["cell_voltage_low"])
    driver.reach(2.4)
    for _ in range(22):
        (found,) = driver.sample(2.85)  # above the alarm at 2.8 V, not by its 0.1 V
    assert found.level is Level.ALARM


def test_while_nothing_changes_the_memory_is_handed_on_and_not_copied():
    driver = Driver(LIMITS["cell_voltage_high"])
    driver.sample(3.3)
    assert driver.memory == {}
    before = driver.memory
    driver.look(dt_s=0.1)
    assert driver.memory is before
    driver.reach(3.7)
    before = driver.memory
    assert driver.look(dt_s=0.1)  # found, by the same sample
    assert driver.memory is before
    driver.sample(math.nan)
    driver.look(dt_s=0.1)
    assert driver.memory is before


def test_lost_data_stop_the_time_inside_only_once():
    driver = Driver(LIMITS["cell_voltage_high"])
    driver.reach(3.7)
    driver.sample(3.3)
    driver.sample(3.3)
    assert driver.memory["battery/cell_voltage_high"].inside_since_ns is not None
    driver.sample(math.nan)
    before = driver.memory
    assert before["battery/cell_voltage_high"].inside_since_ns is None
    driver.sample(math.nan)
    assert driver.memory is before


def test_a_row_in_memory_leaves_the_others_in_memory():
    high, low = LIMITS["cell_voltage_high"], LIMITS["cell_voltage_low"]
    monitor = type(Driver(high).monitor)((high, low))
    values = {Signal.CELL_VOLTAGE_MAX_V: 3.7, Signal.CELL_VOLTAGE_MIN_V: 2.4}
    _, memory = monitor.assess(snapshot_of(values), {})
    assert set(memory) == {high.key, low.key}


@pytest.mark.parametrize(
    ("row", "value", "text"),
    [
        ("cell_voltage_high", 3.7, "cell_voltage_max_v above 3.65 V: 3.7"),
        ("cell_voltage_high", 3.62, "cell_voltage_max_v above 3.6 V: 3.62"),
        ("cell_voltage_low", 2.4, "cell_voltage_min_v below 2.5 V: 2.4"),
        ("bms_protection", 1.0, "bms_protection is 1"),
        ("watchdog_lost", 0.0, "watchdog_armed is 0"),
    ],
)
def test_a_finding_names_the_value_its_side_and_its_limit(row, value, text):
    driver = Driver(LIMITS[row])
    (found,) = driver.reach(value)
    assert found.text == text
    good = 3.3 if "cell" in row else 1.0 - value
    for _ in range(3 if "cell" in row else 1):
        (found,) = driver.sample(good, dt_s=0.1)
    assert found.text.endswith(f"{good:g}; inside again, not yet for long enough")
    (found,) = driver.sample(math.nan)
    assert found.text == text.rpartition(" ")[0] + " not known"


# One sample is enough. ----------------------------------------------------------------------------

FAR = [pytest.param(limit, id=row) for row, limit in LIMITS.items() if limit.far is not None]
ENVELOPE = Envelope(min_w=-4000.0, max_w=4000.0, min_by="", max_by="")


def left_of(findings, now_ns):
    """The envelope under these findings, as a pair."""
    envelope = ENVELOPE
    for found in findings:
        envelope = found.narrow(envelope, now_ns)
    return envelope.min_w, envelope.max_w


def left_at_alarm(limit):
    match limit.row.reaction:
        case Reaction.BLOCK_CHARGE:
            return -4000.0, 0.0
        case Reaction.BLOCK_DISCHARGE:
            return 0.0, 4000.0
        case Reaction.RAMP_TO_ZERO:
            return 0.0, 0.0


def nearer(limit):
    """Just not far beyond."""
    return math.nextafter(limit.far, -limit.row.side * math.inf)


@pytest.mark.parametrize("limit", FAR)
def test_one_sample_far_beyond_takes_the_power_at_once_and_latches_nothing(limit):
    driver = Driver(limit)
    driver.sample(far_inside(limit))
    assert driver.sample(nearer(limit)) == ()
    driver = Driver(limit)
    driver.sample(far_inside(limit))
    (found,) = driver.sample(limit.far)
    assert (found.level, found.reaction) == (Level.ALARM, limit.row.reaction)
    assert found.since_ns == driver.now_ns - RAMP_TO_ZERO_NS
    assert left_of((found,), driver.now_ns) == left_at_alarm(limit)
    assert left_of(driver.look(0.1), driver.now_ns) == left_at_alarm(limit)


@pytest.mark.parametrize("limit", FAR)
def test_the_second_sample_beyond_the_trip_trips_all_the_same(limit):
    driver = Driver(limit)
    driver.sample(limit.far)
    (found,) = driver.sample(threshold_of(limit, Level.TRIP))
    assert (found.reaction, found.since_ns) == (Reaction.TRIP, driver.now_ns)
    (found,) = driver.sample(limit.far)
    assert found.since_ns == driver.now_ns - ns_from_s(0.5), "it has tripped before"


@pytest.mark.parametrize("limit", FAR)
def test_two_samples_far_beyond_trip(limit):
    driver = Driver(limit)
    driver.sample(limit.far)
    (found,) = driver.sample(limit.far)
    assert (found.reaction, found.since_ns) == (Reaction.TRIP, driver.now_ns)


@pytest.mark.parametrize("limit", FAR)
def test_one_that_was_alone_clears_as_any_alarm(limit):
    driver = Driver(limit)
    driver.sample(limit.far)
    since_ns = driver.now_ns
    while driver.sample(far_inside(limit)):
        assert driver.now_ns - since_ns < ns_from_s(limit.row.hold_s + 2.0)
    assert driver.now_ns - since_ns >= ns_from_s(limit.row.hold_s)
    assert driver.memory == {}


def test_one_far_beyond_ends_a_ramp_that_has_just_begun_and_does_not_begin_it_anew():
    limit = LIMITS["charge_current_high"]
    driver = Driver(limit)
    (found,) = driver.reach(threshold_of(limit, Level.ALARM))
    assert left_of((found,), driver.now_ns) == (-4000.0, 4000.0)
    driver.sample(threshold_of(limit, Level.ALARM), dt_s=0.1)
    driver.sample(far_inside(limit), dt_s=0.01)  # so that the next is no second beyond the trip
    (found,) = driver.sample(limit.far, dt_s=0.01)
    assert found.level is Level.ALARM
    assert left_of((found,), driver.now_ns) == (0.0, 0.0)
    since_ns = found.since_ns
    driver.sample(far_inside(limit))
    driver.sample(far_inside(limit))
    (found,) = driver.sample(limit.far)
    assert found.since_ns == since_ns
