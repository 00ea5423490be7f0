"""A load behind its switch is a boiler that takes its power while on, or a heated room.

A relay goes off by itself when nobody commands it any more. A thermostat heats by itself, to the
temperature that it is told to keep.
"""

import math
from collections.abc import Iterator

from holdfast.core.commands import Point, Write
from holdfast.core.config.device import Device
from holdfast.core.config.loads import HeatedRoom
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.profile import load_profile
from holdfast.simulation.plant.reporting import Reporter

_S_PER_H = 3600.0
_HYSTERESIS_K = 0.2
"""A thermostat heats from this far below its setpoint up to it."""
_TIME_EPS_S = 1e-9
"""Sums of steps are compared with deadlines; less than this is rounding."""


class MeteredLoadPlant:
    """A load that somebody else steers, behind a meter of its own."""

    def __init__(self, name: str, meter: Device) -> None:
        self.name = name
        self.power_w = 0.0
        """It is set from outside."""
        self._reporter = Reporter(load_profile(meter.profile).of(Role.LOAD_METER))

    def values(self) -> dict[Signal, float]:
        """Returns what the meter measures, unrounded."""
        return {Signal.LOAD_POWER_W: self.power_w}

    def apply(self, write: Write) -> None:
        """Raises ValueError: a meter takes nothing."""
        raise ValueError(f"{self.name}/{write.role} has no point {write.point}")

    def stored(self, point: Point) -> float:
        """Raises KeyError, as well."""
        raise KeyError(point)

    def samples(self) -> Iterator[tuple[Role, str, Signal, float]]:
        """Yields what the meter tells, by its profile."""
        for signal, value in self._reporter.report(self.values()):
            yield Role.LOAD_METER, self.name, signal, value


class LoadPlant:
    """A load has its switch. Its air is as warm as outdoors, but for a room's."""

    def __init__(
        self,
        name: str,
        switch: Device,
        *,
        power_w: float,
        outdoor_c: float,
        room: HeatedRoom | None = None,
    ) -> None:
        """Takes ``power_w`` while it is on. A room begins at the lower end of its comfort."""
        profile = load_profile(switch.profile)
        self.name = name
        self.on = False
        """It is the relay; of a thermostat it tells whether it heats."""
        self.revert_s = 0.0
        """In this register 0 means never."""
        self.setpoint_c = 0.0
        """A thermostat has this register."""
        self.power_w = 0.0
        """It is taken over the last step."""
        self.energy_wh = 0.0
        self.temperature_c = outdoor_c if room is None else room.comfort[-1].low_c
        self._rated_w = power_w
        self._room = room
        self._points = profile.points
        self._by_itself = Point.LOAD_ON not in profile.points
        self._reporter = Reporter(profile)
        self._time_s = self._commanded_s = 0.0

    def asks_w(self, dt_s: float) -> float:
        """Lets ``dt_s`` pass at the switch; returns the power in W that the load asks for then."""
        self._time_s += dt_s
        if self._by_itself:
            below_c = self.setpoint_c if self.on else self.setpoint_c - _HYSTERESIS_K
            self.on = self.temperature_c < below_c
        elif self.revert_s and self._time_s + _TIME_EPS_S >= self._commanded_s + self.revert_s:
            self.on = False
        return self._rated_w if self.on else 0.0

    def be_silent(self, seconds: float) -> None:
        """Acts as if nobody had commanded the switch for so much longer."""
        self._commanded_s -= seconds

    def take(self, power_w: float, dt_s: float, outdoor_c: float) -> None:
        """``power_w`` flows for ``dt_s``: as much as was asked for, or 0 W in the dark."""
        self.power_w = power_w
        self.energy_wh += power_w * dt_s / _S_PER_H
        if self._room is None:
            self.temperature_c = outdoor_c
            return
        room = self._room
        settled_c = outdoor_c + power_w * room.heat_per_power / room.loss_w_per_k
        decay = math.exp(-dt_s / _S_PER_H * room.loss_w_per_k / room.capacity_wh_per_k)
        self.temperature_c = settled_c + (self.temperature_c - settled_c) * decay

    def apply(self, write: Write) -> None:
        """Carries out a write as the device's register does. Raises ValueError as it refuses."""
        row = self._points.get(write.point)
        if row is None or write.role is not Role.LOAD_SWITCH:
            raise ValueError(f"{self.name}/{write.role} has no point {write.point}")
        value = row.kept(write.value)
        self._commanded_s = self._time_s
        match write.point:
            case Point.LOAD_ON:
                self.on = value != 0.0
            case Point.LOAD_REVERT_S:
                self.revert_s = value
            case Point.ROOM_SETPOINT_C:
                self.setpoint_c = value

    def stored(self, point: Point) -> float:
        """Returns what the register of ``point`` holds."""
        return {
            Point.LOAD_ON: float(self.on),
            Point.LOAD_REVERT_S: self.revert_s,
            Point.ROOM_SETPOINT_C: self.setpoint_c,
        }[point]

    def values(self) -> dict[Signal, float]:
        """Returns every signal of a load, unrounded, whether or not its device tells it."""
        return {
            Signal.LOAD_ON: float(self.on),
            Signal.LOAD_REVERT_READBACK_S: self.revert_s,
            Signal.ROOM_TEMPERATURE_C: self.temperature_c,
            Signal.ROOM_SETPOINT_READBACK_C: self.setpoint_c,
        }

    def samples(self) -> Iterator[tuple[Role, str, Signal, float]]:
        """Yields what the switch tells, by its profile."""
        for signal, value in self._reporter.report(self.values()):
            yield Role.LOAD_SWITCH, self.name, signal, value
