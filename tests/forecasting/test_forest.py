"""A forest in arrays says what scikit-learn says, and one that is damaged is refused."""

import numpy as np
import pytest

from holdfast.forecasting.array_file import ArrayFile
from holdfast.forecasting.forest import Forest
from holdfast.forecasting.training import forest_work

RANDOM = np.random.default_rng(3)
ROWS = RANDOM.normal(size=(1500, 5))
TARGET = ROWS[:, 0] * 3 + (ROWS[:, 1] > 0) * ROWS[:, 2] + RANDOM.normal(size=1500)


def trained() -> Forest:
    pytest.importorskip("sklearn")
    job = ArrayFile(about={"leaf": 5}, arrays={"rows": ROWS, "target": TARGET})
    return Forest.from_arrays(ArrayFile.from_bytes(forest_work(job).to_bytes()).arrays)


def stump() -> Forest:
    return Forest(
        root=np.array([0], np.int32),
        feature=np.array([1, 0, 0], np.int32),
        threshold=np.array([0.5, 0.0, 0.0]),
        child=np.array([1, 2, 1, 1, 2, 2], np.int32),
        value=np.array([0.0, 10.0, 20.0]),
        depth=1,
        features=2,
    )


def test_it_equals_scikit_learn_on_rows_it_never_saw() -> None:
    ensemble = pytest.importorskip("sklearn.ensemble")
    forest = trained()
    other = ensemble.RandomForestRegressor(
        n_estimators=len(forest.root),
        min_samples_leaf=5,
        max_features=0.4,
        max_samples=0.5,
        max_depth=12,
        random_state=1,
    ).fit(ROWS, TARGET)
    fresh = np.random.default_rng(4).normal(size=(400, 5))
    np.testing.assert_allclose(forest.predict(fresh), other.predict(fresh), rtol=1e-12)


def test_the_threshold_itself_belongs_to_the_left() -> None:
    rows = np.array([[9.0, 0.5], [9.0, 0.51], [9.0, np.nan]])
    assert stump().predict(rows).tolist() == [10.0, 20.0, 20.0]


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        stump().predict(np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("root", [3]),
        ("root", []),
        ("child", [1, 2, 1, 1, 2, 3]),
        ("child", [-1, 2, 1, 1, 2, 2]),
        ("child", [1, 2]),
        ("feature", [2, 0, 0]),
        ("feature", [-1, 0, 0]),
        ("threshold", [0.5]),
        ("value", [0.0, np.nan, 1.0]),
        ("shape", [65, 2]),
        ("shape", [-1, 2]),
        ("shape", [1]),
    ],
)
def test_a_damaged_forest_is_refused(name: str, value: list[float]) -> None:
    arrays = stump().to_arrays() | {name: np.array(value)}
    with pytest.raises(ValueError, match=r"forest|unpack"):
        Forest.from_arrays(arrays)
    del arrays[name]
    with pytest.raises(ValueError, match="forest"):
        Forest.from_arrays(arrays)
