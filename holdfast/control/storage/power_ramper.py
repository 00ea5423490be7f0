"""The power ramper moves away from 0 W slowly, towards 0 W at once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.core.config import Site
from holdfast.safety.permit import Permit

MAX_STEP_S = 1.0
"""A cycle that came late does not get to jump further than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setpoint:
    """Tells what one unit is to do, and what it was asked before the layers narrowed it."""

    unit: str
    asked_w: float
    permitted_w: float
    """Tells what the permit leaves of it."""
    power_w: float
    """Tells what the ramp has reached: this is commanded."""


class PowerRamper:
    """Limits how fast a setpoint leaves zero. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._ramp_w_per_s: Mapping[str, float] = {
            unit.name: unit.operation.ramp_w_per_s for unit in site.storage
        }

    def approach(
        self, last_w: float, asked_w: float, permit: Permit, dt_s: float, *, urgent: bool = False
    ) -> Setpoint:
        """Returns the next setpoint from ``last_w`` to ``asked_w``, always inside the permit.

        What is ``urgent`` keeps a limit at the meter, and goes there in one step.
        """
        permitted_w = permit.envelope.clamp(asked_w)
        step_w = self._ramp_w_per_s[permit.unit] * min(max(dt_s, 0.0), MAX_STEP_S)
        if urgent and dt_s > 0.0:
            step_w = math.inf
        if not (permit.may_increase and math.isfinite(dt_s)):
            step_w = 0.0
        # Reversing means going to zero at once and leaving it slowly on the other side.
        start_w = last_w if last_w * permitted_w > 0.0 else 0.0
        if abs(permitted_w) > abs(start_w) + step_w:
            power_w = start_w + step_w if permitted_w > 0.0 else start_w - step_w
        else:
            power_w = permitted_w
        return Setpoint(
            unit=permit.unit,
            asked_w=asked_w,
            permitted_w=permitted_w,
            power_w=permit.envelope.clamp(power_w),
        )
