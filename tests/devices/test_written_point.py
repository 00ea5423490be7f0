"""Points as they are kept: written on change, refreshed, read back, tried again."""

from dataclasses import replace
from itertools import pairwise

import pytest

from holdfast.core.commands import Point
from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import Producer, Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.written_point import INCREASE_EVERY_NS, PointRules, keep_points
from holdfast.safety.finding import Reaction
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


# Another master. ----------------------------------------------------------------------------------

EXCLUSIVE = replace(RULES, exclusive=True)


def run(device, seconds, value, meddle=None):
    """Cycles in which ``meddle(t_s)`` may say what somebody else stores; the findings by row."""
    rows = {}
    for step in range(round(seconds / 0.02)):
        if meddle is not None and (stored := meddle(step * 0.02)) is not None:
            device.stored = stored
        device.keep(value(step * 0.02) if callable(value) else value)
        rows |= {found.row: found.reaction for found in device.findings}
    return rows


def every(seconds, value):
    return lambda t: value if t > 2.0 and abs(t / seconds - round(t / seconds)) < 1e-6 else None


@pytest.mark.parametrize("wanted", [0.0, 500.0, -500.0])
def test_another_master_is_overruled_at_once_noted_and_the_third_time_the_site_trips(wanted):
    device = Device(rules=EXCLUSIVE)
    run(device, 5.0, wanted)
    for times, row in ((1, "setpoint_overwritten"), (2, "setpoint_overwritten"),
                       (3, "second_writer")):  # fmt: skip
        device.stored = 3000.0
        assert device.keep(wanted) == [wanted]
        assert [found.row for found in device.findings] == [f"inverter_{row}"]
        assert f"{times} times" in device.findings[0].text
        run(device, 60.0, wanted)
        assert device.stored == wanted


def test_a_device_that_forgets_its_setpoint_once_when_it_starts_anew_does_not_trip():
    device = Device(rules=EXCLUSIVE)
    run(device, 5.0, 500.0)
    device.stored = 0.0
    assert set(run(device, 599.0, 500.0)) == {"inverter_setpoint_overwritten"}
    assert device.findings
    assert device.stored == 500.0
    run(device, 3.0, 500.0)
    assert device.findings == ()


def test_three_times_in_more_than_ten_minutes_do_not_trip():
    device = Device(rules=EXCLUSIVE)
    run(device, 5.0, 500.0)
    assert "inverter_second_writer" not in run(device, 1300.0, 500.0, every(301.0, 0.0))


def test_another_master_is_found_while_our_own_setpoint_never_rests():
    """Self-consumption moves its setpoint many times a second, for hours."""
    device = Device(rules=EXCLUSIVE)
    rows = run(device, 40.0, lambda t: 500.0 + 40.0 * (int(t / 0.2) % 3), every(10.0, 3000.0))
    assert rows["inverter_second_writer"] is Reaction.TRIP


def test_a_device_that_never_stored_it_ignores_and_has_no_other_master():
    device = Device(deaf, EXCLUSIVE)
    assert set(run(device, 5.0, 500.0)) == {"inverter_setpoint_ignored"}


@pytest.mark.parametrize("limit_w", [400.0, 2000.0])
def test_a_device_that_stops_at_a_limit_of_its_own_has_no_other_master(limit_w):
    device = Device(lambda value: min(value, limit_w), EXCLUSIVE)
    assert set(run(device, 30.0, lambda t: 200.0 * t)) <= {"inverter_setpoint_ignored"}


def test_a_device_that_becomes_deaf_while_the_setpoint_moves_has_no_other_master():
    device = Device(rules=EXCLUSIVE)
    run(device, 5.0, 500.0)
    held = device.stored
    device.stores = lambda value: held
    rows = run(device, 30.0, lambda t: 500.0 + 40.0 * int(t / 0.2))
    assert set(rows) == {"inverter_setpoint_ignored"}


def test_a_slow_device_has_no_other_master():
    """A setpoint that comes and goes is shown a second after both."""
    device = Device(rules=EXCLUSIVE)
    late = []

    def blip(t):
        return 2000.0 if 5.0 <= t % 10.0 < 5.3 else 0.0

    for step in range(3000):
        device.keep(blip(step * 0.02))
        late.append(device.written[-1][1])
        device.stored = late[max(step - 50, 0)]
        assert not any("writ" in found.row for found in device.findings)


def test_where_a_point_is_no_register_nothing_is_concluded():
    device = Device()
    run(device, 5.0, 500.0)
    device.stored = 3000.0
    device.keep(500.0)
    assert device.findings == ()
