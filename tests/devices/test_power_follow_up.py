"""An acknowledgement is not believed: what counts is the power that flows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.power_follow_up import FollowUpMemory, PowerFollowUp
from holdfast.safety.finding import Reaction
from tests.builders import T0, build_site, snapshot_of

(UNIT_CONFIG,) = build_site().storage
STEP_NS = 100 * NS_PER_MS


class Run:
    """Samples of measured power, ten a second, against the setpoints in force."""

    def __init__(self):
        self.follow_up = PowerFollowUp(UNIT_CONFIG)
        self.memory = FollowUpMemory()
        self.now_ns = T0
        self.findings = ()

    def __call__(self, setpoint_w, measured_w, seconds=1.0):
        for _ in range(round(seconds * NS_PER_S / STEP_NS)):
            self.now_ns += STEP_NS
            snapshot = snapshot_of({Signal.BATTERY_POWER_W: measured_w}, now_ns=self.now_ns)
            self.memory, self.findings = self.follow_up.check(setpoint_w, snapshot, self.memory)
        return [(found.row, found.reaction) for found in self.findings]


@pytest.mark.parametrize(
    ("setpoint_w", "measured_w", "row", "reaction"),
    [
        (3000.0, 3300.0, "inverter_over_delivery", Reaction.TRIP),
        (-3000.0, -3300.0, "inverter_over_delivery", Reaction.TRIP),
        (0.0, 300.0, "inverter_over_delivery", Reaction.TRIP),
        (3000.0, -400.0, "inverter_wrong_sign", Reaction.TRIP),
        (-3000.0, 400.0, "inverter_wrong_sign", Reaction.TRIP),
        (3000.0, 2000.0, "inverter_under_delivery", Reaction.LOG),
        (-3000.0, 0.0, "inverter_under_delivery", Reaction.LOG),
    ],
)
def test_power_that_does_not_follow_is_found_and_named(setpoint_w, measured_w, row, reaction):
    run = Run()
    assert run(setpoint_w, setpoint_w, seconds=5.0) == []
    assert run(setpoint_w, measured_w, seconds=0.2) == []  # two samples prove nothing
    assert run(setpoint_w, measured_w, seconds=0.1) == [(row, reaction)]
    assert f"{measured_w:.0f} W" in run.findings[0].text


def test_power_within_the_tolerance_is_right():
    run = Run()
    assert run(3000.0, 3240.0, seconds=5.0) == []
    assert run(3000.0, 2760.0, seconds=5.0) == []


@given(st.floats(-5000, 5000), st.floats(-5000, 5000), st.floats(0, 1))
def test_an_inverter_on_its_way_may_be_anywhere_in_between(before_w, after_w, way):
    run = Run()
    run(before_w, before_w, seconds=4.0)
    assert run(after_w, before_w + (after_w - before_w) * way, seconds=2.8) == []


def test_after_its_response_time_it_has_to_be_there():
    run = Run()
    run(3000.0, 3000.0, seconds=4.0)
    assert run(0.0, 3000.0, seconds=3.0) == []
    assert run(0.0, 3000.0, seconds=0.5) == [("inverter_over_delivery", Reaction.TRIP)]


def test_a_reading_that_is_read_again_proves_nothing_more():
    follow_up, memory = PowerFollowUp(UNIT_CONFIG), FollowUpMemory()
    for step in range(20):
        snapshot = snapshot_of(
            {Signal.BATTERY_POWER_W: 4000.0},
            now_ns=T0 + step * 20 * NS_PER_MS,
            sampled_ns=T0,
        )
        memory, findings = follow_up.check(0.0, snapshot, memory)
        assert findings == ()


def test_one_wild_sample_among_right_ones_is_forgiven():
    run = Run()
    for _ in range(10):
        assert run(3000.0, 3000.0, seconds=0.4) == []
        assert run(3000.0, 9000.0, seconds=0.1) == []
