"""Points as they are kept: written on change, refreshed, read back, tried again."""

from itertools import pairwise

import pytest

from holdfast.core.commands import Point
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.written_point import INCREASE_EVERY_NS, PointRules, keep_points
from tests.builders import T0, UNIT, put

RULES = PointRules(
    point=Point.SETPOINT_W, readback=Signal.SETPOINT_READBACK_W, fault="setpoint_ignored",
    resolution=10.0, refresh_ns=2 * NS_PER_S,
)  # fmt: skip


class Device:
    """A device on 20 ms cycles. ``stores`` says what becomes of a write."""

    def __init__(self, stores=lambda value: value, rules=RULES):
        self.stores, self.rules = stores, rules
        self.store, self.memory, self.now_ns = DataStore((UNIT,)), {}, T0
        self.stored, self.written, self.findings = 0.0, [], ()

    def keep(self, value, ms=20, read=True):
        """One cycle; the values that were written in it."""
        self.now_ns += ms * NS_PER_MS
        if read:
            put(self.store, UNIT, self.rules.readback, self.stored, self.now_ns)
        writes, self.memory, self.findings = keep_points(
            UNIT, Producer.INVERTER, {self.rules.point: value}, (self.rules,),
            freeze(self.store.image(), self.now_ns), self.memory,
        )  # fmt: skip
        for write in writes:
            assert (write.unit, write.role, write.point) == (
                UNIT, Producer.INVERTER, self.rules.point,
            )  # fmt: skip
            self.stored = self.stores(write.value)
            self.written.append((self.now_ns, write.value))
        return [write.value for write in writes]

    def keep_for(self, seconds, value):
        """Cycles in which ``value(t_s)`` or a constant is wanted; stops at a finding."""
        for step in range(round(seconds / 0.02)):
            self.keep(value(step * 0.02) if callable(value) else value)
            if self.findings:
                return step * 0.02
        return None


def deaf(_value):
    return 0.0


def test_the_first_value_is_written_and_the_same_again_only_to_refresh():
    device = Device()
    assert device.keep(0.0) == [0.0]
    for _ in range(300):
        device.keep(0.0)
    times = [time_ns for time_ns, _ in device.written]
    gaps = [b - a for a, b in pairwise(times)]
    assert gaps == [RULES.refresh_ns] * 3


def test_a_change_below_the_resolution_is_not_worth_a_write_but_small_ones_add_up():
    device = Device()
    device.keep(1000.0)
    assert device.keep(1009.9, ms=150) == []
    assert device.keep(990.1) == []
    assert device.keep(1010.0) == [1010.0]


@pytest.mark.parametrize("held", [0.5, 5.0, 4000.0, -3.0])
def test_exactly_zero_is_written_at_once_from_whatever_is_held(held):
    device = Device()
    device.keep(held)
    assert device.keep(0.0, ms=1) == [0.0]


def test_a_move_away_from_zero_waits_and_one_towards_zero_does_not():
    device = Device()
    device.keep(100.0)
    assert device.keep(200.0) == []
    assert device.keep(50.0) == [50.0]
    assert device.keep(200.0, ms=20) == []
    assert device.keep(200.0, ms=INCREASE_EVERY_NS // NS_PER_MS - 20) == [200.0]


def test_a_reversal_does_not_leave_the_old_direction_running():
    """Towards zero is at once: what charges must not go on charging until a pause is over."""
    device = Device()
    device.keep(3000.0)
    (value,) = device.keep(-40.0)
    assert value <= 0.0


def test_a_ramp_does_not_flood_the_bus():
    device = Device()
    device.keep_for(2.0, lambda t: 2000.0 * t)
    assert len(device.written) <= 2.0 / 0.1 + 2


def test_what_is_not_stored_is_tried_three_times_and_then_found():
    device = Device(deaf)
    after_s = device.keep_for(10.0, 500.0)
    assert after_s == pytest.approx(1.5, abs=0.1)
    (found,) = device.findings
    assert found.key == "battery/inverter_setpoint_ignored"
    assert "500" in found.text
    assert "reads 0" in found.text
    assert [value for _, value in device.written] == [500.0] * 4


def test_the_finding_goes_on_until_the_value_is_stored_and_then_clears():
    device = Device(deaf)
    device.keep_for(10.0, 500.0)
    since_ns = device.findings[0].since_ns
    for _ in range(100):
        device.keep(500.0)
        assert device.findings[0].since_ns == since_ns
    device.stores = lambda value: value
    device.keep(500.0)
    for _ in range(60):
        device.keep(500.0)
    assert device.findings == ()
    assert device.memory[Point.SETPOINT_W].tries == 0


def test_a_single_lost_write_is_repaired_without_a_finding():
    device = Device(deaf)
    device.keep(500.0)
    device.stores = lambda value: value
    assert device.keep_for(3.0, 500.0) is None
    assert device.stored == 500.0


def test_a_read_back_from_before_the_write_took_effect_is_no_proof_against_it():
    device = Device(deaf)
    device.keep(500.0)
    for _ in range(RULES.settle_ns // (20 * NS_PER_MS) - 1):
        assert device.keep(500.0) == []
    assert device.keep(500.0) == [500.0]


def test_a_device_that_rounds_to_half_the_resolution_stores_what_was_meant():
    device = Device(lambda value: value - 5.0)
    assert device.keep_for(10.0, 500.0) is None
    device = Device(lambda value: value - 5.1)
    assert device.keep_for(10.0, 500.0) is not None


def test_without_a_read_back_nothing_is_concluded():
    device = Device(deaf)
    for _ in range(500):
        device.keep(500.0, read=False)
    assert device.findings == ()


def test_a_device_that_ignores_a_setpoint_that_keeps_changing_is_found_as_well():
    """Self-consumption moves its setpoint many times a second, for hours."""
    device = Device(deaf)
    after_s = device.keep_for(30.0, lambda t: 500.0 + 40.0 * (int(t / 0.2) % 2))
    assert after_s is not None


def test_a_device_that_ignores_its_setpoint_is_found_however_short_the_refresh():
    """The refresh follows from the revert timer, and may be shorter than the settling time."""
    rules = PointRules(
        point=Point.SETPOINT_W, readback=Signal.SETPOINT_READBACK_W, fault="setpoint_ignored",
        resolution=10.0, refresh_ns=333 * NS_PER_MS,
    )  # fmt: skip
    device = Device(deaf, rules)
    assert device.keep_for(30.0, 500.0) is not None
