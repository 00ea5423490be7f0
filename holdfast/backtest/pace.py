"""Steps are variable: short while something moves, long while nothing does.

Within an interval of the data, load and PV stand still. After each change the cycle runs each
second until setpoint and measurement agree; then plant and cycle take long steps. Near a
limit of the state of charge, and where a curve or a limit holds the power back, the steps are
short enough for the limit to act. The cycle is always told the true time.
"""

from dataclasses import dataclass

from holdfast.control.cycle import CycleRecord
from holdfast.control.regulation.zero_crossing import MISSED_S
from holdfast.core.config import StorageUnit
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_S
from holdfast.safety.bounds import site_power
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant.storage import StoragePlant

LONGEST_S = 900.0
"""A quarter hour: by then there is a new plan."""
SHORT_S = 1.0
TOLERATED_S = LONGEST_S + 2.0 * SHORT_S
"""The simulation has to be told of it: the last step may take over what is left."""
_RISING_S = 5.0
"""It holds while a limit rises by 5 % a second: five of these see it through."""
_CURVE_S = 50.0
"""It holds while a curve limits power; limits do not rise over 60 s gaps (``safety.rising``)."""
_SAME_W = 12.0
"""Setpoints this close are one: the inverter's register is kept within 10 W."""
_STILL = 3
"""So many short steps without a change: what the batteries did has come round through the meter."""
_KNEE_PCT = (5.0, 95.0)
"""Outside, batteries' own limits of current fall with the charge."""
_NEAR_PCT, _FINE_PCT = 1.0, 0.1
"""This near to a limit a step moves the charge by so much: a tenth of what many a BMS shows."""
_STANDING = frozenset(
    {"site.yaml", "soc_high", "soc_low", "grid_connection", "main_fuse", "authority_limited",
     "authority_observe", "battery_current_max", "mode_charge_only", "mode_passive"}
)  # fmt: skip
"""These ends of an envelope do not move while load and PV stand still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Way:
    """Tells how far a unit's charge may go, and how fast it does."""

    rate_pct_per_s: float
    """It is + charging."""
    soc_pct: float
    near_pct: float
    """From here on in the direction of the rate, a limit is near."""


class Pace:
    """Runs a simulation up to a time in as few steps as that takes."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._last_w: dict[str, float] = {}
        self._still = 0

    def run(self, span_s: float) -> None:
        """Lets ``span_s`` go by; it begins with a change of load, PV or plan."""
        simulation = self._simulation
        end_ns = simulation.now_ns + round(span_s * NS_PER_S)
        next_s, self._still = SHORT_S, 0
        while (rest_ns := end_ns - simulation.now_ns) > 0:
            rest_s = rest_ns / NS_PER_S
            # Nothing shorter than a short step is left over.
            step_s = rest_s if rest_s < next_s + SHORT_S else next_s
            next_s = self._next_s(simulation.step(step_s=step_s))

    def _next_s(self, record: CycleRecord) -> float:
        now_w = {unit: setpoint.power_w for unit, setpoint in record.setpoints.items()}
        last_w, self._last_w = self._last_w, now_w
        if record.moved.state is not State.RUNNING:
            return _CURVE_S
        moves = any(abs(now_w[unit] - last_w.get(unit, 0.0)) > _SAME_W for unit in now_w)
        self._still = 0 if moves else self._still + 1
        if self._still < _STILL:
            return SHORT_S
        simulation = self._simulation
        longest_s = min(
            _tolerated_s(_way(unit, simulation.plant.units[unit.name]))
            for unit in simulation.site.storage
        )
        held_s = min(_held_back_s(record, sum(now_w.values())), self._turning_s())
        return max(SHORT_S, min(longest_s, held_s))

    def _turning_s(self) -> float:
        """Tells in s when a change of direction that dwells at 0 W is over."""
        memory, site = self._simulation.state.modes.regulation, self._simulation.site
        wanted_w, zero = memory.follow.taken_w, memory.zero
        if not memory.is_regulating or not wanted_w * zero.way < 0.0:
            return LONGEST_S
        left_ws = MISSED_S * site_power(site) - zero.missed_ws
        return max(left_ws / abs(wanted_w), 0.0)


def _held_back_s(record: CycleRecord, power_w: float) -> float:
    """Tells in s how long what holds the power back may go unseen."""
    asked_w = record.request.power_w
    if abs(asked_w - power_w) <= _SAME_W * len(record.permits):
        return LONGEST_S
    ends = {
        permit.envelope.max_by if asked_w > 0.0 else permit.envelope.min_by
        for permit in record.permits.values()
    }
    if "rises_slowly" in ends:
        return _RISING_S
    ramps = any(abs(s.permitted_w - s.power_w) > _SAME_W for s in record.setpoints.values())
    if ramps:
        return SHORT_S
    return LONGEST_S if ends <= _STANDING else _CURVE_S


def _way(config: StorageUnit, plant: StoragePlant) -> _Way:
    cells = plant.cells
    rate = 100.0 * cells.current_a / (cells.capacity_ah * 3600.0)
    low, high = _KNEE_PCT
    operation = config.operation
    near = (
        min(operation.soc_max_pct, high) - _NEAR_PCT
        if rate > 0.0
        else max(operation.soc_min_pct, low) + _NEAR_PCT
    )
    return _Way(rate_pct_per_s=rate, soc_pct=plant.bms.soc_pct, near_pct=near)


def _tolerated_s(way: _Way) -> float:
    """Tells in s how long the present power may go on before somebody has to look again."""
    rate = way.rate_pct_per_s
    if rate == 0.0:
        return LONGEST_S
    to_near_s = (way.near_pct - way.soc_pct) / rate
    return min(LONGEST_S, max(to_near_s, _FINE_PCT / abs(rate)))
