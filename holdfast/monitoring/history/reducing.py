"""Many values become one: their mean, the lowest and the highest, of those that are there."""

import numpy as np

from holdfast.monitoring.history.value_codec import Floats


def reduced(rows: Floats, count: int) -> Floats:
    """Returns mean, lowest and highest of each ``count`` columns, as three rows.

    ``rows`` is one row of values, or three of the same kind. The last group may be shorter. NaN is
    no value; where there is none at all, there is none after it.
    """
    columns = rows.shape[1]
    padding = -columns % count
    groups = np.pad(rows, ((0, 0), (0, padding)), constant_values=np.nan)
    groups = groups.reshape(rows.shape[0], -1, count)
    known = ~np.isnan(groups[0])
    sums = np.where(known, groups[0], 0.0).sum(axis=1)
    counts = known.sum(axis=1)
    mean = np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    lowest = np.fmin.reduce(groups[rows.shape[0] // 2], axis=1)
    return np.stack((mean, lowest, np.fmax.reduce(groups[-1], axis=1)))
