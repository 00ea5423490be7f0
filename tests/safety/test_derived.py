"""What readings say together: spread, and whether they can be true at the same time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.data_store import freeze
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.safety.derived import derive
from holdfast.safety.finding import Reaction
from holdfast.safety.limit_monitor import LimitMonitor
from holdfast.safety.limits import build_limits
from tests.builders import T0, UNIT, build_site, healthy_store, put, snapshot_of

SITE = build_site()


def derived(**values):
    snapshot = derive(SITE, snapshot_of({Signal[name]: value for name, value in values.items()}))
    return lambda signal: snapshot.good(UNIT, signal)


@pytest.mark.parametrize(
    ("values", "signal", "value"),
    [
        ({"CELL_VOLTAGE_MIN_V": 3.2, "CELL_VOLTAGE_MAX_V": 3.45}, Signal.CELL_IMBALANCE_V, 0.25),
        ({"CELL_VOLTAGE_MIN_V": 3.4, "CELL_VOLTAGE_MAX_V": 3.3}, Signal.CELL_IMBALANCE_V, -0.1),
        (
            {"CELL_TEMPERATURE_MIN_C": -5, "CELL_TEMPERATURE_MAX_C": 7},
            Signal.CELL_TEMPERATURE_SPREAD_K,
            12.0,
        ),
        ({"PACK_VOLTAGE_V": 52.8}, Signal.PACK_MISMATCH_V, 0.0),
        ({"PACK_VOLTAGE_V": 55.0}, Signal.PACK_MISMATCH_V, 55.0 - 16 * 3.31),
        ({"PACK_VOLTAGE_V": 5.28}, Signal.PACK_MISMATCH_V, 16 * 3.29 - 5.28),
        # 52.8 V and 50 A are 2640 W at the battery: 2750 W on the other side of 96 %.
        ({"BATTERY_CURRENT_A": 50, "BATTERY_POWER_W": 2750}, Signal.POWER_MISMATCH_W, 0.0),
        ({"BATTERY_CURRENT_A": -50, "BATTERY_POWER_W": -2534.4}, Signal.POWER_MISMATCH_W, 0.0),
        ({"BATTERY_CURRENT_A": -50, "BATTERY_POWER_W": 2750}, Signal.POWER_MISMATCH_W, 5284.4),
    ],
)
def test_what_is_derived(values, signal, value):
    assert derived(**values)(signal) == pytest.approx(value)


@pytest.mark.parametrize(
    ("missing", "signals"),
    [
        ("CELL_VOLTAGE_MIN_V", [Signal.CELL_IMBALANCE_V, Signal.PACK_MISMATCH_V]),
        ("PACK_VOLTAGE_V", [Signal.PACK_MISMATCH_V, Signal.POWER_MISMATCH_W]),
        ("BATTERY_POWER_W", [Signal.POWER_MISMATCH_W]),
        ("CELL_TEMPERATURE_MAX_C", [Signal.CELL_TEMPERATURE_SPREAD_K]),
    ],
)
def test_from_what_is_missing_nothing_is_derived(missing, signals):
    value_of = derived(**{missing: None})
    assert [value_of(signal) for signal in signals] == [None] * len(signals)


def test_a_derived_reading_is_as_old_as_the_oldest_it_rests_on():
    store = healthy_store()
    put(store, UNIT, Signal.CELL_VOLTAGE_MAX_V, 3.4, T0 + NS_PER_S)
    snapshot = derive(SITE, freeze(store.image(), T0 + NS_PER_S))
    reading = snapshot.read(UNIT, Signal.CELL_IMBALANCE_V)
    assert isinstance(reading, Good)
    assert reading.time_ns == T0


@given(st.floats(-100, 100), st.floats(40, 58))
def test_losses_between_inverter_and_battery_are_no_mismatch(current_a, voltage_v):
    battery_w = current_a * voltage_v
    power_w = battery_w / 0.96 if battery_w > 0 else battery_w * 0.96
    value = derived(BATTERY_CURRENT_A=current_a, PACK_VOLTAGE_V=voltage_v, BATTERY_POWER_W=power_w)(
        Signal.POWER_MISMATCH_W
    )
    assert value == pytest.approx(0.0, abs=1e-6)


# Behind a closed contactor. ---------------------------------------------------------------------

CLOSED = {"CONTACTOR_CLOSED": 1.0, "PACK_VOLTAGE_V": 52.0}


@pytest.mark.parametrize(("link_v", "mismatch_v"), [(52.0, 0.0), (50.5, 1.5), (53.5, 1.5)])
def test_behind_a_closed_contactor_two_sensors_see_the_same_voltage(link_v, mismatch_v):
    value_of = derived(**CLOSED, DC_LINK_VOLTAGE_V=link_v)
    assert value_of(Signal.LINK_MISMATCH_V) == pytest.approx(mismatch_v)


@pytest.mark.parametrize(
    "changes",
    [
        {"CONTACTOR_CLOSED": 0.0}, {"CONTACTOR_CLOSED": None}, {"PACK_VOLTAGE_V": None},
        {"DC_LINK_VOLTAGE_V": None},
    ],
)  # fmt: skip
def test_behind_an_open_contactor_or_with_one_sensor_nothing_is_compared(changes):
    values = {**CLOSED, "DC_LINK_VOLTAGE_V": 52.0, **changes}
    snapshot = derive(SITE, snapshot_of({Signal[name]: value for name, value in values.items()}))
    assert Signal.LINK_MISMATCH_V not in snapshot.readings[UNIT]


@pytest.mark.parametrize(
    "oldest", [Signal.DC_LINK_VOLTAGE_V, Signal.CONTACTOR_CLOSED, Signal.PACK_VOLTAGE_V]
)
def test_a_comparison_is_as_old_as_the_oldest_it_rests_on(oldest):
    store, later_ns = healthy_store(time_ns=T0 - 1), T0 + NS_PER_S
    values = {
        Signal.DC_LINK_VOLTAGE_V: 52.0, Signal.CONTACTOR_CLOSED: 1.0, Signal.PACK_VOLTAGE_V: 52.0,
    }  # fmt: skip
    for signal, value in values.items():
        put(store, UNIT, signal, value, T0 if signal is oldest else later_ns)
    reading = derive(SITE, freeze(store.image(), later_ns)).read(UNIT, Signal.LINK_MISMATCH_V)
    assert isinstance(reading, Good)
    assert reading.time_ns == T0


class Link:
    """A pack that speaks once a second, and a relay board twenty times."""

    def __init__(self):
        self.monitor, self.memory = LimitMonitor(build_limits(SITE)), {}
        self.store, self.now_ns = healthy_store(time_ns=T0), T0
        self.found = None

    def second(self, pack_v, *links_v):
        """A second in which the link is measured, the pack at the end of it."""
        for link_v in links_v:
            self.now_ns += NS_PER_S // len(links_v)
            put(self.store, UNIT, Signal.CONTACTOR_CLOSED, 1.0, self.now_ns)
            put(self.store, UNIT, Signal.DC_LINK_VOLTAGE_V, link_v, self.now_ns)
            self.look()
        put(self.store, UNIT, Signal.PACK_VOLTAGE_V, pack_v, self.now_ns)
        self.look()
        return self.found

    def look(self):
        snapshot = derive(SITE, freeze(self.store.image(), self.now_ns))
        findings, self.memory = self.monitor.assess(snapshot, self.memory)
        rows = {found.row: found.reaction for found in findings}
        self.found = rows.get("link_mismatch_high")


def test_a_link_that_drifts_away_derates_and_clears_by_itself():
    link = Link()
    for _ in range(20):
        assert link.second(52.0, *[51.0] * 20) is None
    for _ in range(10):
        link.second(52.0, *[48.5] * 20)
    assert link.found is Reaction.DERATE
    for _ in range(25):
        link.second(52.0, *[51.9] * 20)
    assert link.found is None


def test_a_load_that_steps_between_two_samples_of_the_pack_is_no_drift():
    link = Link()
    for _ in range(50):
        # 5 kW on and off each second: the pack tells of it up to a second later.
        assert link.second(51.5, *[52.0] * 10, *[48.4] * 10) in (None, Reaction.LOG)
        assert link.second(48.4, *[48.4] * 19, 48.4) in (None, Reaction.LOG)
        assert link.second(52.0, *[52.0] * 20) in (None, Reaction.LOG)
