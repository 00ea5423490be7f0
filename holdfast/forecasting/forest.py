"""A random forest is kept as plain arrays, and evaluated for all rows and trees at once."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holdfast.forecasting.array_file import Array, Floats

_MAX_DEPTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Forest:
    """All nodes of all trees stand in one table. A leaf is its own child, on both sides."""

    root: npt.NDArray[np.int32]
    """Each tree has its root here."""
    feature: npt.NDArray[np.int32]
    threshold: Floats
    """Up to it, the left child is next; NaN goes right."""
    child: npt.NDArray[np.int32]
    """Left and right child come in turn: ``child[2 * node]`` is the left one."""
    value: Floats
    depth: int
    features: int
    """A row must have so many columns."""

    def predict(self, rows: Floats) -> Floats:
        """Returns the trees' mean for each row. Raises ValueError for rows of another width."""
        if rows.ndim != 2 or rows.shape[1] != self.features:
            raise ValueError(f"rows have shape {rows.shape}, not (n, {self.features})")
        count = len(rows)
        # As scikit-learn compares: in single precision.
        flat = rows.astype(np.float32).ravel()
        start = np.tile(np.arange(count, dtype=np.int32) * self.features, len(self.root))
        node = np.repeat(self.root, count)
        for _ in range(self.depth):
            right = ~(flat[start + self.feature[node]] <= self.threshold[node])
            node = self.child[2 * node + right]
        mean: Floats = self.value[node].reshape(len(self.root), count).mean(axis=0)
        return mean

    def to_arrays(self) -> dict[str, Array]:
        """Returns the arrays as :meth:`from_arrays` reads them."""
        names = ("root", "feature", "threshold", "child", "value")
        arrays: dict[str, Array] = {name: getattr(self, name) for name in names}
        return arrays | {"shape": np.array([self.depth, self.features])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Array]) -> "Forest":
        """Reads what :meth:`to_arrays` gave. Raises ValueError for what is no forest."""
        try:
            depth, features = (int(number) for number in arrays["shape"])
            forest = cls(
                root=arrays["root"].astype(np.int32),
                feature=arrays["feature"].astype(np.int32),
                threshold=arrays["threshold"].astype(np.float64),
                child=arrays["child"].astype(np.int32),
                value=arrays["value"].astype(np.float64),
                depth=depth,
                features=features,
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"is no forest: {error!r}") from error
        if not _is_whole(forest):
            raise ValueError("is no forest: a node leads nowhere, or a value is not finite")
        return forest


def _is_whole(forest: Forest) -> bool:
    nodes = len(forest.value)
    return (
        len(forest.root) > 0
        and 0 <= forest.depth <= _MAX_DEPTH
        and forest.feature.shape == forest.threshold.shape == (nodes,)
        and forest.child.shape == (2 * nodes,)
        and _within(forest.root, nodes)
        and _within(forest.child, nodes)
        and _within(forest.feature, forest.features)
        and bool(np.isfinite(forest.value).all())
    )


def _within(numbers: Array, count: int) -> bool:
    return bool(((numbers >= 0) & (numbers < count)).all())
