"""The process image: who may write what, what is believed, and what a cycle reads."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import DataStore, Told, freeze
from holdfast.core.reading import Bad, Good, Missing, Stale
from holdfast.core.role import Role
from holdfast.core.signals import PRODUCERS, SIGNALS, SITE, Signal
from tests.builders import LOAD, T0, UNIT, owner_of, put

UNIT_SIGNALS = sorted(signal for signal, row in SIGNALS.items() if not (row.of_site or row.of_load))


def store_of_all() -> DataStore:
    return DataStore((UNIT,), (LOAD,))


@pytest.mark.parametrize("signal", list(Signal))
def test_only_its_own_producer_may_write_a_signal(signal):
    store = store_of_all()
    row = SIGNALS[signal]
    for producer in PRODUCERS:
        if producer is not row.producer:
            with pytest.raises(ValueError, match=f"produced by {row.producer}, not by {producer}"):
                store.put(producer, owner_of(signal), signal, row.low, T0)
    assert store.image()[owner_of(signal)] == {}
    store.put(row.producer, owner_of(signal), signal, row.low, T0)
    assert store.image()[owner_of(signal)] == {signal: Good(value=row.low, time_ns=T0)}


@pytest.mark.parametrize("signal", list(Signal))
def test_what_is_not_to_be_believed_is_kept_as_bad_with_its_reason(signal):
    store, row, owner = store_of_all(), SIGNALS[signal], owner_of(signal)
    heard: list[object] = []
    store.on_change(lambda *change: heard.append(change))
    store.put(row.producer, owner, signal, row.low, T0)
    store.put_bad(row.producer, owner, signal, "of another time", T0 - 1)
    assert store.image()[owner] == {signal: Good(value=row.low, time_ns=T0)}
    store.put_bad(row.producer, owner, signal, "of another site", T0)
    bad = Bad(reason="of another site", time_ns=T0)
    assert store.image()[owner] == {signal: bad}
    assert heard[1:] == [(owner, signal, bad)]
    for wrong in set(PRODUCERS) - {row.producer}:
        with pytest.raises(ValueError, match=f"produced by {row.producer}, not by {wrong}"):
            store.put_bad(wrong, owner, signal, "", T0)
    for wrong in {SITE, UNIT, LOAD} - {owner}:
        with pytest.raises(ValueError, match="does not belong to"):
            store.put_bad(row.producer, wrong, signal, "", T0)


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
    for value in (*beyond, math.inf, -math.inf):
        store = store_of_all()
        put(store, owner_of(signal), signal, value, T0)
        sample = store.image()[owner_of(signal)][signal]
        assert isinstance(sample, Bad)
        assert row.unit in sample.reason


def reason_for(signal, value):
    store = store_of_all()
    put(store, owner_of(signal), signal, value, T0)
    return store.image()[owner_of(signal)][signal].reason


def test_a_bad_value_is_told_with_the_range_that_it_is_not_in():
    assert reason_for(Signal.SOC_PCT, 101.0) == "101 % is not within 0 to 100"
    assert reason_for(Signal.GRID_POWER_W, -math.inf) == "-inf W is not within -1e+06 to 1e+06"


@pytest.mark.parametrize("signal", list(Signal))
def test_what_is_not_available_is_told_as_that(signal):
    assert reason_for(signal, math.nan) == "the device says that it is not available"


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


# Polls. -------------------------------------------------------------------------------------------

SOC, SOH, CURRENT = Signal.SOC_PCT, Signal.SOH_PCT, Signal.BATTERY_CURRENT_A


class Polls:
    """A BMS that tells two values, a second after the other."""

    def __init__(self):
        self.store, self.time_ns = store_of_all(), T0

    def __call__(self, soc_pct, current_a=1.0, role=Role.BMS, hint=""):
        self.time_ns += 1
        poll = [
            Told(signal=SOC, value=soc_pct, time_ns=self.time_ns, hint=hint),
            Told(signal=CURRENT, value=current_a, time_ns=self.time_ns),
        ]
        return self.store.put_poll({role: UNIT}, poll)

    @property
    def shown(self):
        """The good values of the image; None for a bad one."""
        samples = self.store.image()[UNIT]
        return tuple(
            sample.value if isinstance(sample, Good) else None
            for sample in (samples[SOC], samples[CURRENT])
        )


def test_the_values_of_a_poll_come_together():
    polls = Polls()
    assert polls(50.0, 3.0) is None
    assert polls.shown == (50.0, 3.0)
    assert polls.store.image()[UNIT][SOC].time_ns == polls.time_ns


NOT_AVAILABLE = "soc_pct: the device says that it is not available; look"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (101.0, "soc_pct: 101 % is not within 0 to 100; look"),
        (math.inf, "soc_pct: inf % is not within 0 to 100; look"),
        (math.nan, NOT_AVAILABLE),
    ],
)
def test_a_poll_with_one_value_that_cannot_be_true_is_left_out_and_says_why(wrong, why):
    """A frame that begins one register late spoils them all."""
    polls = Polls()
    polls(50.0, 3.0)
    assert polls(wrong, 4.0, hint="look") == why
    assert polls.shown == (50.0, 3.0)
    assert polls.store.image()[UNIT][SOC].time_ns == polls.time_ns - 1, "its age goes on"
    assert polls(51.0, 5.0) is None
    assert polls.shown == (51.0, 5.0)


def test_every_value_of_a_poll_that_cannot_be_true_is_told():
    polls = Polls()
    polls(50.0)
    assert polls(-1.0, 9999.0).count("is not within") == 2


@pytest.mark.parametrize(
    ("after", "believed"), [("b", True), ("gb", True), ("ggb", False), ("gggb", False)]
)
def test_the_second_doubtful_poll_of_three_is_believed(after, believed):
    polls = Polls()
    polls(50.0)
    polls(101.0)
    for kind in after:
        said = polls(102.0 if kind == "b" else 60.0, 7.0)
    assert (said is None) is believed
    assert polls.shown[0] == (None if believed else 60.0)
    if believed:
        assert polls.shown[1] == 7.0
        assert polls.store.image()[UNIT][SOC].reason == "102 % is not within 0 to 100"


def test_one_that_was_never_good_or_has_been_bad_is_believed_at_once():
    polls = Polls()
    assert polls(101.0) is None
    assert polls.shown == (None, 1.0)
    assert polls(102.0, 2.0) is None
    assert polls.shown == (None, 2.0)
    # It says nothing of what else comes with it.
    assert polls(103.0, 9999.0) is not None
    assert polls.shown == (None, 2.0)


def test_one_in_two_is_bad_again_and_again_and_one_in_three_is_not():
    for every, ever_bad in ((2, True), (3, False)):
        polls = Polls()
        shown = []
        for count in range(1, 40):
            polls(101.0 if count % every == 0 else 50.0)
            shown.append(polls.shown[0])
        assert (None in shown) is ever_bad


def test_a_doubt_of_one_device_is_none_of_another():
    polls = Polls()
    polls(50.0)
    power = [Told(signal=Signal.BATTERY_POWER_W, value=2e6, time_ns=T0)]
    polls.store.put(Role.INVERTER, UNIT, Signal.BATTERY_POWER_W, 5.0, T0)
    assert polls.store.put_poll({Role.INVERTER: UNIT}, power) is not None
    assert polls(101.0) is not None


def test_an_emergency_input_that_cannot_be_true_does_not_wait():
    store = store_of_all()
    loop = Signal.EMERGENCY_LOOP_CLOSED
    for value, kind in ((1.0, Good), (7.0, Bad)):
        poll = [Told(signal=loop, value=value, time_ns=T0)]
        assert store.put_poll({Role.EMERGENCY_INPUT: SITE}, poll) is None
        assert isinstance(store.image()[SITE][loop], kind)


def test_a_poll_too_is_written_by_its_own_producer_only():
    with pytest.raises(ValueError, match="produced by bms, not by inverter"):
        Polls()(50.0, role=Role.INVERTER)


@given(st.lists(st.tuples(st.floats() | st.floats(0, 100), st.floats() | st.floats(-9, 9))))
def test_a_poll_is_taken_whole_or_not_at_all_and_never_makes_a_wrong_value_good(told):
    polls = Polls()
    for soc_pct, current_a in told:
        before = polls.store.image()[UNIT]
        left_out = polls(soc_pct, current_a) is not None
        after = polls.store.image()[UNIT]
        if left_out:
            assert after == before
            continue
        for signal, value in ((SOC, soc_pct), (CURRENT, current_a)):
            plausible = SIGNALS[signal].low <= value <= SIGNALS[signal].high
            assert isinstance(after[signal], Good if plausible else Bad)
            assert after[signal].time_ns == polls.time_ns


# One device, several roles. -----------------------------------------------------------------------

BOX = {Role.BMS: UNIT, Role.METER: SITE}


def of_box(time_ns, soc_pct=50.0, grid_w=100.0):
    return [
        Told(signal=SOC, value=soc_pct, time_ns=time_ns),
        Told(signal=Signal.GRID_POWER_W, value=grid_w, time_ns=time_ns),
    ]


def test_what_one_poll_tells_goes_to_the_owner_of_each_role():
    store = store_of_all()
    assert store.put_poll(BOX, of_box(T0)) is None
    assert store.image()[UNIT][SOC] == Good(value=50.0, time_ns=T0)
    assert store.image()[SITE][Signal.GRID_POWER_W] == Good(value=100.0, time_ns=T0)


def test_one_wrong_value_spoils_the_poll_for_all_owners_and_the_second_is_believed():
    store = store_of_all()
    store.put_poll(BOX, of_box(T0))
    doubt = store.put_poll(BOX, of_box(T0 + 1, soc_pct=101.0, grid_w=200.0))
    assert doubt is not None
    assert "soc_pct" in doubt
    assert store.image()[SITE][Signal.GRID_POWER_W].time_ns == T0
    assert store.put_poll(BOX, of_box(T0 + 2, soc_pct=101.0, grid_w=300.0)) is None
    assert store.image()[SITE][Signal.GRID_POWER_W] == Good(value=300.0, time_ns=T0 + 2)
    assert isinstance(store.image()[UNIT][SOC], Bad)


def test_two_devices_are_doubted_each_for_itself():
    store = store_of_all()
    other = {Role.METER: SITE}
    for owners in (BOX, other):
        poll = of_box(T0) if owners is BOX else of_box(T0)[1:]
        assert store.put_poll(owners, poll) is None
    assert store.put_poll(BOX, of_box(T0 + 1, soc_pct=101.0)) is not None
    wrong = [Told(signal=Signal.GRID_POWER_W, value=9e9, time_ns=T0 + 2)]
    assert store.put_poll(other, wrong) is not None


def test_what_none_of_its_roles_produces_is_refused_by_name():
    store = store_of_all()
    with pytest.raises(ValueError, match="soc_pct is produced by bms, not by meter or inverter"):
        store.put_poll({Role.METER: SITE, Role.INVERTER: UNIT}, of_box(T0))
