"""Two samples of the same instant: the later word counts."""

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from tests.builders import T0, UNIT, put


def test_of_two_samples_of_the_same_instant_the_one_that_came_last_counts():
    store = DataStore((UNIT,))
    put(store, UNIT, Signal.SOC_PCT, 40.0, T0)
    put(store, UNIT, Signal.SOC_PCT, 41.0, T0)
    assert freeze(store.image(), T0).read(UNIT, Signal.SOC_PCT) == Good(value=41.0, time_ns=T0)


def test_a_sample_of_this_very_instant_is_good():
    store = DataStore((UNIT,))
    put(store, UNIT, Signal.SOC_PCT, 40.0, T0)
    assert freeze(store.image(), T0).good(UNIT, Signal.SOC_PCT) == 40.0


def test_a_listener_hears_the_first_sample_too_even_a_bad_one():
    store = DataStore((UNIT,))
    heard = []
    store.on_change(lambda owner, signal, sample: heard.append(signal))
    put(store, UNIT, Signal.SOC_PCT, 140.0, T0)
    put(store, UNIT, Signal.SOH_PCT, 99.0, T0)
    assert heard == [Signal.SOC_PCT, Signal.SOH_PCT]
