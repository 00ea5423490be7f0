"""The simulated link: a capacitor behind a resistor, and what happens to contacts that skip it."""

import math
from pathlib import Path

import pytest
import yaml

from holdfast.core.commands import Point, Write
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.simulation.plant import DamageKind, SitePlant
from holdfast.simulation.plant.contactor import DcLink
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_content
from tests.simulation.plant_bench import NOON


class Bench:
    """One unit with a precharge, all coils off."""

    def __init__(self, folder: Path) -> None:
        content = example_content(folder, bms_on_can=False)
        content["storage"][0]["relays"]["profile"] = "precharge_relays"
        self.plant = SitePlant.from_site(parse_site(yaml.safe_dump(content), folder=folder))
        self.unit = self.plant.units["battery"]
        assert self.unit.link is not None
        self.link = self.unit.link

    def write(self, point: Point, value: float) -> None:
        role = Role.INVERTER if point is Point.ENABLE else Role.RELAYS
        self.plant.apply(Write(unit="battery", role=role, point=point, value=value))

    def run(self, seconds: float, dt_s: float = 0.01) -> None:
        for _ in range(round(seconds / dt_s)):
            self.plant.step(dt_s, NOON + self.plant.time_s)

    def value(self, signal: Signal) -> float:
        return self.unit.values()[signal]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("dt_s", [0.001, 0.05, 0.5])
def test_the_link_follows_the_closed_form_whatever_the_step(dt_s: float) -> None:
    link = DcLink(bleed_ohm=math.inf)
    link.relay.command(close=True)
    for _ in range(round(0.5 / dt_s)):
        link.step(dt_s, 52.0, main_closed=False)
    assert link.voltage_v == pytest.approx(52.0 * (1.0 - math.exp(-0.5 / 0.2)))
    assert link.current_a == pytest.approx((52.0 - link.voltage_v) / 20.0)


def test_a_precharged_contactor_closes_without_harm(bench: Bench) -> None:
    assert bench.value(Signal.DC_LINK_VOLTAGE_V) == 0.0
    bench.write(Point.PRECHARGE, 1)
    bench.run(0.05)
    assert bench.value(Signal.PRECHARGE_CLOSED) == 1.0
    assert -2.7 < bench.value(Signal.BATTERY_CURRENT_A) < -1.5
    bench.run(0.85)
    assert bench.value(Signal.PACK_VOLTAGE_V) - bench.value(Signal.DC_LINK_VOLTAGE_V) < 1.0
    assert abs(bench.value(Signal.BATTERY_CURRENT_A)) < 0.05
    bench.write(Point.CONTACTOR, 1)
    bench.run(0.02)
    assert bench.value(Signal.CONTACTOR_CLOSED) == 1.0
    assert not bench.unit.damage
    bench.write(Point.PRECHARGE, 0)
    bench.write(Point.CONTACTOR, 0)
    bench.run(2.0)
    assert bench.value(Signal.PACK_VOLTAGE_V) - bench.value(Signal.DC_LINK_VOLTAGE_V) > 1.0


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_closing_onto_an_empty_link_is_damage(bench: Bench, seconds: float) -> None:
    bench.write(Point.PRECHARGE, 1)
    bench.run(seconds)
    bench.write(Point.CONTACTOR, 1)
    bench.run(0.1)
    assert bench.unit.damage.counts == {DamageKind.CONTACTOR_INRUSH: 1}


def test_no_power_flows_through_the_resistor(bench: Bench) -> None:
    bench.write(Point.PRECHARGE, 1)
    bench.write(Point.ENABLE, 1)
    bench.unit.inverter.write_setpoint(-1000.0)
    bench.run(2.0)
    assert bench.value(Signal.BATTERY_POWER_W) == 0.0


def test_faults_of_the_link_can_be_shown(bench: Bench) -> None:
    bench.write(Point.PRECHARGE, 1)
    bench.link.resistor_ohm = math.inf
    bench.run(2.0)
    assert bench.value(Signal.DC_LINK_VOLTAGE_V) == 0.0
    bench.link.resistor_ohm, bench.link.load_ohm = 20.0, 20.0
    bench.run(2.0)
    half_v = bench.value(Signal.PACK_VOLTAGE_V) / 2.0
    assert bench.value(Signal.DC_LINK_VOLTAGE_V) == pytest.approx(half_v, abs=0.2)
    bench.link.load_ohm = 0.0
    bench.run(0.1)
    assert bench.value(Signal.DC_LINK_VOLTAGE_V) < 0.1
    bench.link.load_ohm, bench.link.capacitance_f = math.inf, 1e-6
    bench.run(0.01)
    assert bench.value(Signal.DC_LINK_VOLTAGE_V) == pytest.approx(2.0 * half_v, abs=0.3)


def test_a_pack_that_its_bms_has_opened_feeds_nothing(bench: Bench) -> None:
    bench.unit.bms.pack_open = True
    bench.write(Point.PRECHARGE, 1)
    bench.run(1.0)
    assert bench.value(Signal.DC_LINK_VOLTAGE_V) == 0.0
