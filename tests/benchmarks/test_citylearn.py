"""The benchmark on CityLearn's data: what it decides an hour ahead, and what it says without it."""

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import citylearn
from benchmarks.citylearn import Ahead, carbon_ahead

LEVELS_KWH = np.linspace(0.0, 6.4, 48)


def ahead(*net_kwh: float, cost: float, worth: float) -> Ahead:
    """What is stored is worth so much a kWh afterwards."""
    return Ahead(
        net_kwh=np.array(net_kwh),
        weight=np.full(len(net_kwh), 1.0 / len(net_kwh)),
        cost_per_kwh=cost,
        levels_kwh=LEVELS_KWH,
        cost=-worth * LEVELS_KWH,
    )


@pytest.mark.parametrize("python", [Path("/nowhere/python"), Path(sys.executable)])
def test_without_its_environment_it_says_what_it_needs(
    python: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert citylearn.main(["--python", str(python), "--homes", "1", "--hours", "30"]) == 1
    said = capsys.readouterr().err
    assert "needs a Python that has CityLearn 1.8.0" in said
    assert "Traceback" not in said


def test_a_dear_hour_is_served_and_a_cheap_one_is_not() -> None:
    assert ahead(2.0, cost=0.5, worth=0.3).best_kwh(5.0, None) == pytest.approx(-2.0)
    assert ahead(2.0, cost=0.2, worth=0.21).best_kwh(5.0, None) == pytest.approx(0.0, abs=0.1)
    assert ahead(2.0, cost=0.2, worth=0.3).best_kwh(3.0, None) > 2.0


def test_surplus_is_stored_for_an_export_earns_nothing() -> None:
    assert ahead(-1.5, cost=0.2, worth=0.1).best_kwh(1.0, None) >= 1.4


def test_what_may_come_is_served_as_far_as_it_is_likely_enough() -> None:
    """A kWh that is given in vain is lost; so half a chance of 0.5 does not pay for 0.3."""
    rare = ahead(0.5, 0.5, 0.5, 3.0, cost=0.5, worth=0.3)
    assert rare.best_kwh(5.0, None) == pytest.approx(-0.5, abs=0.1)
    frequent = ahead(0.5, 3.0, 3.0, 3.0, cost=0.5, worth=0.3)
    assert frequent.best_kwh(5.0, None) == pytest.approx(-3.0, abs=0.1)


def test_at_the_meter_it_serves_what_is_there() -> None:
    rare = ahead(0.5, 0.5, 0.5, 3.0, cost=0.5, worth=0.3)
    assert rare.best_kwh(5.0, 2.2) == pytest.approx(-2.2)


def test_a_full_battery_gives_a_fifth_of_its_power() -> None:
    assert ahead(4.0, cost=0.5, worth=0.1).best_kwh(6.4, None) == pytest.approx(-1.0)


def test_carbon_is_expected_as_of_late_and_as_today_is_off_it() -> None:
    day = 0.1 + 0.05 * np.sin(np.arange(24) / 24 * 2 * np.pi)
    found = carbon_ahead(np.tile(day, 10), 25)
    assert found == pytest.approx(np.tile(day, 2)[:25])
    off = carbon_ahead(np.append(np.tile(day, 10), day[0] + 0.04), 24) - np.roll(day, -1)
    assert 0.03 < off[0] < 0.04
    assert (np.diff(off[:20]) < 0.0).all()


def test_the_first_hour_is_all_that_is_known_of_carbon() -> None:
    assert carbon_ahead(np.array([0.2]), 3).tolist() == [0.2, 0.2, 0.2]
