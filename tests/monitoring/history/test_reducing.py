"""Many values become one; what is not there does not count, and is not 0."""

import numpy as np
import pytest

from holdfast.monitoring.history.reducing import reduced

_NAN = np.nan


def test_mean_lowest_and_highest_of_what_is_there() -> None:
    values = np.array([[1.0, 3.0, _NAN, 5.0, _NAN, _NAN, 7.0]])
    np.testing.assert_array_equal(
        reduced(values, 3), [[2.0, 5.0, 7.0], [1.0, 5.0, 7.0], [3.0, 5.0, 7.0]]
    )


def test_where_nothing_is_there_is_nothing_after_it() -> None:
    assert np.isnan(reduced(np.array([[_NAN, _NAN, 1.0, 1.0]]), 2)[:, 0]).all()


@pytest.mark.parametrize("step", [1, 2, 3])
def test_a_peak_is_still_seen_after_every_further_step(step: int) -> None:
    seconds = np.zeros((1, 3600))
    seconds[0, 1234] = 9000.0
    minutes = reduced(seconds, 60)
    quarters = reduced(minutes, 5 * step)
    assert quarters[2].max() == 9000.0
    assert quarters[1].min() == 0.0
    assert quarters[0].mean() == pytest.approx(2.5)
