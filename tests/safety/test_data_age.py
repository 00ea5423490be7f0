"""Data age: derate at half the maximum age, to zero beyond it, bad at once."""

import math

import pytest

from holdfast.core.ages import USUAL
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import INFORMATIVE, SIGNALS, SITE, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.safety.data_age import DataAge
from holdfast.safety.envelope import up_to
from holdfast.safety.finding import Reaction
from tests.builders import LOAD, T0, UNIT, build_site, expected_signals, healthy_store, put

EXPECTED = expected_signals(build_site())


SAFETY_SIGNALS = [
    signal for signal, row in SIGNALS.items() if not row.of_load and signal not in INFORMATIVE
]


def owner_of(signal):
    return SITE if SIGNALS[signal].of_site else UNIT


def left_of(found, now_ns):
    """What the finding leaves of 1000 W, the same in both directions."""
    left = found.narrow(up_to(charge_w=1000.0, discharge_w=1000.0, by=""), now_ns)
    assert left.max_w == -left.min_w
    return left.max_w


def assess(signal, sampled_ns, now_ns, value=None):
    store = DataStore((UNIT,))
    value = SIGNALS[signal].high if value is None else value
    put(store, owner_of(signal), signal, value, sampled_ns)
    return DataAge({owner_of(signal): [signal]}).assess(freeze(store.image(), now_ns))


@pytest.mark.parametrize("signal", SAFETY_SIGNALS)
def test_old_data_derate_and_lost_data_go_to_zero(signal):
    row = SIGNALS[signal]
    half, whole = row.max_age_ns // 2, row.max_age_ns
    lost_ns = T0 + whole - NS_PER_S // 4  # the first half of the ramp is behind them
    assert assess(signal, T0, T0) == ()
    assert assess(signal, T0, T0 + half) == ()
    for age_ns, name, reaction, since_ns in (
        (half + 1, "data_old", Reaction.DERATE, T0 + half),
        (whole, "data_old", Reaction.DERATE, T0 + half),
        (whole + 1, "data_lost", Reaction.RAMP_TO_ZERO, lost_ns),
        (whole + 10**15, "data_lost", Reaction.RAMP_TO_ZERO, lost_ns),
    ):
        (found,) = assess(signal, T0, T0 + age_ns)
        assert found.row == f"{row.producer}_{name}"
        assert (found.reaction, found.since_ns) == (reaction, since_ns)
        assert found.owner == owner_of(signal)
        assert signal in found.text


@pytest.mark.parametrize("signal", SAFETY_SIGNALS)
def test_a_value_that_cannot_be_true_permits_nothing_at_once(signal):
    for value in (math.nan, math.inf, SIGNALS[signal].high + 1):
        (found,) = assess(signal, T0, T0, value)
        assert found.row == f"{SIGNALS[signal].producer}_data_bad"
        assert found.reaction is Reaction.RAMP_TO_ZERO
        assert left_of(found, T0) == 0.0


@pytest.mark.parametrize("age_ns", [0, 3 * NS_PER_S, 6 * NS_PER_S, -1])
@pytest.mark.parametrize("value", [math.nan, 300.0, 99.0])
@pytest.mark.parametrize("signal", sorted(INFORMATIVE))
def test_on_what_only_informs_nothing_rests_whatever_it_is(signal, value, age_ns):
    """A pack that does not know its health sends 0xFFFF, and must run."""
    assert assess(signal, T0, T0 + age_ns, value) == ()


def test_what_only_informs_hides_nothing_else_of_its_device():
    for signals in ((Signal.SOH_PCT, Signal.SOC_PCT), (Signal.SOC_PCT, Signal.SOH_PCT)):
        (found,) = assess_once(*((UNIT, signal, math.nan, T0) for signal in signals))
        assert (found.row, "soc_pct" in found.text) == ("bms_data_bad", True)


def test_a_sample_from_the_future_is_bad_data():
    (found,) = assess(Signal.SOC_PCT, T0 + 1, T0)
    assert found.row == "bms_data_bad"
    assert left_of(found, T0) == 0.0


def test_lost_data_close_the_envelope_within_a_quarter_of_a_second_of_their_maximum_age():
    lost_ns = T0 + SIGNALS[Signal.SOC_PCT].max_age_ns
    for after_ns, left_w in ((NS_PER_S // 8, 250.0), (NS_PER_S // 4, 0.0), (NS_PER_S, 0.0)):
        (found,) = assess(Signal.SOC_PCT, T0, lost_ns + after_ns)
        assert left_of(found, lost_ns + after_ns) == pytest.approx(left_w)


@pytest.mark.parametrize("signal", [Signal.SOC_PCT, Signal.GRID_POWER_W])
def test_older_data_never_permit_more(signal):
    whole = SIGNALS[signal].max_age_ns
    left = []
    for age_ns in (whole // 2 + 1, whole, whole + 1, whole + NS_PER_S // 10):
        (found,) = assess(signal, T0, T0 + age_ns)
        left.append(left_of(found, T0 + age_ns))
    assert left[0] == left[1] == 500.0
    assert left[2] == pytest.approx(500.0)
    assert left == sorted(left, reverse=True)
    assert left[3] < 400.0


def test_what_was_never_read_is_lost_and_permits_nothing():
    store = DataStore((UNIT,))
    (found,) = DataAge({UNIT: [Signal.SOC_PCT]}).assess(freeze(store.image(), T0))
    assert (found.row, found.reaction) == ("bms_data_missing", Reaction.RAMP_TO_ZERO)
    assert left_of(found, T0) == 0.0


def test_what_was_never_read_permits_nothing_even_just_after_the_computers_start():
    (found,) = DataAge({UNIT: [Signal.SOC_PCT]}).assess(freeze(DataStore((UNIT,)).image(), 0))
    assert left_of(found, 0) == 0.0


def test_what_has_come_once_must_keep_coming_though_nobody_expects_it():
    assert Signal.CELL_VOLTAGE_MAX_V not in EXPECTED[UNIT]
    store = healthy_store()
    later = T0 + SIGNALS[Signal.CELL_VOLTAGE_MAX_V].max_age_ns + 1
    for signal in EXPECTED[UNIT]:
        put(store, UNIT, signal, store.image()[UNIT][signal].value, later)
    found = DataAge(EXPECTED).assess(freeze(store.image(), later))
    assert "battery/bms_data_lost" in {f.key for f in found}


def test_each_device_has_one_finding_its_worst():
    store = healthy_store()
    later = T0 + 600 * NS_PER_MS  # inverter, relays and meter are old; the loop is lost
    put(store, UNIT, Signal.SOC_PCT, math.nan, later)
    put(store, UNIT, Signal.INVERTER_TEMPERATURE_C, math.nan, later)
    put(store, SITE, Signal.WATCHDOG_ARMED, 1.0, later)
    found = DataAge(EXPECTED).assess(freeze(store.image(), later))
    assert {f.key: f.reaction.name for f in found} == {
        "battery/bms_data_bad": "RAMP_TO_ZERO",
        "battery/inverter_data_bad": "RAMP_TO_ZERO",
        "battery/relays_data_old": "DERATE",
        "site/meter_data_old": "DERATE",
        "site/emergency_input_data_lost": "RAMP_TO_ZERO",
    }
    assert len(found) == 5


def test_fresh_good_data_of_all_devices_are_no_finding():
    assert DataAge(EXPECTED).assess(freeze(healthy_store().image(), T0)) == ()


def test_a_signal_that_nobody_expects_may_be_missing():
    store = healthy_store()
    image = store.image()
    image[UNIT].pop(Signal.INSULATION_KOHM)
    assert Signal.INSULATION_KOHM not in EXPECTED[UNIT]
    assert DataAge(EXPECTED).assess(freeze(image, T0)) == ()


def left_after_two_seconds(value, ahead_ns=0):
    """What is left of 1000 W while a device has sent ``value`` every 100 ms for 2 s."""
    store = DataStore((UNIT,))
    age = DataAge({UNIT: [Signal.INVERTER_TEMPERATURE_C]})
    for step in range(21):
        now_ns = T0 + step * 100 * NS_PER_MS
        put(store, UNIT, Signal.INVERTER_TEMPERATURE_C, value, now_ns + ahead_ns)
        (found,) = age.assess(freeze(store.image(), now_ns))
    return left_of(found, now_ns)


def test_a_device_that_keeps_sending_nonsense_is_taken_to_zero():
    """Each new bad sample must not start the ramp to zero again."""
    assert left_after_two_seconds(math.nan) == 0.0


def test_a_device_whose_clock_runs_ahead_is_taken_to_zero():
    assert left_after_two_seconds(30.0, ahead_ns=NS_PER_S) == 0.0


def test_the_age_of_what_a_load_tells_is_nothing_to_the_safety_path():
    store = DataStore((UNIT,), (LOAD,))
    put(store, LOAD, Signal.LOAD_ON, 1.0, T0)
    put(store, LOAD, Signal.ROOM_TEMPERATURE_C, 999.0, T0)
    late_ns = T0 + 10 * SIGNALS[Signal.LOAD_ON].max_age_ns
    assert DataAge({UNIT: []}).assess(freeze(store.image(), late_ns)) == ()


def assess_once(*samples, now_ns=T0):
    store = DataStore((UNIT,))
    for owner, signal, value, time_ns in samples:
        put(store, owner, signal, value, time_ns)
    return DataAge({SITE: [], UNIT: []}).assess(freeze(store.image(), now_ns))


def test_findings_come_in_the_order_of_owner_and_device_not_of_arrival():
    old_ns = T0 - 60 * NS_PER_S
    found = assess_once(
        (UNIT, Signal.CONTACTOR_CLOSED, 1.0, old_ns),
        (UNIT, Signal.BATTERY_POWER_W, 1.0, old_ns),
        (UNIT, Signal.SOC_PCT, 50.0, old_ns),
        (SITE, Signal.GRID_POWER_W, 0.0, old_ns),
        (SITE, Signal.EMERGENCY_LOOP_CLOSED, 1.0, old_ns),
    )
    assert [finding.key for finding in found] == [
        f"{UNIT}/bms_data_lost",
        f"{UNIT}/inverter_data_lost",
        f"{UNIT}/relays_data_lost",
        f"{SITE}/emergency_input_data_lost",
        f"{SITE}/meter_data_lost",
    ]


def test_of_two_readings_that_are_as_bad_for_as_long_the_first_is_told():
    old_ns = T0 - 60 * NS_PER_S
    (found,) = assess_once(
        (UNIT, Signal.SOC_PCT, 50.0, old_ns), (UNIT, Signal.PACK_VOLTAGE_V, 52.8, old_ns)
    )
    assert "soc_pct" in found.text
    assert found.since_ns == old_ns + 5 * NS_PER_S - NS_PER_S // 4


@pytest.mark.parametrize("first", [Signal.SOC_PCT, Signal.CELL_TEMPERATURE_MAX_C])
def test_of_two_lost_readings_the_one_that_is_lost_for_longer_counts(first):
    """Another one that follows must not open the envelope again."""
    later = Signal.CELL_TEMPERATURE_MAX_C if first is Signal.SOC_PCT else Signal.SOC_PCT
    times_ns = {first: T0 - 6 * NS_PER_S, later: T0 - 5 * NS_PER_S - 1}
    for signals in ((first, later), (later, first)):
        (found,) = assess_once(*((UNIT, signal, 50.0, times_ns[signal]) for signal in signals))
        assert first in found.text
        assert found.since_ns == T0 - NS_PER_S - NS_PER_S // 4


@pytest.mark.parametrize("lost", [Signal.SOC_PCT, Signal.CELL_TEMPERATURE_MIN_C])
def test_nonsense_permits_nothing_though_another_signal_was_lost_only_now(lost):
    """Power was let through for half a second when a signal got lost beside a bad one."""
    bad = Signal.SOC_PCT if lost is Signal.CELL_TEMPERATURE_MIN_C else Signal.CELL_TEMPERATURE_MIN_C
    samples = {lost: (50.0, T0 - 5 * NS_PER_S - 1), bad: (math.nan, T0)}
    for signals in (sorted(samples), sorted(samples, reverse=True)):
        (found,) = assess_once(*((UNIT, signal, *samples[signal]) for signal in signals))
        assert found.row == "bms_data_bad"


def test_a_bad_value_is_bad_since_it_was_read_not_since_it_was_looked_at():
    """Its sample's time and not the cycle's: it does not seem to begin anew in every cycle."""
    (found,) = assess_once((UNIT, Signal.SOC_PCT, 101.0, T0 - NS_PER_S))
    assert found.since_ns == T0 - NS_PER_S - NS_PER_S // 2
    (found,) = assess_once((UNIT, Signal.SOC_PCT, 50.0, T0 + NS_PER_S))  # from the future
    assert found.since_ns == T0 - NS_PER_S // 2


def test_a_device_that_is_not_as_others_has_its_own_ages():
    """What is old derates at its own age, and what is lost goes on from there to zero."""
    soc, ages = Signal.SOC_PCT, USUAL.of({Signal.SOC_PCT: (2 * NS_PER_S, 9 * NS_PER_S)})
    data_age = DataAge({UNIT: [soc]}, {UNIT: ages})
    store = DataStore((UNIT,))
    put(store, UNIT, soc, 50.0, T0)
    for age_ns, row, since_ns in (
        (2 * NS_PER_S, None, None),
        (2 * NS_PER_S + 1, "bms_data_old", T0 + 2 * NS_PER_S),
        (9 * NS_PER_S, "bms_data_old", T0 + 2 * NS_PER_S),
        (9 * NS_PER_S + 1, "bms_data_lost", T0 + 9 * NS_PER_S - NS_PER_S // 4),
    ):
        snapshot = freeze(store.image(), T0 + age_ns, {UNIT: ages})
        found = [(one.row, one.since_ns) for one in data_age.assess(snapshot)]
        assert found == ([] if row is None else [(row, since_ns)])
    assert freeze(store.image(), T0 + 6 * NS_PER_S).good(UNIT, soc) is None
    assert freeze(store.image(), T0 + 6 * NS_PER_S, {SITE: ages}).good(UNIT, soc) is None
    assert freeze(store.image(), T0 + 6 * NS_PER_S, {UNIT: ages}).good(UNIT, soc) == 50.0


def test_what_follows_from_a_slow_meter_does_not_take_half_of_the_half_that_it_leaves():
    """A table may say that a meter's values count for 15 s; the rest of the site is as old."""
    ages = {SITE: USUAL.of({Signal.GRID_POWER_W: (NS_PER_S // 2, 15 * NS_PER_S)})}
    store = DataStore((UNIT,))
    for signal in (Signal.GRID_POWER_W, Signal.REST_OF_SITE_W):
        put(store, SITE, signal, 300.0, T0)
    now_ns = T0 + 15 * NS_PER_S
    found = DataAge({SITE: []}, ages).assess(freeze(store.image(), now_ns, ages))
    assert [one.row for one in found] == ["meter_data_old"]


@pytest.mark.parametrize(("observes", "found"), [(True, []), (False, ["inverter_data_bad"])])
def test_who_only_observes_is_not_told_what_the_inverter_was_commanded(observes, found):
    """A box that nobody commands follows its own rule, and holds no setpoint of ours."""
    store = DataStore((UNIT,))
    put(store, UNIT, Signal.SETPOINT_READBACK_W, math.nan, T0)
    put(store, UNIT, Signal.BATTERY_POWER_W, 300.0, T0)
    data_age = DataAge({UNIT: [Signal.BATTERY_POWER_W]}, observes=observes)
    assert [one.row for one in data_age.assess(freeze(store.image(), T0))] == found
