"""The process image: who may write what, what is believed, and what a cycle reads."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.reading import Bad, Good, Missing, Stale
from holdfast.core.signals import SIGNALS, SITE, Producer, Signal
from tests.builders import LOAD, T0, UNIT, owner_of, put

UNIT_SIGNALS = sorted(signal for signal, row in SIGNALS.items() if not (row.of_site or row.of_load))


def store_of_all() -> DataStore:
    return DataStore((UNIT,), (LOAD,))


@pytest.mark.parametrize("signal", list(Signal))
def test_only_its_own_producer_may_write_a_signal(signal):
    store = store_of_all()
    row = SIGNALS[signal]
    for producer in Producer:
        if producer is not row.producer:
            with pytest.raises(ValueError, match=f"produced by {row.producer}, not by {producer}"):
                store.put(producer, owner_of(signal), signal, row.low, T0)
    assert store.image()[owner_of(signal)] == {}
    store.put(row.producer, owner_of(signal), signal, row.low, T0)
    assert store.image()[owner_of(signal)] == {signal: Good(value=row.low, time_ns=T0)}


@pytest.mark.parametrize("signal", list(Signal))
def test_a_signal_of_the_site_a_unit_or_a_load_belongs_to_nobody_else(signal):
    for wrong in {SITE, UNIT, LOAD} - {owner_of(signal)}:
        with pytest.raises(ValueError, match="does not belong to"):
            put(store_of_all(), wrong, signal, SIGNALS[signal].low, T0)


@pytest.mark.parametrize("signal", list(Signal))
def test_the_ends_of_the_plausible_range_are_good_and_what_is_beyond_is_bad(signal):
    row = SIGNALS[signal]
    beyond = [math.nextafter(row.low, -math.inf), math.nextafter(row.high, math.inf)]
    for value in (row.low, row.high):
        store = store_of_all()
        put(store, owner_of(signal), signal, value, T0)
        assert store.image()[owner_of(signal)][signal] == Good(value=value, time_ns=T0)
    for value in (*beyond, math.nan, math.inf, -math.inf):
        store = store_of_all()
        put(store, owner_of(signal), signal, value, T0)
        sample = store.image()[owner_of(signal)][signal]
        assert isinstance(sample, Bad)
        assert row.unit in sample.reason


@given(st.sampled_from(UNIT_SIGNALS), st.floats())
def test_no_float_is_good_unless_it_is_finite_and_plausible(signal, value):
    store = store_of_all()
    put(store, UNIT, signal, value, T0)
    row = SIGNALS[signal]
    plausible = math.isfinite(value) and row.low <= value <= row.high
    reading = freeze(store.image(), T0).read(UNIT, signal)
    assert isinstance(reading, Good) is plausible
    assert isinstance(reading, Bad) is not plausible


@pytest.mark.parametrize("late_value", [99.0, math.nan])
def test_a_late_sample_never_replaces_a_fresh_one(late_value):
    store = store_of_all()
    put(store, UNIT, Signal.SOC_PCT, 40.0, T0)
    put(store, UNIT, Signal.SOC_PCT, late_value, T0 - 1)
    assert store.image()[UNIT][Signal.SOC_PCT] == Good(value=40.0, time_ns=T0)


def test_a_good_sample_replaces_a_bad_one_and_the_other_way_round():
    store = store_of_all()
    put(store, UNIT, Signal.SOC_PCT, math.nan, T0)
    put(store, UNIT, Signal.SOC_PCT, 40.0, T0 + 1)
    assert isinstance(store.image()[UNIT][Signal.SOC_PCT], Good)
    put(store, UNIT, Signal.SOC_PCT, 101.0, T0 + 2)
    assert isinstance(store.image()[UNIT][Signal.SOC_PCT], Bad)


@pytest.mark.parametrize("signal", list(Signal))
def test_a_sample_turns_stale_just_after_its_maximum_age(signal):
    row, owner = SIGNALS[signal], owner_of(signal)
    store = store_of_all()
    put(store, owner, signal, row.high, T0)
    last = T0 + row.max_age_ns
    assert freeze(store.image(), last).read(owner, signal) == Good(value=row.high, time_ns=T0)
    assert freeze(store.image(), last + 1).read(owner, signal) == Stale(value=row.high, time_ns=T0)
    assert freeze(store.image(), last + 1).good(owner, signal) is None


def test_a_sample_from_the_future_is_bad():
    store = store_of_all()
    put(store, UNIT, Signal.SOC_PCT, 50.0, T0 + 1)
    snapshot = freeze(store.image(), T0)
    assert isinstance(snapshot.read(UNIT, Signal.SOC_PCT), Bad)
    assert snapshot.good(UNIT, Signal.SOC_PCT) is None


def test_a_bad_sample_stays_bad_however_old_it_gets():
    store = store_of_all()
    put(store, UNIT, Signal.SOC_PCT, math.inf, T0)
    assert isinstance(freeze(store.image(), T0 + 10**15).read(UNIT, Signal.SOC_PCT), Bad)


def test_what_was_never_written_is_missing_and_not_zero():
    snapshot = freeze(store_of_all().image(), T0)
    for signal in Signal:
        assert snapshot.read(owner_of(signal), signal) == Missing()
        assert snapshot.good(owner_of(signal), signal) is None


def test_later_writes_touch_neither_an_image_nor_its_snapshot():
    store = store_of_all()
    put(store, UNIT, Signal.SOC_PCT, 50.0, T0)
    image = store.image()
    snapshot = freeze(image, T0)
    put(store, UNIT, Signal.SOC_PCT, 60.0, T0 + 1)
    put(store, UNIT, Signal.SOH_PCT, 60.0, T0 + 1)
    assert image[UNIT] == {Signal.SOC_PCT: Good(value=50.0, time_ns=T0)}
    assert snapshot.read(UNIT, Signal.SOC_PCT) == Good(value=50.0, time_ns=T0)
    assert snapshot.read(UNIT, Signal.SOH_PCT) == Missing()


def test_a_listener_hears_a_change_of_value_or_quality_and_nothing_else():
    store = store_of_all()
    heard = []
    store.on_change(lambda owner, signal, sample: heard.append((owner, signal, sample)))
    loop = Signal.EMERGENCY_LOOP_CLOSED
    steps = [(1.0, 1), (1.0, 1), (0.0, 1), (0.0, 0), (math.nan, 1), (7.0, 1), (0.0, 1), (1.0, -9)]
    time_ns, counts = T0, []
    for value, forward in steps:
        time_ns += forward
        put(store, SITE, loop, value, time_ns)
        counts.append(len(heard))
    # first, same, changed, same at the same time, bad, still bad, good again, too late
    assert counts == [1, 1, 2, 2, 3, 3, 4, 4]
    assert heard[1] == (SITE, loop, Good(value=0.0, time_ns=T0 + 3))


def test_each_unit_has_its_own_readings():
    store = DataStore(("left", "right"))
    put(store, "left", Signal.SOC_PCT, 20.0, T0)
    snapshot = freeze(store.image(), T0)
    assert snapshot.good("left", Signal.SOC_PCT) == 20.0
    assert snapshot.good("right", Signal.SOC_PCT) is None
