"""What site.yaml tells of losses is what plans reckon with, and what the simulated plant does."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.commands import Point, Write
from holdfast.core.config import Site
from holdfast.core.role import Role
from holdfast.optimization.problem import BatteryModel
from holdfast.scheduling.plan_problem import battery_model
from holdfast.scheduling.storage_losses import conversion_of, taper_of
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.plant.inverter import Inverter, InverterSpec
from tests.builders import build_site, unit_content

PRICES = np.full(4, 0.3)
START = datetime(2026, 1, 15, tzinfo=UTC)
CURVE = {
    "charge": [
        {"power_pct": 10, "efficiency_pct": 88},
        {"power_pct": 50, "efficiency_pct": 96},
    ],
    "discharge": [
        {"power_pct": 10, "efficiency_pct": 86},
        {"power_pct": 100, "efficiency_pct": 94},
    ],
    "standby_w": 20,
}


def site_with(**unit: Any) -> Site:
    return build_site(unit_content(**unit))


def model(site: Site, soc_pct: float = 50.0) -> BatteryModel:
    return battery_model(site, soc_pct, PRICES)


def inverter(site: Site) -> Inverter:
    (unit,) = site.storage
    spec = InverterSpec.of(unit.inverter_hardware, unit.losses, unit.hybrid, 96.0)
    return Inverter(spec, ambient_c=20.0)


def test_who_tells_nothing_is_planned_for_as_before() -> None:
    battery = model(site_with())
    assert battery.conversion is None
    assert battery.is_linear
    assert (battery.charge_efficiency, battery.discharge_efficiency) == (0.96, 0.96)
    assert (battery.taper_per_h, battery.hybrid_ac_max_w) == (0.0, None)


def test_points_of_a_data_sheet_are_met() -> None:
    battery = model(site_with(losses=CURVE))
    ac_w = np.array([-5_000.0, -500.0, 0.0, 500.0, 2_500.0, 5_000.0])
    stored_w = [-5_000 / 0.94, -500 / 0.86, -20.0, 440.0, 2_400.0, 4_800.0]
    assert battery.stored_w(ac_w) == pytest.approx(stored_w)
    assert battery.ac_w(np.array(stored_w)) == pytest.approx(ac_w)
    # One efficiency for those who ask for one: at half of the power, beside the 20 W.
    assert battery.charge_efficiency == pytest.approx(2_420.0 / 2_500.0)


EFFICIENCIES = st.floats(80.0, 99.0)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(EFFICIENCIES, min_size=3, max_size=3).map(sorted),
    st.lists(EFFICIENCIES, min_size=3, max_size=3).map(sorted),
    st.floats(0.0, 100.0),
    st.floats(-5_000.0, 5_000.0),
    st.floats(0.0, 8_000.0),
    st.sampled_from([None, {"ac_max_w": 4_000}, {"ac_max_w": 4_000, "pv_to_battery_pct": 97}]),
)
def test_plans_and_the_simulated_inverter_lose_the_same(
    into: list[float],
    out: list[float],
    standby_w: float,
    ac_w: float,
    pv_w: float,
    hybrid: dict[str, float] | None,
) -> None:
    def curve(found: list[float]) -> list[dict[str, float]]:
        return [
            {"power_pct": power, "efficiency_pct": pct}
            for power, pct in zip((5, 20, 80), found, strict=True)
        ]

    losses = {"charge": curve(into), "discharge": curve(out), "standby_w": standby_w}
    site = site_with(losses=losses, hybrid=hybrid)
    planned = model(site).stored_w(np.array(ac_w), pv_w)
    assert inverter(site).dc_power_w(ac_w, pv_w) == pytest.approx(float(planned), abs=1e-6)
    back_w = inverter(site).ac_power_w(inverter(site).dc_power_w(ac_w))
    assert back_w == pytest.approx(ac_w, abs=1e-3)


@pytest.mark.parametrize("power_w", [4_000.0, 400.0, 0.0, -400.0, -4_000.0])
def test_a_quarter_hour_of_the_simulated_plant_stores_what_is_planned(power_w: float) -> None:
    """Behind the inverter are cells, which lose some more and are no part of a curve of it."""
    site = site_with(losses=CURVE)
    plant = SitePlant.from_site(site, soc_pct=50.0)
    (unit,) = plant.units.values()
    for role, point, value in (
        (Role.RELAYS, Point.CONTACTOR, 1.0),
        (Role.BMS, Point.CHARGE_POWER_W, 5_000.0),
        (Role.BMS, Point.DISCHARGE_POWER_W, 5_000.0),
        (Role.INVERTER, Point.ENABLE, 1.0),
        (Role.INVERTER, Point.SETPOINT_W, power_w),
    ):
        unit.apply(Write(unit=unit.name, role=role, point=point, value=value))
        plant.step(5.0, START)
    before_pct, done_wh = unit.bms.soc_pct, unit.charged_wh - unit.discharged_wh
    for _ in range(90):
        plant.step(10.0, START)
    gained_wh = (unit.bms.soc_pct - before_pct) / 100.0 * 10_000.0
    ac_w = 4.0 * (unit.charged_wh - unit.discharged_wh - done_wh)
    assert ac_w == pytest.approx(power_w, abs=1.0)
    planned_wh = float(model(site).stored_w(np.array(ac_w))) * 0.25
    assert gained_wh == pytest.approx(planned_wh, rel=0.05, abs=0.3)


def test_the_more_it_holds_the_less_it_takes() -> None:
    site = site_with(losses={"taper_from_pct": 90, "taper_to_pct": 20})
    battery = model(site)
    # 4,800 W at 90 %, 960 W at 100 %: the line ends at 102.5 %.
    assert battery.taper_end_wh == pytest.approx(10_250.0)
    assert battery.taper_per_h * (10_250.0 - 9_000.0) == pytest.approx(4_800.0)
    assert battery.taper_per_h * (10_250.0 - 10_000.0) == pytest.approx(960.0)
    assert battery.most_stored_wh(9_000.0, 1e-6) == pytest.approx(4_800.0e-6, rel=1e-4)
    assert battery.most_stored_wh(9_000.0, 24.0) == pytest.approx(1_250.0, rel=1e-4)


def test_a_simulated_pack_takes_less_in_the_same_way() -> None:
    site = site_with(
        losses={"taper_from_pct": 80, "taper_to_pct": 20},
        operation={"soc_max_pct": 100},
        inverter_hardware={"charge_power_max_w": 4_000},
    )
    most_a = []
    for soc_pct in (70.0, 80.0, 90.0, 99.0):
        plant = SitePlant.from_site(site, soc_pct=soc_pct)
        (unit,) = plant.units.values()
        most_a.append(unit.bms.charge_limit_a)
    assert most_a[0] == most_a[1]
    assert most_a[2] == pytest.approx(0.6 * most_a[1], rel=1e-6)
    assert most_a[3] == pytest.approx(0.24 * most_a[1], rel=1e-6)


def test_units_add_up_and_one_without_a_taper_takes_all() -> None:
    first = unit_content("first", losses=CURVE)
    second = unit_content("second")
    site = build_site(first, second)
    battery = model(site)
    assert battery.stored_w(np.array(5_000.0)) == pytest.approx(2_400.0 + 2_400.0)
    assert battery.stored_w(np.array(1_000.0)) == pytest.approx(440.0 + 480.0)
    assert battery.idle_w == pytest.approx(20.0)
    assert battery.taper_per_h == 0.0
    both = build_site(
        unit_content("first", losses={"taper_from_pct": 90}),
        unit_content("second", losses={"taper_from_pct": 94}),
    )
    assert taper_of(both.storage, conversion_of(both.storage))[1] == pytest.approx(
        18_400.0 + 1_600.0 / 0.9
    )


def test_a_hybrid_lets_no_more_pass_than_it_can() -> None:
    """3 kW of AC: 8 kW of sun, of which the house gets 3 kW, and the battery its part beside."""
    site = site_with(hybrid={"ac_max_w": 3_000, "pv_to_battery_pct": 96})
    steps = ((0.0, 8_000.0, 0.0), (4_000.0, 8_000.0, 4_000.0), (-4_000.0, 1_000.0, -2_000.0),
             (5_000.0, 0.0, 3_000.0))  # fmt: skip
    for power_w, pv_w, done_w in steps:
        box = inverter(site)
        box.write_enable(on=True)
        box.write_setpoint(power_w)
        for _ in range(20):
            box.step(1.0, connected=True, ambient_c=20.0, pv_w=pv_w)
        assert box.power_w == pytest.approx(done_w, abs=0.1)
    battery = model(site)
    assert battery.hybrid_ac_max_w == 3_000
    assert battery.stored_w(np.array(2_000.0), 1_500.0) == pytest.approx(1_500.0 + 480.0)


def test_what_a_stored_kwh_is_worth_at_the_end_is_what_the_owner_says() -> None:
    told = build_site(unit_content(), planner={"terminal_price_per_kwh": 0.17})
    assert model(told).terminal_value_per_kwh == 0.17
    assert model(build_site()).terminal_value_per_kwh == pytest.approx(0.9 * 0.28 * 0.96)
