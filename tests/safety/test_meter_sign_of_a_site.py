"""On a whole site: a meter that is wrong is found in time, and a house is not taken for one."""

import random
from datetime import UTC, datetime

import pytest

from holdfast.core.signals import Signal
from holdfast.safety.meter_sign import MeterSign
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.demo_site import simulated_site
from holdfast.simulation.plant import SitePlant


class WrongWayRound(SitePlant):
    """Its meter counts export as import."""

    def samples(self):
        for role, owner, signal, value in super().samples():
            yield role, owner, signal, -value if signal is Signal.GRID_POWER_W else value


class Slow(WrongWayRound):
    """It has a new value every 10 s, and tells it again each time that it is asked."""

    def samples(self):
        self.asked = getattr(self, "asked", -1) + 1
        for role, owner, signal, value in super().samples():
            if signal is Signal.GRID_POWER_W and self.asked % 100 == 0:
                self.shown_w = value
            yield role, owner, signal, self.shown_w if signal is Signal.GRID_POWER_W else value


class SomewhereElse(SitePlant):
    """Its meter measures the neighbour, who draws 1 kW."""

    dice = random.Random(0)

    def samples(self):
        elsewhere_w = 1000.0 + self.dice.gauss(0.0, 5.0)
        for role, owner, signal, value in super().samples():
            yield role, owner, signal, elsewhere_w if signal is Signal.GRID_POWER_W else value


class House:
    """A site in self-consumption without sun, ten cycles a second."""

    def __init__(self, plant_type=SitePlant):
        site = simulated_site()
        self.plant = plant_type.from_site(site)
        self.plant.household.pv_override_w = self.plant.household.load_override_w = 0.0
        start = datetime(2026, 4, 1, tzinfo=UTC)
        self.simulation = Simulation(site, self.plant, start=start, step_s=0.1)
        self.simulation.start()
        self.run([0.0] * 50)

    def run(self, loads_w):
        """For each load: what the battery does, and whether the meter is accused."""
        seen = []
        for load_w in loads_w:
            self.plant.household.load_override_w = load_w
            found = {new.row for new in self.simulation.step().assessment.findings}
            seen.append((self.plant.battery_power_w, "meter_sign_wrong" in found))
        return seen


def test_a_meter_the_wrong_way_round_is_found_within_two_seconds_and_the_power_goes_to_zero():
    seen = House(WrongWayRound).run([300.0] * 100)
    first = [accused for _, accused in seen].index(True)
    assert first <= 20
    assert all(power_w == 0.0 for power_w, _ in seen[first + 20 :])
    assert max(abs(power_w) for power_w, _ in seen) < 3500.0


def test_a_slow_meter_the_wrong_way_round_is_found_within_two_minutes():
    seen = House(Slow).run([300.0] * 1200)
    first = [accused for _, accused in seen].index(True)
    assert all(power_w == 0.0 for power_w, accused in seen[first + 20 :] if accused)


def test_a_meter_that_measures_something_else_is_found_within_ten_seconds():
    """Or the battery would empty itself into the grid."""
    seen = House(SomewhereElse).run([300.0] * 150)
    first = [accused for _, accused in seen].index(True)
    assert first <= 100
    assert all(power_w == 0.0 for power_w, _ in seen[first + 20 :])


def test_without_the_check_the_battery_goes_to_its_limit_and_stays_there(monkeypatch):
    monkeypatch.setattr(MeterSign, "assess", lambda _, __, memory: ((), memory))
    seen = House(WrongWayRound).run([300.0] * 300)
    assert all(power_w > 4900.0 for power_w, _ in seen[-100:])


def ramp(to_w, w_per_s):
    return [min(to_w, w_per_s * index / 10) for index in range(150)]


@pytest.mark.parametrize("w_per_s", [500.0, 1000.0, 2000.0, 3000.0, 5000.0, 8000.0, 1e6])
def test_a_load_that_ramps_up_and_down_does_not_accuse_the_meter(w_per_s):
    up = ramp(11_000.0, w_per_s)
    assert not any(accused for _, accused in House().run([*up, *up[::-1], *[0.0] * 30]))


def test_a_load_that_ramps_twice_as_fast_as_the_battery_follows_accuses_it_for_a_second():
    """Nothing tells the two apart until the power falls: then the meter acquits itself."""
    seen = House().run(ramp(11_000.0, 4000.0))
    accused = [index for index, (_, accused) in enumerate(seen) if accused]
    assert 0 < len(accused) <= 10
    assert accused[-1] - accused[0] < 10


def test_an_ordinary_evening_does_not_accuse_the_meter():
    house, dice, load_w = House(), random.Random(3), 400.0
    loads = []
    for second in range(1200):
        if second % 6 == 0:  # a hob, and whatever else is switched
            load_w = 300.0 + dice.choice([0.0, 900.0, 1800.0]) + dice.choice([0.0, 0.0, 2200.0])
        loads += [load_w + dice.gauss(0.0, 40.0) for _ in range(10)]
    assert not any(accused for _, accused in house.run(loads))
