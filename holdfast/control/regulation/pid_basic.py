"""A PID controller with a dead band and anti-windup. It holds no state."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PidGains:
    """Tells how strongly an error acts: at once, in time, and by how fast the measured moves."""

    proportional: float
    integral_per_s: float
    derivative_s: float
    dead_band: float
    """A smaller error is none."""
    limit: float
    """The output is never beyond it, to either side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PidMemory:
    """Holds what one step hands to the next."""

    integral: float = 0.0
    measured: float | None = None
    """At the step before; None: there was none."""


def pid(
    gains: PidGains,
    memory: PidMemory,
    *,
    error: float,
    measured: float,
    dt_s: float,
    holds: bool = False,
) -> tuple[float, PidMemory]:
    """Returns the output and the memory for the next step.

    The integral goes no further than the output may: what is at its limit does not wind up. While
    ``holds`` it stays as it is, for then the error is not what this output has caused. The
    derivative is that of what is measured: a new target is no blow.
    """
    if abs(error) <= gains.dead_band:
        error = 0.0
    integral = memory.integral
    if not holds:
        integral = _within(integral + gains.integral_per_s * error * dt_s, gains.limit)
    moves = 0.0
    if memory.measured is not None and dt_s > 0.0 and error:
        moves = (measured - memory.measured) / dt_s
    output = integral + gains.proportional * error - gains.derivative_s * moves
    return _within(output, gains.limit), PidMemory(integral=integral, measured=measured)


def _within(value: float, limit: float) -> float:
    """Returns ``value`` as far as ``limit`` lets it to either side; NaN becomes ``limit``'s end."""
    return max(-limit, min(limit, value))
