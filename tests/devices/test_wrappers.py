"""Both wrappers: each point has its own read-back, resolution, refresh and name of its fault."""

import pytest

from holdfast.core.commands import Point
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.devices.bms_safety_wrapper import BmsSafetyWrapper
from holdfast.devices.inverter_safety_wrapper import InverterSafetyWrapper
from tests.builders import T0, build_site, permit_of, snapshot_of, unit_content

(UNIT_CONFIG,) = build_site().storage
BMS = BmsSafetyWrapper(UNIT_CONFIG, tuple(Point))
INVERTER = InverterSafetyWrapper(UNIT_CONFIG)
READBACK = {
    Point.SETPOINT_W: Signal.SETPOINT_READBACK_W,
    Point.ENABLE: Signal.INVERTER_ENABLED,
    Point.REVERT_TIMEOUT_S: Signal.REVERT_TIMEOUT_READBACK_S,
    Point.CHARGE_POWER_W: Signal.CHARGE_POWER_READBACK_W,
    Point.DISCHARGE_POWER_W: Signal.DISCHARGE_POWER_READBACK_W,
}
CASES = [
    (INVERTER, Point.SETPOINT_W, 600.0, Role.INVERTER),
    (INVERTER, Point.ENABLE, 600.0, Role.INVERTER),
    (INVERTER, Point.REVERT_TIMEOUT_S, 600.0, Role.INVERTER),
    (BMS, Point.CHARGE_POWER_W, 600.0, Role.BMS),
    (BMS, Point.DISCHARGE_POWER_W, -600.0, Role.BMS),
]


class Run:
    """Cycles of 20 ms on one wrapper; a device that stores everything but what ``deaf`` says."""

    def __init__(self, wrapper, deaf=(), rounds=0.0):
        self.wrapper, self.deaf, self.rounds = wrapper, deaf, rounds
        self.memory, self.now_ns, self.findings = {}, T0, ()
        self.stored, self.written = {}, []

    def __call__(self, power_w, permit=None, *, ms=20, force=False):
        self.now_ns += ms * NS_PER_MS
        values = {READBACK[point]: value for point, value in self.stored.items()}
        snapshot = snapshot_of(values, now_ns=self.now_ns, healthy=False)
        writes, self.memory, self.findings = self.wrapper.decide(
            power_w, permit or permit_of(), snapshot, self.memory, force=force
        )
        for write in writes:
            self.written.append((self.now_ns, write.point, write.value))
            stored = write.value - self.rounds if write.value else 0.0
            self.stored[write.point] = 0.0 if write.point in self.deaf else stored
        return [(write.point, write.value) for write in writes]


@pytest.mark.parametrize(("wrapper", "point", "power_w", "role"), CASES)
def test_each_point_that_is_not_stored_is_found_by_its_own_read_back(wrapper, point, power_w, role):
    run = Run(wrapper, deaf={point})
    for _ in range(250):
        run(power_w)
    (found,) = run.findings
    assert found.key == f"battery/{role}_setpoint_ignored"
    assert f"{point} is to be" in found.text
    healthy = Run(wrapper)
    for _ in range(250):
        healthy(power_w)
        assert healthy.findings == ()


@pytest.mark.parametrize(
    ("wrapper", "point", "step_w"),
    [(INVERTER, Point.SETPOINT_W, 10.0), (BMS, Point.CHARGE_POWER_W, 20.0)],
)
def test_a_change_of_the_resolution_is_written_and_a_smaller_one_waits(wrapper, point, step_w):
    for change_w, at_once in ((step_w, True), (step_w - 0.001, False)):
        run = Run(wrapper)
        run(512.0)
        assert bool([w for w in run(512.0 - change_w) if w[0] is point]) is at_once


@pytest.mark.parametrize(("wrapper", "step_w"), [(INVERTER, 10.0), (BMS, 20.0)])
def test_a_device_may_round_by_half_the_resolution(wrapper, step_w):
    for rounds_w, tolerated in ((step_w / 2, True), (step_w / 2 + 0.01, False)):
        run = Run(wrapper, rounds=rounds_w, deaf={Point.ENABLE, Point.REVERT_TIMEOUT_S})
        for _ in range(250):
            run(512.0)
        points = {
            found.text.partition(" is to be ")[0].rpartition(": ")[2] for found in run.findings
        }
        power = {"setpoint_w", "charge_power_w"} & points
        assert bool(power) is not tolerated


@pytest.mark.parametrize(
    ("wrapper", "refresh_s"),
    [
        (INVERTER, {Point.SETPOINT_W: 5 / 3, Point.ENABLE: 5.0, Point.REVERT_TIMEOUT_S: 60.0}),
        (BMS, {Point.CHARGE_POWER_W: 2.0, Point.DISCHARGE_POWER_W: 2.0}),
    ],
)
def test_each_point_is_refreshed_in_its_own_time(wrapper, refresh_s):
    run = Run(wrapper)
    for _ in range(6100):
        run(512.0)
    for point, seconds in refresh_s.items():
        times = [time_ns for time_ns, of, _ in run.written if of is point]
        assert (times[1] - times[0]) / NS_PER_S == pytest.approx(seconds, abs=0.02)
    assert {point for _, point, _ in run.written} == set(refresh_s)


def test_enable_follows_the_leave_to_run_in_the_same_cycle():
    run = Run(INVERTER)
    run(0.0, permit_of(may_run=False))
    for may_run, enable in ((True, 1.0), (False, 0.0), (True, 1.0)):
        writes = run(0.0, permit_of(may_run=may_run), ms=100)
        assert writes == [(Point.ENABLE, enable)]


def test_the_revert_timer_is_armed_with_whole_seconds_as_the_interlock_expects_them():
    for configured, armed in ((2.6, 3.0), (2.4, 2.0), (5.0, 5.0)):
        (unit,) = build_site(
            unit_content(inverter_hardware={"revert_timeout_s": configured})
        ).storage
        written = dict(Run(InverterSafetyWrapper(unit))(0.0))
        assert written[Point.REVERT_TIMEOUT_S] == armed


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_held_power_at_the_very_end_of_the_permit_is_left_alone(sign):
    for wrapper in (BMS, INVERTER):
        run = Run(wrapper)
        run(sign * 3000.0)
        assert run(sign * 3000.0, permit_of(-3000.0, 3000.0)) == []


@pytest.mark.parametrize("power_w", [0.5, 1e-9])
def test_a_charge_of_less_than_a_watt_still_writes_the_zero_first(power_w):
    assert [point for point, _ in Run(BMS)(power_w)] == [
        Point.DISCHARGE_POWER_W,
        Point.CHARGE_POWER_W,
    ]
    assert [point for point, _ in Run(BMS)(-power_w)] == [
        Point.CHARGE_POWER_W,
        Point.DISCHARGE_POWER_W,
    ]


def test_a_bms_that_takes_only_one_of_the_powers_gets_only_that_one():
    run = Run(BmsSafetyWrapper(UNIT_CONFIG, (Point.CHARGE_POWER_W, Point.SETPOINT_W)))
    assert run(-500.0) == [(Point.CHARGE_POWER_W, 0.0)]
    assert run(500.0, ms=200) == [(Point.CHARGE_POWER_W, 500.0)]


@pytest.mark.parametrize(("wrapper", "power_w"), [(INVERTER, 600.0), (BMS, 600.0)])
def test_force_writes_again_what_stops_power_and_not_what_arms_the_timer(wrapper, power_w):
    run = Run(wrapper)
    first = dict(run(power_w))
    again = dict(run(power_w, force=True))
    assert again == {p: v for p, v in first.items() if p is not Point.REVERT_TIMEOUT_S}
    assert run(power_w) == []


def test_only_the_point_that_is_no_longer_permitted_is_written_at_once():
    run = Run(BMS)
    run(500.0)
    assert run(500.0 - 1e-6, permit_of(-5000.0, 500.0 - 1e-6)) == [
        (Point.CHARGE_POWER_W, 500.0 - 1e-6)
    ]
