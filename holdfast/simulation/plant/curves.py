"""Curves go through points.

They give the cells' open-circuit voltage and the derating that BMS makers ship.
"""

from bisect import bisect_right
from itertools import pairwise

import numpy as np

OCV_POINTS: tuple[tuple[float, float], ...] = (
    (-1.000, -2.00),
    (-0.050, 0.50),
    (-0.020, 1.60),
    (0.000, 2.50),
    (0.010, 2.80),
    (0.030, 3.00),
    (0.060, 3.12),
    (0.100, 3.20),
    (0.150, 3.225),
    (0.200, 3.245),
    (0.300, 3.280),
    (0.400, 3.288),
    (0.500, 3.292),
    (0.600, 3.298),
    (0.650, 3.315),
    (0.700, 3.329),
    (0.800, 3.332),
    (0.900, 3.335),
    (0.960, 3.340),
    (0.980, 3.355),
    (0.990, 3.380),
    (1.000, 3.430),
    (1.010, 3.650),
    (1.030, 4.000),
    (1.100, 5.000),
    (2.000, 18.00),
)
"""It gives (SOC as a fraction, V) of a typical LFP/graphite cell at rest.

It is drawn by hand with the two graphite steps near 30 % and 65 %; it is no maker's data. Beyond
0 and 100 % it goes on steeply, so that an overcharged or exhausted cell is seen at its voltage.
"""

OCV_SOC = np.array([soc for soc, _ in OCV_POINTS])
OCV_V = np.array([volt for _, volt in OCV_POINTS])
_OCV_AREA = np.concatenate(([0.0], np.cumsum(np.diff(OCV_SOC) * (OCV_V[1:] + OCV_V[:-1]) / 2.0)))


def ocv_v(soc: np.ndarray) -> np.ndarray:
    """Returns the open-circuit voltage, V, of cells at ``soc`` (fraction)."""
    volts: np.ndarray = np.interp(soc, OCV_SOC, OCV_V)
    return volts


def ocv_integral_v(soc: np.ndarray) -> np.ndarray:
    """Returns the integral of the open-circuit voltage from the table's start to ``soc``: Wh/Ah."""
    index = np.clip(np.searchsorted(OCV_SOC, soc, side="right") - 1, 0, len(OCV_SOC) - 2)
    width = soc - OCV_SOC[index]
    area: np.ndarray = _OCV_AREA[index] + width * (OCV_V[index] + ocv_v(soc)) / 2.0
    return area


class Curve:
    """A curve has straight lines between points, constant beyond the ends; it is for scalars."""

    __slots__ = ("_slopes", "_xs", "_ys")

    def __init__(self, *points: tuple[float, float]) -> None:
        self._xs = [x for x, _ in points]
        self._ys = [y for _, y in points]
        if not all(a < b for a, b in pairwise(self._xs)):
            raise ValueError(f"the points of a curve must ascend: {self._xs}")
        self._slopes = [(y1 - y0) / (x1 - x0) for (x0, y0), (x1, y1) in pairwise(points)]

    def at(self, x: float) -> float:
        """Returns the value at ``x``."""
        index = bisect_right(self._xs, x)
        if index == 0:
            return self._ys[0]
        if index == len(self._xs):
            return self._ys[-1]
        return self._ys[index - 1] + (x - self._xs[index - 1]) * self._slopes[index - 1]

    def shifted(self, by: float) -> "Curve":
        """Returns the same curve, moved right by ``by``."""
        return Curve(*((x + by, y) for x, y in zip(self._xs, self._ys, strict=True)))


CHARGE_BY_CELL_V = Curve((3.45, 1.0), (3.54, 0.08), (3.58, 0.08), (3.585, 0.0))
"""It is the fraction of the charge current by the highest cell (OpenEMS, FENECON Home 64)."""
DISCHARGE_BY_CELL_V = Curve((2.90, 0.0), (2.905, 0.1), (3.10, 1.0))
"""It is the fraction of the discharge current by the lowest cell (OpenEMS, FENECON Home 64)."""
CHARGE_BY_SOC = Curve((95.0, 1.0), (96.0, 0.8), (100.0, 0.08))
"""It is the fraction of the charge current by SOC in % (OpenEMS, FENECON Home 64)."""
DISCHARGE_BY_SOC = Curve((0.0, 0.0), (3.0, 0.1), (5.0, 1.0))
"""It is the fraction of the discharge current by SOC in %; our own, mirroring the voltage curve."""
CHARGE_BY_TEMPERATURE = Curve(
    (0.0, 0.0), (2.0, 0.25), (5.0, 0.5), (10.0, 1.0), (40.0, 1.0), (45.0, 0.5), (50.0, 0.25),
    (55.0, 0.0),
)  # fmt: skip
"""It is the fraction of the charge current by cell temperature in °C (dbus-serialbattery)."""
DISCHARGE_BY_TEMPERATURE = Curve(
    (-10.0, 0.0), (0.0, 0.25), (5.0, 0.5), (10.0, 1.0), (40.0, 1.0), (45.0, 0.5), (50.0, 0.25),
    (55.0, 0.0),
)  # fmt: skip
"""It is the fraction of the discharge current by cell temperature in °C (dbus-serialbattery)."""
