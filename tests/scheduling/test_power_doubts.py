"""Powers a thousand times too small: noticed, and nothing else is."""

import numpy as np
import pytest

from holdfast.scheduling.power_doubts import power_doubts

DAY = np.full(96, 0.25)
SUN = np.clip(np.sin((np.arange(96) - 24) / 48 * np.pi), 0.0, None)


@pytest.mark.parametrize("scale", [1.0, 10.0])
def test_a_house_is_no_doubt_and_a_thousandth_of_it_is(scale: float) -> None:
    load_w, pv_w = np.full(96, 60.0 * scale), 1_500.0 * scale * SUN
    assert power_doubts(DAY, load_w, pv_w) == ()
    assert len(power_doubts(DAY, load_w / 1e3, pv_w / 1e3)) == 2
    (load,) = power_doubts(DAY, load_w / 1e3, pv_w)
    assert load.startswith("the load is 0.")
    (pv,) = power_doubts(DAY, load_w, pv_w / 1e3)
    assert pv.startswith("PV gives 1")


def test_no_load_and_no_pv_are_no_doubt() -> None:
    assert power_doubts(DAY, np.zeros(96), np.zeros(96)) == ()


def test_a_night_says_nothing_of_pv() -> None:
    assert power_doubts(DAY[:60], np.full(60, 300.0), np.full(60, 3.0)) == ()
    assert power_doubts(DAY[:80], np.full(80, 300.0), np.full(80, 3.0)) != ()


def test_the_load_is_judged_by_its_mean_over_time() -> None:
    assert power_doubts(np.array([0.25, 10.0]), np.array([2_000.0, 0.0]), np.zeros(2)) == ()
    assert power_doubts(np.array([0.01, 24.0]), np.array([2_000.0, 0.0]), np.zeros(2)) != ()
