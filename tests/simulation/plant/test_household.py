"""The house is plausible, reproducible, and cheap to ask."""

from datetime import UTC, datetime

import numpy as np
import pytest

from holdfast.core.config import Site
from holdfast.simulation.plant import Household, HouseholdSpec, SitePlant
from tests.simulation.plant_bench import NOON, Bench


def test_house_is_plausible_differs_by_day_and_repeats_by_seed() -> None:
    house = Household(seed=1)
    days = [house.day(20_089 + day) for day in range(0, 365, 3)]
    load_wh = np.array([load.sum() / 60 for _, load in days])
    pv_wh = np.array([pv.sum() / 60 for pv, _ in days])
    assert load_wh.mean() == pytest.approx(12_000, rel=0.05)
    assert len(set(load_wh)) == len(days)
    assert all((pv >= 0).all() and (load > 0).all() for pv, load in days)
    assert 5_000_000 < pv_wh.mean() * 365 < 7_500_000
    assert pv_wh.max() > 5 * pv_wh.min()
    june, december = Household(seed=1).day(20_255)[0], house.day(20_440)[0]
    assert june.max() <= 6000
    assert june[0] == december[0] == 0, "no sun at midnight UTC in Europe"
    again = Household(seed=1).day(20_089)
    assert (again[1] == days[0][1]).all()
    assert (Household(seed=2).day(20_089)[1] != days[0][1]).any()


def test_clear_sky_peaks_at_solar_noon_and_a_step_interpolates() -> None:
    spec = HouseholdSpec(clouds=False, longitude_deg=15.0)
    house = Household(seed=1, spec=spec)
    pv_w, _ = house.day(20_255)
    assert abs(int(pv_w.argmax()) - 11 * 60) <= 1, "15 degrees east: an hour before UTC noon"
    start = 20_255 * 86_400.0 + 8 * 3600
    left, middle, right = (house.power_w(start + second)[0] for second in (0, 30, 60))
    assert middle == pytest.approx((left + right) / 2)
    assert left < middle < right


def test_the_house_can_be_held(bench: Bench) -> None:
    bench.plant.household.load_override_w = 700
    bench.plant.household.pv_override_w = 200
    bench.run(1)
    assert bench.plant.grid_power_w == 500


def test_utc_may_be_given_as_a_datetime(site: Site) -> None:
    first, second = SitePlant.from_site(site), SitePlant.from_site(site)
    first.step(1.0, NOON)
    second.step(1.0, datetime.fromtimestamp(NOON, UTC))
    assert first.grid_power_w == second.grid_power_w != 0
