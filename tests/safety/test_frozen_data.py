"""A device that repeats itself is found by one that shows what it must have seen."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import MISSING, Bad, Good, Stale
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.safety import frozen_data
from holdfast.safety.finding import Reaction
from holdfast.safety.frozen_data import FrozenData, Standstill
from tests.builders import T0, UNIT, Bench, build_site, unit_content

SITE_YAML = build_site()  # 5 kW: a witness has moved by 250 W
BMS, INVERTER, METER = f"{UNIT}/bms", f"{UNIT}/inverter", "site/meter"
BMS_SIGNALS = (
    Signal.PACK_VOLTAGE_V,
    Signal.BATTERY_CURRENT_A,
    Signal.CELL_VOLTAGE_MIN_V,
    Signal.CELL_VOLTAGE_MAX_V,
)


def at(seconds):
    return T0 + ns_from_s(seconds)


class Run:
    """One unit and a meter; each device shows what a test says, when it says so."""

    def __init__(self, site=SITE_YAML, units=(UNIT,)):
        self.check, self.memory, self.now_ns, self.findings = FrozenData(site), {}, T0, ()
        self.readings = {SITE: {}, **{unit: {} for unit in units}}

    def bms(self, power_w, *, cells_v=(3.29, 3.31), unit=UNIT):
        shown = (50.0, power_w / 50.0, *cells_v)
        for signal, value in zip(BMS_SIGNALS, shown, strict=True):
            self.readings[unit][signal] = Good(value=value, time_ns=self.now_ns)

    def inverter(self, power_w, unit=UNIT):
        self.readings[unit][Signal.BATTERY_POWER_W] = Good(value=power_w, time_ns=self.now_ns)

    def meter(self, power_w):
        self.readings[SITE][Signal.GRID_POWER_W] = Good(value=power_w, time_ns=self.now_ns)

    def island(self, flag, voltage_v):
        self.readings[UNIT][Signal.ISLANDED] = Good(value=flag, time_ns=self.now_ns)
        self.readings[SITE][Signal.GRID_VOLTAGE_V] = Good(value=voltage_v, time_ns=self.now_ns)

    def look(self, after_s=0.0):
        """A cycle; ``after_s`` later it is the time of what a test says next."""
        snapshot = Snapshot(time_ns=self.now_ns, readings=self.readings)
        self.findings, self.memory = self.check.assess(snapshot, self.memory)
        self.now_ns += ns_from_s(after_s)
        return [found.key for found in self.findings]

    def wait(self, seconds, *, every_s=0.5, **shown):
        """Cycles for ``seconds``, in each of which these devices show these powers anew."""
        seen = self.look()
        for _ in range(round(seconds / every_s)):
            self.now_ns += ns_from_s(every_s)
            for device, power_w in shown.items():
                getattr(self, device)(power_w)
            seen = self.look()
        return seen


def at_rest(**shown):
    """Every device has been seen for ten seconds, and nothing flows."""
    run = Run()
    run.wait(10.0, **{"bms": 0.0, "inverter": 0.0, "meter": 0.0, **shown})
    return run


def test_the_numbers_are_these():
    assert (frozen_data.MOVED, frozen_data.MOVED_A, frozen_data.MOVED_W) == (0.05, 2.0, 200.0)
    assert (frozen_data.SAMPLES, frozen_data.PATIENCE_NS) == (5, 2 * NS_PER_S)
    assert frozen_data.BMS_PATIENCE_NS == 10 * NS_PER_S
    assert frozen_data.LAG_NS == frozen_data.UNKNOWN_PERIOD_NS == 5 * NS_PER_S
    assert (frozen_data.PERIODS, frozen_data.CHANGES) == (2.5, 8)
    assert (frozen_data.LONGEST_PERIOD_NS, frozen_data.SLOW_NS) == (15 * NS_PER_S, 1_500_000_000)


@pytest.mark.parametrize(
    ("unit", "moved_w"),
    [
        ({"inverter_hardware": {"charge_power_max_w": 9000, "discharge_power_max_w": 100}}, 450.0),
        ({"inverter_hardware": {"charge_power_max_w": 100, "discharge_power_max_w": 8000}}, 400.0),
        # 2 A at the pack are more than a twentieth of a small inverter
        ({"inverter_hardware": {"charge_power_max_w": 800, "discharge_power_max_w": 800}}, 116.8),
    ],
)
def test_a_witness_has_moved_by_a_twentieth_of_the_rated_power(unit, moved_w):
    bms, inverter, _ = FrozenData(build_site(unit_content(**unit)))._watched
    assert (bms.moved_w, inverter.moved_w) == pytest.approx((moved_w, moved_w))


@pytest.mark.parametrize(("rated_w", "moved_w"), [(5000, 500.0), (1000, 200.0)])
def test_the_meter_is_measured_by_all_batteries_together(rated_w, moved_w):
    for small in ("charge_power_max_w", "discharge_power_max_w"):
        inverter = {"charge_power_max_w": rated_w, "discharge_power_max_w": rated_w, small: 10}
        units = (unit_content(name, inverter_hardware=inverter) for name in ("left", "right"))
        watched = FrozenData(build_site(*units))._watched
        assert [row.key for row in watched] == [
            "left/bms", "left/inverter", "right/bms", "right/inverter", "site/meter",
        ]  # fmt: skip
        assert watched[-1].moved_w == moved_w
        assert [row.lag_ns for row in watched] == [0, 5 * NS_PER_S, 0, 5 * NS_PER_S, 0]


# A device that repeats itself. --------------------------------------------------------------------


@pytest.mark.parametrize("power_w", [3000.0, -3000.0, 250.0, -250.0])
@pytest.mark.parametrize(
    ("frozen", "key"), [("bms", f"{UNIT}/bms_data_frozen"), ("meter", "site/meter_data_frozen")]
)
def test_bms_and_meter_must_show_what_the_inverter_does(frozen, key, power_w):
    run = at_rest()
    follows = {"bms": power_w, "meter": power_w, "inverter": power_w, frozen: 0.0}
    assert run.wait(13.0, **follows) == [key]
    (found,) = run.findings
    assert found.reaction is Reaction.RAMP_TO_ZERO
    assert found.text.endswith("the same though another device has moved by 250 W")


@pytest.mark.parametrize("power_w", [3000.0, -3000.0, 250.0, -250.0])
def test_an_inverter_must_show_what_the_bms_does(power_w):
    run = at_rest()
    assert run.wait(13.0, bms=power_w, inverter=0.0, meter=0.0) == [f"{UNIT}/inverter_data_frozen"]


@pytest.mark.parametrize("power_w", [249.0, -249.0, 0.0])
def test_what_another_device_does_not_show_moving_need_not_move(power_w):
    assert at_rest().wait(60.0, bms=0.0, inverter=power_w, meter=0.0) == []
    assert at_rest().wait(60.0, bms=power_w, inverter=0.0, meter=0.0) == []


def test_what_is_told_is_the_device_and_since_when():
    run = at_rest()
    moved_ns = run.now_ns + ns_from_s(0.5)
    run.wait(12.0, bms=0.0, inverter=1000.0, meter=1000.0)
    (found,) = run.findings
    assert (found.owner, found.since_ns) == (UNIT, moved_ns + ns_from_s(10.0))
    assert run.memory[BMS].moved_ns == moved_ns
    # and it stays, since when, though the inverter is back at 0 W
    assert run.wait(60.0, bms=0.0, inverter=0.0, meter=0.0) == [f"{UNIT}/bms_data_frozen"]
    assert run.findings[0].since_ns == found.since_ns


@pytest.mark.parametrize("signal", BMS_SIGNALS)
def test_one_value_that_moves_by_the_very_least_is_alive(signal):
    run = at_rest()
    for step in range(60):
        run.bms(0.0)
        still = run.readings[UNIT][signal]
        run.readings[UNIT][signal] = replace(still, value=still.value + 0.001 * (step % 3))
        assert run.wait(0.5, inverter=1000.0, meter=1000.0) == []


def test_a_new_value_acquits_at_once():
    run = at_rest()
    assert run.wait(13.0, bms=0.0, inverter=1000.0, meter=1000.0)
    run.bms(1000.0)
    assert run.look() == []
    assert run.memory[BMS] == Standstill(
        values=(50.0, 20.0, 3.29, 3.31), changed_ns=run.now_ns, sample_ns=run.now_ns
    )


@pytest.mark.parametrize(
    ("every_s", "samples", "found"),
    [(4.0, 5, False), (4.0, 6, True), (0.1, 99, False), (0.1, 100, False), (0.1, 101, True)],
)
def test_five_samples_after_the_first_and_ten_seconds_must_show_it(every_s, samples, found):
    """The first shows it in the cycle in which the other device moved: it may be older."""
    run = at_rest()
    run.look(every_s)
    for _ in range(samples):
        run.bms(0.0)
        run.inverter(1000.0)
        seen = run.look(every_s)
    assert bool(seen) is found


def test_a_sample_that_is_read_again_counts_once():
    run = at_rest()
    run.wait(2.0, bms=0.0, inverter=1000.0, meter=1000.0)
    run.look()
    before = run.memory
    for _ in range(20):
        run.look()
        assert run.memory is before
    run.now_ns += 60 * NS_PER_S
    run.inverter(1000.0)
    assert run.look() == []
    assert run.memory[BMS] is before[BMS]


@pytest.mark.parametrize("oldest", BMS_SIGNALS)
def test_a_sample_is_as_old_as_the_oldest_of_its_values(oldest):
    run = Run()
    run.bms(0.0)
    run.readings[UNIT][oldest] = replace(run.readings[UNIT][oldest], time_ns=T0 - 7)
    run.look()
    assert (run.memory[BMS].changed_ns, run.memory[BMS].sample_ns) == (T0 - 7, T0 - 7)


@pytest.mark.parametrize("absent", BMS_SIGNALS)
def test_what_a_bms_never_tells_is_no_reason_not_to_watch_the_rest(absent):
    run = Run()
    for power_w in (0.0, 1000.0):
        for _ in range(24):
            run.bms(0.0)
            del run.readings[UNIT][absent]
            run.inverter(power_w)
            seen = run.look(0.5)
    assert seen == [f"{UNIT}/bms_data_frozen"]
    assert len(run.memory[BMS].values) == 3


def test_a_device_that_tells_nothing_is_not_watched():
    run = Run()
    run.readings[UNIT] = dict.fromkeys(BMS_SIGNALS, MISSING)
    assert run.look() == []
    assert run.memory == {}


@pytest.mark.parametrize("lost", BMS_SIGNALS)
@pytest.mark.parametrize("reading", [Stale(value=1.0, time_ns=T0), Bad(reason="", time_ns=T0)])
def test_who_shows_nothing_is_not_frozen_but_lost(lost, reading):
    run = at_rest()
    run.wait(13.0, bms=0.0, inverter=1000.0, meter=1000.0)
    before, good = run.memory[BMS], run.readings[UNIT][lost]
    run.readings[UNIT][lost] = reading
    assert run.look() == []
    assert run.memory[BMS] is before
    run.readings[UNIT][lost] = good
    assert run.look() == [f"{UNIT}/bms_data_frozen"]


# Its witness. -------------------------------------------------------------------------------------


def test_a_pulse_between_two_samples_of_a_slow_device_shows_in_none():
    run = at_rest()
    for _ in range(30):
        run.inverter(2000.0)
        run.look(0.9)
        run.inverter(0.0)
        run.look(1.1)
        run.bms(0.0)
        assert f"{UNIT}/bms_data_frozen" not in run.look()
    assert (run.memory[BMS].moved_ns, run.memory[BMS].samples) == (None, 0)


def test_who_is_back_where_it_was_must_move_anew():
    run = at_rest()
    run.wait(2.0, bms=0.0, inverter=1000.0, meter=1000.0)
    assert run.memory[BMS].samples == 3
    run.wait(0.5, bms=0.0, inverter=249.0, meter=249.0)
    assert (run.memory[BMS].moved_ns, run.memory[BMS].samples) == (None, 0)
    assert run.wait(10.0, bms=0.0, inverter=1000.0, meter=1000.0) == []
    assert run.wait(0.5, bms=0.0, inverter=1000.0, meter=1000.0) == [f"{UNIT}/bms_data_frozen"]


def test_an_inverter_and_a_quick_meter_have_two_seconds():
    run = at_rest()
    run.wait(10.0, bms=1000.0, inverter=0.0, meter=0.0)
    moved_ns = run.memory[INVERTER].moved_ns
    run.wait(4.0, bms=1000.0, inverter=0.0, meter=0.0)
    (found,) = run.findings
    assert found.since_ns == moved_ns + ns_from_s(2.5)


def test_without_a_witness_nobody_is_accused():
    run = Run()
    assert run.wait(60.0, bms=0.0, meter=0.0) == []
    assert run.memory[BMS].witness_w is run.memory[METER].witness_w is None
    before = run.memory
    run.look()
    assert run.memory is before
    run = at_rest()
    run.wait(2.0, bms=0.0, inverter=1000.0, meter=1000.0)
    run.readings[UNIT][Signal.BATTERY_POWER_W] = Bad(reason="lost", time_ns=run.now_ns)
    assert run.wait(60.0, bms=0.0, meter=1000.0) == []
    assert (run.memory[BMS].witness_w, run.memory[BMS].moved_ns) == (0.0, None)


def test_a_bms_as_a_witness_may_be_five_seconds_behind():
    """What it shows sooner after the inverter's value came may be from before."""
    run = Run()
    run.bms(-1000.0)
    run.inverter(0.0)  # the inverter has come to rest, and the BMS still shows what was
    run.wait(4.9, every_s=0.1, bms=-1000.0, inverter=0.0)
    assert run.memory[INVERTER].witness_w is None
    assert run.wait(30.0, bms=0.0, inverter=0.0) == []
    assert run.memory[INVERTER].witness_w == 0.0
    run = Run()
    run.bms(-1000.0)
    run.inverter(0.0)
    run.wait(5.0, every_s=0.1, bms=-1000.0, inverter=0.0)
    assert run.memory[INVERTER].witness_w == -1000.0


def test_the_inverter_is_a_witness_at_once():
    run = Run()
    run.bms(0.0)
    run.meter(0.0)
    run.inverter(700.0)
    run.look()
    run.look()
    assert run.memory[BMS].witness_w == run.memory[METER].witness_w == 700.0


def test_a_bms_answers_for_its_own_inverter_alone_and_a_meter_for_all():
    site = build_site(unit_content("left"), unit_content("right"))
    run = Run(site, ("left", "right"))
    for power_w, seconds in ((0.0, 20), (400.0, 20)):
        for _ in range(seconds):
            run.now_ns += NS_PER_S
            for unit, shown_w in (("left", power_w), ("right", 0.0)):
                run.bms(0.0, unit=unit)
                run.inverter(shown_w, unit=unit)
            run.meter(0.0)
            seen = run.look()
    assert seen == ["left/bms_data_frozen"]  # 400 W are less than a twentieth of both
    for _ in range(20):
        run.now_ns += NS_PER_S
        for unit in ("left", "right"):
            run.bms(0.0, unit=unit)
            run.inverter(400.0, unit=unit)
        run.meter(0.0)
        seen = run.look()
    assert seen == ["left/bms_data_frozen", "right/bms_data_frozen", "site/meter_data_frozen"]


# A meter has its own pace. ------------------------------------------------------------------------


def paced(*intervals_s, every_s=0.5):
    """The meter has shown new values at these intervals, and is asked much more often."""
    run, value_w = Run(), 0.0
    run.inverter(0.0)
    run.meter(value_w)
    run.look()
    for interval_s in intervals_s:
        value_w += 1.0
        run.wait(interval_s - every_s, every_s=every_s, meter=value_w - 1.0, inverter=0.0)
        run.wait(every_s, every_s=every_s, meter=value_w, inverter=0.0)
    return run, value_w


@pytest.mark.parametrize(
    ("intervals_s", "patience_s"),
    [
        ((), 12.5), ((10.0, 10.0), 12.5),  # not known yet
        ((10.0, 10.0, 10.0), 25.0), ((2.0, 10.0, 10.0), 5.0), ((30.0, 20.0, 40.0), 37.5),
        ((0.5, 0.5, 0.5), 2.0),
    ],
)  # fmt: skip
def test_a_slow_meter_gets_two_and_a_half_of_its_own_periods(intervals_s, patience_s):
    run, value_w = paced(*intervals_s)
    moved_ns = run.now_ns + ns_from_s(0.5)
    while not any(key.endswith("frozen") for key in run.wait(0.5, meter=value_w, inverter=900.0)):
        assert run.now_ns < moved_ns + 60 * NS_PER_S
    (found,) = run.findings
    assert found.since_ns == moved_ns + max(ns_from_s(patience_s), ns_from_s(2.5))


def test_its_period_is_the_shortest_of_the_last_eight():
    run, _ = paced(2.0, *[10.0] * 7)
    assert run.memory[METER].intervals_ns == (ns_from_s(2.0), *[ns_from_s(10.0)] * 7)
    assert run.memory[METER].period_ns == ns_from_s(2.0)
    run, _ = paced(2.0, *[10.0] * 8)
    assert run.memory[METER].intervals_ns == (ns_from_s(10.0),) * 8
    assert run.memory[METER].period_ns == ns_from_s(10.0)
    for shown in (2, 3):
        still = Standstill(values=(), changed_ns=0, sample_ns=0, intervals_ns=(7,) * shown)
        assert still.period_ns == (7 if shown == 3 else None)


@pytest.mark.parametrize(("every_s", "slow"), [(1.4, False), (1.5, True), (10.0, True)])
def test_a_slow_meter_is_told_and_nothing_else(every_s, slow):
    run, _ = paced(every_s, every_s, every_s, every_s=0.1)
    told = run.wait(0.1, every_s=0.1, meter=3.0, inverter=0.0)
    assert told == (["site/meter_data_slow"] if slow else [])
    if slow:
        (found,) = run.findings
        assert (found.reaction, found.since_ns) == (Reaction.LOG, run.memory[METER].changed_ns)
        assert found.text.endswith(f": a new value every {every_s} s")


def test_a_quick_meter_gets_two_seconds_all_the_same():
    run, value_w = paced(0.1, 0.1, 0.1, every_s=0.1)
    moved_ns = run.now_ns + ns_from_s(0.1)
    while not run.wait(0.1, every_s=0.1, meter=value_w, inverter=900.0):
        pass
    assert run.findings[0].since_ns == moved_ns + 2 * NS_PER_S


def test_a_slow_meter_is_told_of_on_an_island_too():
    run, value_w = paced(10.0, 10.0, 10.0)
    run.island(1.0, 0.0)
    for _ in range(2):
        assert run.wait(1.0, meter=value_w, inverter=-900.0) == ["site/meter_data_slow"]


def test_one_of_two_units_on_an_island_is_enough():
    run = Run(build_site(unit_content("left"), unit_content("right")), ("left", "right"))
    run.readings["left"][Signal.ISLANDED] = Good(value=1.0, time_ns=T0)
    run.readings[SITE][Signal.GRID_VOLTAGE_V] = Good(value=0.0, time_ns=T0)
    for power_w in (0.0, -900.0):
        for _ in range(30):
            run.meter(0.0)
            for unit in ("left", "right"):
                run.inverter(power_w, unit=unit)
            assert run.look(1.0) == []


def test_the_pace_of_bms_and_inverter_is_not_learned():
    run = Run()
    for step in range(10):
        run.wait(10.0, bms=float(step), inverter=float(step))
    assert run.memory[BMS].intervals_ns == run.memory[INVERTER].intervals_ns == ()
    assert run.findings == ()


def test_a_meter_cannot_see_what_flows_on_an_island():
    run = at_rest()
    run.island(1.0, 0.0)
    assert run.wait(60.0, bms=-900.0, inverter=-900.0, meter=0.0) == []
    assert run.memory[METER].witness_w is None
    before = run.memory
    run.look()
    assert run.memory is before
    run.island(0.0, 230.0)  # and the battery is where it was: from now on it counts
    assert run.wait(60.0, bms=-900.0, inverter=-900.0, meter=0.0) == []
    assert run.wait(20.0, bms=0.0, inverter=0.0, meter=0.0) != []


def test_what_a_meter_was_accused_of_is_forgotten_on_an_island():
    run = at_rest()
    assert run.wait(20.0, bms=-900.0, inverter=-900.0, meter=0.0) == ["site/meter_data_frozen"]
    run.island(1.0, 0.0)
    run.look()
    still = run.memory[METER]
    assert run.findings == ()
    assert (still.witness_w, still.moved_ns, still.samples) == (None, None, 0)


def test_a_living_grid_makes_no_island_of_a_flag_that_is_stuck():
    run = at_rest()
    run.island(1.0, 230.0)
    assert run.wait(20.0, bms=-900.0, inverter=-900.0, meter=0.0) == ["site/meter_data_frozen"]


def test_on_an_island_bms_and_inverter_watch_each_other_as_ever():
    run = at_rest()
    run.island(1.0, 0.0)
    assert run.wait(20.0, bms=0.0, inverter=-900.0, meter=0.0) == [f"{UNIT}/bms_data_frozen"]


# What holds always. -------------------------------------------------------------------------------


def test_a_site_whose_devices_measure_with_noise_is_never_accused():
    """An hour: loads that come and go, a coarse BMS every 2 s, a meter of 10 s asked every 1 s."""
    run, dice, flows_w, house_w = Run(), random.Random(1), 0.0, 300.0
    for second in range(3600):
        run.now_ns += NS_PER_S
        if dice.random() < 0.05:
            flows_w = dice.choice([0.0, 0.0, 300.0, -500.0, 4000.0, -5000.0])
        house_w = max(house_w + dice.gauss(0.0, 3.0), 50.0)
        run.inverter(round(flows_w + (dice.gauss(0.0, 5.0) if flows_w else 0.0)))
        if second % 2 == 0:
            run.bms(50.0 * round(flows_w / 50.0))
        if second % 10 == 0:
            shown_w = round(house_w + flows_w)
        run.meter(shown_w)
        assert set(run.look()) <= {"site/meter_data_slow"}


@given(
    moved_w=st.floats(260.0, 5000.0),
    sign=st.sampled_from([1.0, -1.0]),
    noise_w=st.lists(st.floats(-5.0, 5.0), min_size=20, max_size=20),
    frozen=st.sampled_from(["bms", "meter", "inverter"]),
)
def test_who_repeats_itself_while_another_moves_is_always_found(moved_w, sign, noise_w, frozen):
    run = at_rest()
    for by_w in noise_w:
        shown = dict.fromkeys(("bms", "meter", "inverter"), sign * moved_w + by_w)
        if frozen == "inverter":
            shown["meter"] = by_w
        seen = run.wait(1.0, every_s=1.0, **{**shown, frozen: 0.0})
    owner = SITE if frozen == "meter" else UNIT
    assert f"{owner}/{frozen}_data_frozen" in seen


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["bms", "inverter", "meter", "island"]),
            st.floats(-6000.0, 6000.0),
            st.sampled_from([0.0, 0.02, 1.0, 20.0]),
        ),
        max_size=60,
    )
)
def test_whatever_comes_it_neither_fails_nor_grows(steps):
    run = Run()
    for device, power_w, after_s in steps:
        if device == "island":
            run.island(float(power_w > 0.0), abs(power_w) / 100.0)
        else:
            getattr(run, device)(power_w)
        run.look(after_s)
        assert set(run.memory) <= {BMS, INVERTER, METER}
        assert all(len(still.intervals_ns) <= 8 for still in run.memory.values())
        for key, still in run.memory.items():
            assert still.sample_ns >= still.changed_ns, key
            assert still.samples == 0 or still.moved_ns is not None


# A whole site. ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signals", "key"),
    [
        (BMS_SIGNALS, f"{UNIT}/bms_data_frozen"),
        ((Signal.GRID_POWER_W,), "site/meter_data_frozen"),
    ],
)
def test_a_site_whose_bms_or_meter_repeats_itself_goes_to_zero(signals, key):
    """What the two repeat is what they showed at rest; then the house asks for 1.2 kW."""
    bench = Bench()
    bench.start()
    bench.run(1.0)
    for signal in signals:
        owner = SITE if signal is Signal.GRID_POWER_W else UNIT
        bench.set(signal, bench.values[owner, signal])
    bench.set(Signal.GRID_POWER_W, 1200.0)
    record = bench.run(20.0, dt_s=0.1)
    assert key in {found.key for found in record.assessment.findings}
    envelope = record.assessment.envelopes[UNIT]
    assert (envelope.min_w, envelope.max_w) == (0.0, 0.0)
