"""A forest is trained by scikit-learn, in a process of its own."""

import numpy as np

from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.forecasting.array_file import Array, ArrayFile, Floats
from holdfast.forecasting.features import features
from holdfast.forecasting.forest import Forest
from holdfast.forecasting.history import Field
from holdfast.forecasting.lookback import Lookback
from holdfast.forecasting.pattern import Pattern

TREES = 40
_LEAST_ROWS = 500
_MOST_ROWS = 20_000
_LEAD = 2 * QUARTERS_PER_DAY
_WARM_UP = 14 * QUARTERS_PER_DAY
"""The first rows have this much before them, so that lags of a week are known."""
_LEAF = {Field.LOAD_W: 40, Field.PRICE_PER_KWH: 8}
"""Each leaf has at least so many rows: a household is far noisier than a market."""


def forest_job(past: Lookback, field: Field, end: int, pattern: Pattern) -> ArrayFile | None:
    """Makes the order for :func:`forest_work`, from what lies before index ``end``.

    Origins are spread evenly; leads up to two days follow a fixed random sequence, so that the
    same past gives the same forest. Returns None if there are too few rows.
    """
    values = past.values[field]
    if end - _LEAD <= _WARM_UP:
        return None
    random = np.random.default_rng(1)
    origins = np.linspace(_WARM_UP, end - _LEAD - 1, _MOST_ROWS).astype(np.int64)
    index = origins + random.integers(0, _LEAD, _MOST_ROWS)
    rows = features(past, field, index, origins, pattern)
    good = np.isfinite(values[index]) & np.isfinite(rows).all(axis=1)
    if int(good.sum()) < _LEAST_ROWS:
        return None
    about = {"leaf": _LEAF[field]}
    return ArrayFile(about=about, arrays={"rows": rows[good], "target": values[index][good]})


def forest_work(job: ArrayFile) -> ArrayFile:
    """Trains a forest on the order's rows and returns its arrays."""
    from sklearn.ensemble import RandomForestRegressor

    rows = job.arrays["rows"].astype(np.float64)
    trained = RandomForestRegressor(
        n_estimators=TREES,
        min_samples_leaf=int(job.about["leaf"]),
        max_features=0.4,
        max_samples=0.5,
        max_depth=12,
        random_state=1,
        n_jobs=1,
    ).fit(rows, job.arrays["target"])
    trees = [estimator.tree_ for estimator in trained.estimators_]
    forest = _joined(trees, rows.shape[1])
    return ArrayFile(about={"trees": len(trees)}, arrays=forest.to_arrays())


def _joined(trees: list[object], width: int) -> Forest:
    root, feature, threshold, child, value = [], [], [], [], []
    begin = depth = 0
    for tree in trees:
        count = int(tree.node_count)  # type: ignore[attr-defined]
        left, right = _array(tree, "children_left"), _array(tree, "children_right")
        leaf = left < 0
        own = np.arange(count)
        both = np.stack([np.where(leaf, own, left), np.where(leaf, own, right)], axis=1)
        root.append(begin)
        child.append(both.ravel() + begin)
        feature.append(np.where(leaf, 0, _array(tree, "feature")))
        threshold.append(np.where(leaf, 0.0, _array(tree, "threshold")))
        value.append(_array(tree, "value").reshape(count))
        depth = max(depth, int(tree.max_depth))  # type: ignore[attr-defined]
        begin += count
    return Forest(
        root=np.array(root, np.int32),
        feature=np.concatenate(feature).astype(np.int32),
        threshold=np.concatenate(threshold),
        child=np.concatenate(child).astype(np.int32),
        value=_floats(np.concatenate(value)),
        depth=depth,
        features=width,
    )


def _array(tree: object, name: str) -> Array:
    return np.asarray(getattr(tree, name))


def _floats(values: Array) -> Floats:
    return values.astype(np.float64)
