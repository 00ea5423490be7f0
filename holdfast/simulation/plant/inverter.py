"""The battery inverter follows its setpoint after a dead time with a lag, and loses some.

On an island it follows the load instead, at once: that is what forming a grid means.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from holdfast.core.config import InverterHardware
from holdfast.core.config.losses import EfficiencyPoint, Hybrid, Losses
from holdfast.core.device_mode import DeviceMode
from holdfast.simulation.plant.curves import Curve

_SNAP_W = 0.05
"""Closer to the target than this, the power is the target."""
_AS_DELIVERED_W = 100_000.0
"""This export limit limits nothing."""
_HALVINGS = 60
"""So often a range of power is halved until nothing is left of it."""
_TIME_EPS_S = 1e-9
"""Sums of steps are compared with deadlines; less than this is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterSpec:
    """Holds what the inverter's data sheet tells, with typical times."""

    charge_power_max_w: float
    discharge_power_max_w: float
    efficiency: float = 0.96
    """It is for one way."""
    dead_time_s: float = 0.05
    tau_s: float = 0.1
    heating_k: float = 35.0
    """It is the heat sink above ambient at rated power, after a long time."""
    thermal_tau_s: float = 600.0
    charge_loss_w: Curve | None = None
    """It is by AC power, from what the inverter takes to be on; None: ``efficiency`` tells it."""
    discharge_loss_w: Curve | None = None
    standby_w: float = 0.0
    hybrid_ac_max_w: float | None = None
    """PV and battery together pass no more AC; None: PV has its own inverter."""
    pv_stored_share: float | None = None
    """So much of PV (AC) is stored that does not pass AC; None: all of it does."""

    @classmethod
    def of(
        cls, hardware: InverterHardware, losses: Losses, hybrid: Hybrid | None, pv_to_ac_pct: float
    ) -> Self:
        """Returns the inverter of a data sheet, with the losses that are known of it."""
        into, out = losses.charge, losses.discharge
        known, standby_w = losses.are_known, losses.standby_w
        rated = (EfficiencyPoint(power_pct=100.0, efficiency_pct=hardware.efficiency_pct),)
        share = None
        if hybrid is not None and hybrid.pv_to_battery_pct is not None:
            share = hybrid.pv_to_battery_pct / pv_to_ac_pct
        return cls(
            charge_power_max_w=hardware.charge_power_max_w,
            discharge_power_max_w=hardware.discharge_power_max_w,
            efficiency=hardware.efficiency_pct / 100.0,
            charge_loss_w=_loss_w(into or rated, hardware.charge_power_max_w, standby_w, 1.0)
            if known
            else None,
            discharge_loss_w=_loss_w(out or rated, hardware.discharge_power_max_w, standby_w, -1.0)
            if known
            else None,
            standby_w=standby_w,
            hybrid_ac_max_w=None if hybrid is None else hybrid.ac_max_w,
            pv_stored_share=share,
        )


def _loss_w(
    points: Sequence[EfficiencyPoint], most_w: float, standby_w: float, way: float
) -> Curve:
    """Returns the loss by AC power; ``way`` is 1 where AC goes in, -1 where it comes out."""
    found = [(0.0, standby_w)]
    for point in points:
        ac_w = point.power_pct / 100.0 * most_w
        found.append((ac_w, way * ac_w * (1.0 - (point.efficiency_pct / 100.0) ** way)))
    last = points[-1].efficiency_pct / 100.0
    if points[-1].power_pct < 100.0:
        found.append((most_w, way * most_w * (1.0 - last**way)))
    return Curve(*found)


class Inverter:
    """The inverter has registers and a power stage. Powers are at the AC side, + charging."""

    def __init__(self, spec: InverterSpec, *, ambient_c: float) -> None:
        self.spec = spec
        self.setpoint_w = 0.0
        """The register is as it was written."""
        self.enabled = False
        self.revert_timeout_s = 0.0
        """In this register 0 means never."""
        self.export_limit_w = _AS_DELIVERED_W
        """This register, where there is one, changes by nothing but another write."""
        self.pv_on = True
        """This register, where there is one, goes back to on with the revert timer."""
        self.mode: DeviceMode | None = None
        """This register, where there is one, makes it keep a rule of its own; so does that go."""
        self._led_w: float | None = None
        """Its own rule asks this of it."""
        self.faulted = False
        """It is set by a DC voltage out of its window, or by a test; switching off clears it."""
        self.runaway_w: float | None = None
        """Fault: this flows whatever the registers say, as long as a battery is connected."""
        self.island_w: float | None = None
        """The island asks this of it; None while there is a grid."""
        self.obeys_on_island = False
        """It goes on with what it was told, whatever the island asks: that then goes dark."""
        self.power_w = 0.0
        self.temperature_c = ambient_c
        self._charge_permitted_w = self._discharge_permitted_w = math.inf
        self._time_s = 0.0
        self._commanded_s = 0.0
        self._target_w = 0.0
        self._pending: deque[tuple[float, float]] = deque()

    def write_setpoint(self, power_w: float) -> None:
        """Stores the setpoint; it acts after the dead time."""
        self.setpoint_w = power_w
        self._commanded_s = self._time_s
        self._schedule()

    def write_mode(self, mode: DeviceMode | None) -> None:
        """Stores the mode, and starts the revert timer anew."""
        self.mode = mode
        self._commanded_s = self._time_s
        if mode is None:
            self.lead(None)

    def lead(self, power_w: float | None) -> None:
        """Takes what its own rule asks; None: it follows its setpoint."""
        if power_w != self._led_w:
            self._led_w = power_w
            self._schedule()

    def write_revert_timeout(self, timeout_s: float) -> None:
        """Stores the revert timer and starts it anew."""
        self.revert_timeout_s = timeout_s
        self._commanded_s = self._time_s

    def write_enable(self, *, on: bool) -> None:
        """Switches the power stage; off acts at once and clears a fault."""
        self.enabled = on
        if not on:
            self.faulted = False
            if self.runaway_w is None:
                self.power_w = 0.0

    def permit(self, *, charge_w: float, discharge_w: float) -> None:
        """Takes what a BMS with power setpoints lets pass, both >= 0."""
        self._charge_permitted_w, self._discharge_permitted_w = charge_w, discharge_w
        self._schedule()

    @property
    def is_on(self) -> bool:
        """Says whether the power stage runs, whatever it delivers."""
        return self.enabled and not self.faulted

    def trip(self) -> None:
        """Fault: the power stage stops until it is switched off and on."""
        self.faulted = True
        self.power_w = 0.0

    def step(self, dt_s: float, *, connected: bool, ambient_c: float, pv_w: float = 0.0) -> float:
        """Returns the power, W, at the AC side after ``dt_s``.

        It is 0 without a battery behind the contactor. ``pv_w`` is PV behind this inverter.
        """
        end_s = self._time_s + dt_s
        self._expire(end_s)
        running = connected and self.is_on
        power_w = self.power_w if running else 0.0
        time_s = self._time_s
        while self._pending and self._pending[0][0] <= end_s + _TIME_EPS_S:
            due_s, target_w = self._pending.popleft()
            if running:
                power_w = self._approach(power_w, due_s - time_s)
            time_s, self._target_w = max(due_s, time_s), target_w
        if running:
            power_w = self._approach(power_w, end_s - time_s)
        if running and self.island_w is not None and not self.obeys_on_island:
            power_w = self._within(self.island_w)
        power_w = self._beside_pv(power_w, pv_w)
        if self.runaway_w is not None:
            power_w = self.runaway_w if connected else 0.0
        self._time_s = end_s
        self.power_w = power_w
        self._warm(dt_s, ambient_c)
        return power_w

    def dc_power_w(self, ac_power_w: float, pv_w: float = 0.0) -> float:
        """Returns the power in W at the battery's terminals for a power at the AC side, of which
        ``pv_w`` may come from PV behind the same inverter."""
        share = self.spec.pv_stored_share
        if share is None:
            return self._through_ac_w(ac_power_w)
        direct_w = min(max(ac_power_w, 0.0), pv_w)
        return self._through_ac_w(ac_power_w - direct_w) + direct_w * share

    def _through_ac_w(self, ac_power_w: float) -> float:
        spec = self.spec
        if ac_power_w >= 0.0:
            if spec.charge_loss_w is not None:
                return ac_power_w - spec.charge_loss_w.at(ac_power_w)
            return ac_power_w * spec.efficiency
        if spec.discharge_loss_w is not None:
            return ac_power_w - spec.discharge_loss_w.at(-ac_power_w)
        return ac_power_w / spec.efficiency

    def ac_power_w(self, dc_power_w: float) -> float:
        """Returns the inverse of :meth:`dc_power_w` without PV, in W."""
        spec = self.spec
        if spec.charge_loss_w is None or spec.discharge_loss_w is None:
            return (
                dc_power_w / spec.efficiency if dc_power_w > 0.0 else dc_power_w * spec.efficiency
            )
        low_w, high_w = -spec.discharge_power_max_w, spec.charge_power_max_w
        for _ in range(_HALVINGS):
            middle_w = (low_w + high_w) / 2.0
            if self._through_ac_w(middle_w) < dc_power_w:
                low_w = middle_w
            else:
                high_w = middle_w
        return high_w

    def _beside_pv(self, power_w: float, pv_w: float) -> float:
        """Returns ``power_w`` as far as an inverter has room for it that PV passes first."""
        most_w = self.spec.hybrid_ac_max_w
        if most_w is None:
            return power_w
        return min(max(power_w, min(pv_w - most_w, 0.0)), pv_w + most_w)

    def _schedule(self) -> None:
        target_w = self._within(self.setpoint_w if self._led_w is None else self._led_w)
        self._pending.append((self._time_s + self.spec.dead_time_s, target_w))

    def _within(self, power_w: float) -> float:
        """Returns ``power_w`` as far as hardware and BMS let it pass."""
        charge_w = min(self.spec.charge_power_max_w, self._charge_permitted_w)
        discharge_w = min(self.spec.discharge_power_max_w, self._discharge_permitted_w)
        return max(-discharge_w, min(charge_w, power_w))

    def _expire(self, end_s: float) -> None:
        is_plain = not self.setpoint_w and self.pv_on and self.mode is None
        if not self.revert_timeout_s or is_plain:
            return
        expiry_s = self._commanded_s + self.revert_timeout_s
        if end_s + _TIME_EPS_S >= expiry_s:
            self.pv_on = True
            if self.mode is not None:
                self.write_mode(None)
            if self.setpoint_w:
                self.setpoint_w = 0.0
                self._pending.append((expiry_s, 0.0))

    def _approach(self, power_w: float, dt_s: float) -> float:
        away_w = power_w - self._target_w
        if away_w == 0.0 or dt_s <= 0.0:
            return power_w
        away_w *= math.exp(-dt_s / self.spec.tau_s)
        return self._target_w if abs(away_w) < _SNAP_W else self._target_w + away_w

    def _warm(self, dt_s: float, ambient_c: float) -> None:
        rated_w = max(self.spec.charge_power_max_w, self.spec.discharge_power_max_w)
        settled_c = ambient_c + self.spec.heating_k * abs(self.power_w) / rated_w
        if settled_c != self.temperature_c:
            decay = math.exp(-dt_s / self.spec.thermal_tau_s)
            self.temperature_c = settled_c + (self.temperature_c - settled_c) * decay
