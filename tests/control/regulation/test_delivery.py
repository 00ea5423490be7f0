"""What a device makes of what it is asked is corrected, and nothing winds up where it cannot be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.control.regulation.delivery import DeliveryGain, DeliveryMemory
from holdfast.core.units import ns_from_s

DT_S = 0.1


class Device:
    """An inverter that follows with a lag."""

    def __init__(self, *, delivers=1.0, offset_w=0.0, most_w=5000.0, response_s=1.0, coarse_w=0.0):
        self.delivery = DeliveryGain(rated_w=5000.0, response_s=response_s, coarse_w=coarse_w)
        self.delivers, self.offset_w, self.most_w = delivers, offset_w, most_w
        self.lag_s = response_s / 3.0
        self.memory = DeliveryMemory()
        self.power_w = self.asked_w = 0.0
        self.time_s = 1000.0

    def run(self, wanted_w, seconds, *, is_limited=False):
        """The powers of so long, wanted ``wanted_w``."""
        powers = []
        for _ in range(round(seconds / DT_S)):
            self.time_s += DT_S
            self.asked_w, self.memory = self.delivery.correct(
                wanted_w,
                self.power_w,
                self.memory,
                now_ns=ns_from_s(self.time_s),
                dt_s=DT_S,
                is_limited=is_limited,
            )
            target_w = self.asked_w * self.delivers + self.offset_w
            target_w = max(-self.most_w, min(target_w, self.most_w))
            self.power_w += (target_w - self.power_w) * min(DT_S / self.lag_s, 1.0)
            powers.append(self.power_w)
        return powers


@pytest.mark.parametrize("wanted_w", [2000.0, -2000.0])
def test_a_device_that_does_as_it_is_told_is_asked_for_what_is_wanted(wanted_w):
    device = Device()
    device.run(wanted_w, 20.0)
    assert device.asked_w == pytest.approx(wanted_w, abs=6.0)
    assert device.memory.factor == 1.0


@pytest.mark.parametrize("delivers", [0.5, 0.75, 1.25, 1.5])
@pytest.mark.parametrize("response_s", [0.5, 3.0, 10.0])
def test_a_wrong_gain_is_found_without_swinging_and_holds_for_the_next_step(delivers, response_s):
    device = Device(delivers=delivers, response_s=response_s)
    device.run(-2000.0, 25.0 * response_s)
    powers = device.run(-2000.0, 5.0)
    assert min(powers) == pytest.approx(-2000.0, abs=20.0)
    assert max(powers) == pytest.approx(-2000.0, abs=20.0)
    powers = device.run(-1000.0, 4.0 * response_s)
    assert min(powers[round(3.0 * response_s / DT_S) :]) == pytest.approx(-1000.0, abs=110.0)


def test_an_offset_of_some_watts_is_taken_away_and_is_no_gain():
    device = Device(offset_w=60.0)
    device.run(1000.0, 30.0)
    assert device.power_w == pytest.approx(1000.0, abs=10.0)
    assert device.memory.factor == 1.0


def test_a_device_at_a_limit_of_its_own_gets_no_more_than_before_once_it_is_gone():
    device = Device(most_w=1000.0)
    device.run(3000.0, 60.0)
    assert device.memory.at_limit
    assert device.asked_w <= 3300.0
    device.most_w = 5000.0
    assert max(device.run(3000.0, 10.0)) <= 3300.0


def test_nothing_winds_up_behind_a_permit_or_a_ramp():
    device = Device(most_w=1000.0)
    device.run(3000.0, 60.0, is_limited=True)
    assert device.asked_w == pytest.approx(3000.0)
    assert device.memory.pid.integral == 0.0


def test_what_lies_between_two_wishes_is_right_while_the_device_may_be_on_its_way():
    device = Device(response_s=10.0)
    device.run(3000.0, 9.0)
    assert device.asked_w == pytest.approx(3000.0)


def test_steps_of_the_device_are_no_error():
    device = Device(offset_w=-45.0, coarse_w=50.0)
    device.run(1000.0, 60.0)
    assert device.asked_w == pytest.approx(1000.0, abs=15.0)
    whole = Device(delivers=0.0, coarse_w=float("inf"))
    whole.run(1000.0, 60.0)
    assert whole.asked_w == 1000.0


def test_a_battery_that_cannot_be_read_is_asked_as_before():
    memory = DeliveryMemory(factor=1.25, wanted=((0, 1000.0),))
    asked_w, after = DeliveryGain(rated_w=5000.0, response_s=1.0).correct(
        1000.0, None, memory, now_ns=5, dt_s=DT_S, is_limited=False
    )
    assert asked_w == 1250.0
    assert after.wanted == ()


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(-5000.0, 5000.0), st.floats(-6000.0, 6000.0), st.booleans()),
        max_size=60,
    )
)
def test_a_correction_never_turns_a_wish_round_nor_doubles_it_and_more(steps):
    delivery, memory = DeliveryGain(rated_w=5000.0, response_s=1.0), DeliveryMemory()
    for count, (wanted_w, measured_w, is_limited) in enumerate(steps):
        asked_w, memory = delivery.correct(
            wanted_w,
            measured_w,
            memory,
            now_ns=ns_from_s(1000.0 + count * DT_S),
            dt_s=DT_S,
            is_limited=is_limited,
        )
        assert asked_w * wanted_w >= 0.0
        assert abs(asked_w) <= 2.0 * abs(wanted_w) + 100.0 + 1e-9


def test_an_error_seen_once_counts_for_no_longer_than_the_device_takes_to_answer():
    """A backtest's cycle may be a quarter hour long; so may a computer's that hung."""
    delivery = DeliveryGain(rated_w=5000.0, response_s=1.0)
    memory, now_s = DeliveryMemory(), 1000.0
    for dt_s in (1.0, 1.0, 900.0):
        now_s += dt_s
        asked_w, memory = delivery.correct(
            -600.0, -590.0, memory, now_ns=ns_from_s(now_s), dt_s=dt_s, is_limited=False
        )
    assert asked_w == pytest.approx(-600.0, abs=35.0)
