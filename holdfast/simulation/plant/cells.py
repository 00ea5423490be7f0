"""Each of the cells in series has its charge, voltage and heat.

The equivalent circuit has an open-circuit voltage, a resistance that rises in the cold, and one
RC pair. SOC is never clipped: an overcharged cell goes on to rise.
"""

import math
from dataclasses import dataclass

import numpy as np

from holdfast.simulation.plant.curves import ocv_integral_v, ocv_v

NOMINAL_CELL_V = 3.2
_REFERENCE_C = 25.0
_RESISTANCE_PER_C = 0.025
"""The resistance doubles every 28 °C towards the cold; typical of LFP."""
_SECONDS_PER_H = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSpec:
    """Tells what one cell is like, and how much cells differ (standard deviations)."""

    drop_v_per_c_rate: float = 0.06
    """It is the voltage over the resistance at 1 C."""
    rc_drop_v_per_c_rate: float = 0.04
    """It is the voltage over the RC pair at 1 C, after many time constants."""
    rc_tau_s: float = 60.0
    heat_capacity_j_per_k_per_ah: float = 20.0
    thermal_tau_s: float = 10_800.0
    """It is that of the warmed pack in still air."""
    capacity_spread_pct: float = 0.7
    resistance_spread_pct: float = 5.0
    soc_spread_pct: float = 0.3


class CellString:
    """Holds ``count`` cells in series; the current is + charging."""

    def __init__(
        self,
        *,
        count: int,
        capacity_wh: float,
        soc_pct: float,
        temperature_c: float,
        rng: np.random.Generator,
        spec: CellSpec | None = None,
    ) -> None:
        spec = spec or CellSpec()
        self.spec = spec
        self.capacity_ah = capacity_wh / (count * NOMINAL_CELL_V)
        self.cell_capacity_ah = self.capacity_ah * _spread(rng, count, spec.capacity_spread_pct)
        offset = _spread(rng, count, spec.soc_spread_pct) - 1.0
        self.soc = np.clip(soc_pct / 100.0 + offset, 0.0, 1.0)
        """It is the fraction of each cell's own capacity."""
        spread = _spread(rng, count, spec.resistance_spread_pct)
        self._r0_ohm = spread * (spec.drop_v_per_c_rate / self.capacity_ah)
        self._r1_ohm = spread * (spec.rc_drop_v_per_c_rate / self.capacity_ah)
        self._r0_sum_ohm = float(self._r0_ohm.sum())
        self._g1_s = 1.0 / self._r1_ohm
        self._per_a_s = 1.0 / (self.cell_capacity_ah * _SECONDS_PER_H)
        self._k_per_w = spec.thermal_tau_s / (
            spec.heat_capacity_j_per_k_per_ah * self.cell_capacity_ah
        )
        self._rc_v = np.zeros(count)
        self._ones = np.ones(count)
        self.temperature_c = np.full(count, float(temperature_c))
        self.heat_wh = 0.0
        """It was lost in the cells since the start."""
        self._dt_s = 0.0
        self._rc_decay = self._thermal_decay = 1.0
        self._publish(ocv_v(self.soc), 0.0)

    def current_for(self, power_w: float) -> float:
        """Returns the current, A, at which the terminals take ``power_w`` (+ charging).

        More than the cells can give is cut to the most that they can.
        """
        r_ohm = self._r0_sum_ohm * self._cold
        root = self._emf_v * self._emf_v + 4.0 * r_ohm * power_w
        return (math.sqrt(max(root, 0.0)) - self._emf_v) / (2.0 * r_ohm)

    def power_at(self, current_a: float) -> float:
        """Returns the power, W, that the terminals take at ``current_a``: the inverse of
        :meth:`current_for`."""
        return current_a * (self._emf_v + current_a * self._r0_sum_ohm * self._cold)

    def step(self, current_a: float, dt_s: float, ambient_c: float) -> None:
        """Lets ``current_a`` flow for ``dt_s``."""
        if dt_s != self._dt_s:
            self._dt_s = dt_s
            self._rc_decay = math.exp(-dt_s / self.spec.rc_tau_s)
            self._thermal_decay = math.exp(-dt_s / self.spec.thermal_tau_s)
        cold = self._cold
        self.soc += self._per_a_s * (current_a * dt_s)
        rc_v = self._rc_v
        rc_v *= self._rc_decay
        rc_v += self._r1_ohm * (current_a * cold * (1.0 - self._rc_decay))
        heat_w = rc_v * rc_v
        heat_w *= self._g1_s
        heat_w *= 1.0 / cold
        heat_w += self._r0_ohm * (current_a * current_a * cold)
        self.heat_wh += float(heat_w.dot(self._ones)) * dt_s / _SECONDS_PER_H
        heat_w *= self._k_per_w
        heat_w += ambient_c
        heat_w *= 1.0 - self._thermal_decay
        self.temperature_c *= self._thermal_decay
        self.temperature_c += heat_w
        self._publish(ocv_v(self.soc), current_a)

    def set_temperature(self, temperature_c: float) -> None:
        """Brings every cell to ``temperature_c`` at once, for tests."""
        self.temperature_c[:] = temperature_c
        self._publish(ocv_v(self.soc), self.current_a)

    def interrupt(self) -> None:
        """The current stops between two steps."""
        self._publish(ocv_v(self.soc), 0.0)

    @property
    def stored_wh(self) -> float:
        """Returns the energy that rests in the cells, Wh; only differences mean something."""
        chemical = self.cell_capacity_ah.dot(ocv_integral_v(self.soc))
        farad = self.spec.rc_tau_s / (self._r1_ohm * self._cold)
        return float(chemical + farad.dot(self._rc_v**2) / 2.0 / _SECONDS_PER_H)

    def _publish(self, ocv: np.ndarray, current_a: float) -> None:
        temperatures = self.temperature_c.tolist()
        self.temperature_min_c: float = min(temperatures)
        self.temperature_max_c: float = max(temperatures)
        self.temperature_mean_c: float = sum(temperatures) / len(temperatures)
        self._cold = math.exp(_RESISTANCE_PER_C * (_REFERENCE_C - self.temperature_mean_c))
        ocv += self._rc_v
        self._emf_v = float(ocv.dot(self._ones))
        ocv += self._r0_ohm * (current_a * self._cold)
        voltages = ocv.tolist()
        self.current_a = current_a
        self.cell_voltage_v: list[float] = voltages
        self.voltage_min_v: float = min(voltages)
        self.voltage_max_v: float = max(voltages)
        self.voltage_v: float = sum(voltages)


def _spread(rng: np.random.Generator, count: int, pct: float) -> np.ndarray:
    """Returns factors around exactly 1 in the mean; outliers beyond 2.5 sigma are cut."""
    factors = np.clip(rng.standard_normal(count), -2.5, 2.5)
    centred: np.ndarray = 1.0 + (factors - factors.mean()) * (pct / 100.0)
    return centred
