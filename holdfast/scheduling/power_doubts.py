"""Powers a thousand times too small are doubted: kW that were taken for W, by a meter's table or in
a file. A plan can be made of them, and nobody would notice that it serves no house."""

import numpy as np

from holdfast.optimization.problem import Array

LEAST_LOAD_W = 20.0
"""A house at rest takes 50 W and more (assumption); a mean below this is no house."""
LEAST_PV_W = 50.0
"""The brightest quarter hour of a day gives more than this, under snow or not (assumption)."""
_A_DAY_H = 20.0
"""In less than this the sun may not have risen."""


def power_doubts(dt_h: Array, load_w: Array, pv_w: Array) -> tuple[str, ...]:
    """Tells which powers look as if kW were taken for W; none at all is no doubt.

    >>> power_doubts(np.ones(24), np.full(24, 0.4), np.zeros(24))
    ('the load is 0.4 W on the mean: is it 0.4 kW, and a scale wrong?',)
    """
    doubts = []
    mean_w = float(np.average(load_w, weights=dt_h))
    if 0.0 < mean_w < LEAST_LOAD_W:
        doubts.append(f"the load is {mean_w:.2g} W on the mean: {_question(mean_w)}")
    most_w = float(pv_w.max())
    if 0.0 < most_w < LEAST_PV_W and float(dt_h.sum()) >= _A_DAY_H:
        doubts.append(f"PV gives {most_w:.2g} W at most: {_question(most_w)}")
    return tuple(doubts)


def _question(power_w: float) -> str:
    return f"is it {power_w:.2g} kW, and a scale wrong?"
