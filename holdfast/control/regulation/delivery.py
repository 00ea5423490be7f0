"""What a device makes of what it is asked is corrected: too little, too much, or beside it.

While the device may still be on its way from one power to another, whatever lies between is right.
Beyond that a PID corrects the small errors, which an offset of some watts leaves; and an error that
is too large for it is taken for a wrong gain, which holds at any power. A device that does not
answer to more is at a limit of its own: then nothing is added, or it would all come at once when
the limit goes.
"""

from dataclasses import dataclass, field, replace

from holdfast.control.regulation.pid_basic import PidGains, PidMemory, pid
from holdfast.core.units import NS_PER_S, ns_from_s
from holdfast.safety.power_past import Past, noted, powers_between

DEAD_BAND = 0.001
OFFSET = 0.02
"""Shares of the rated power: a smaller error is none, and the most that the PID corrects."""
LEAST = 0.05
"""Below this share of the rated power no gain is learned."""
PROPORTIONAL = 0.2
INTEGRAL = 0.8
DERIVATIVE = 0.02
"""Per response time of the device; the derivative times it."""
GAIN = 0.8
"""Per response time: so much of a wrong gain is corrected."""
LEAST_FACTOR, MOST_FACTOR = 0.5, 2.0
"""A device may be wrong by half of what it is asked."""
ANSWERS = 0.2, 0.06
"""When the factor has moved by so much the share delivered must have moved by that."""
RESTS_NS = 60 * NS_PER_S
"""A device that did not answer is left alone for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryMemory:
    """Holds what was wanted lately and what is known of the device."""

    wanted: Past = ()
    pid: PidMemory = field(default_factory=PidMemory)
    factor: float = 1.0
    """What is wanted is multiplied by it."""
    tried: tuple[float, float] | None = None
    """Factor, and share delivered, where the present attempt to correct it began."""
    rests_until_ns: int = 0
    at_limit: bool = False


class DeliveryGain:
    """Corrects what is asked of all units together. Holds no state."""

    def __init__(self, *, rated_w: float, response_s: float, coarse_w: float = 0.0) -> None:
        self._rated_w = rated_w
        self._response_s = response_s
        self._response_ns = ns_from_s(response_s)
        self._gains = PidGains(
            proportional=PROPORTIONAL,
            integral_per_s=INTEGRAL / response_s,
            derivative_s=DERIVATIVE * response_s,
            dead_band=max(DEAD_BAND * rated_w, coarse_w),
            limit=OFFSET * rated_w,
        )

    def correct(
        self,
        wanted_w: float,
        measured_w: float | None,
        memory: DeliveryMemory,
        *,
        now_ns: int,
        dt_s: float,
        is_limited: bool,
    ) -> tuple[float, DeliveryMemory]:
        """Returns what to ask so that ``wanted_w`` is delivered, and the memory.

        ``is_limited`` says that less was permitted or reached than was asked: then what is measured
        tells nothing of the device.
        """
        if measured_w is None:
            return wanted_w * memory.factor, replace(memory, wanted=())
        if is_limited or not memory.wanted:
            wanted: Past = ((now_ns - 1, measured_w),)
        else:
            wanted = memory.wanted
        wanted = noted(wanted, now_ns, wanted_w, self._response_ns)
        low_w, high_w = powers_between(wanted, now_ns - self._response_ns, now_ns)
        error_w = wanted_w - measured_w if high_w - low_w <= self._gains.dead_band else 0.0
        if not low_w <= measured_w <= high_w:
            error_w = low_w - measured_w if measured_w < low_w else high_w - measured_w
        offset_w, of_pid = pid(
            self._gains,
            memory.pid,
            error=error_w,
            measured=measured_w,
            # An error that was seen once is not known to have lasted for a long step.
            dt_s=min(dt_s, self._response_s),
            holds=is_limited or wanted_w == 0.0,
        )
        memory = replace(memory, wanted=wanted, pid=of_pid)
        rests = high_w - low_w <= self._gains.limit
        if rests and of_pid.integral * error_w > 0.0 and abs(of_pid.integral) >= self._gains.limit:
            memory = self._learned(error_w, wanted_w, measured_w, memory, now_ns, dt_s)
        elif abs(error_w) <= self._gains.dead_band:
            memory = replace(memory, tried=None, at_limit=now_ns < memory.rests_until_ns)
        asked_w = wanted_w * memory.factor + offset_w
        return (asked_w if asked_w * wanted_w > 0.0 else 0.0), memory

    def _learned(
        self,
        error_w: float,
        wanted_w: float,
        measured_w: float,
        memory: DeliveryMemory,
        now_ns: int,
        dt_s: float,
    ) -> DeliveryMemory:
        """Returns the memory with another factor; with the former if the device did not answer."""
        if abs(wanted_w) < LEAST * self._rated_w or now_ns < memory.rests_until_ns:
            return memory
        tried = memory.tried
        share = measured_w / wanted_w
        if tried is None:
            tried = (memory.factor, share)
        step = GAIN * error_w / wanted_w * min(dt_s / self._response_s, 1.0)
        factor = max(LEAST_FACTOR, min(MOST_FACTOR, memory.factor + step))
        if abs(factor - tried[0]) >= ANSWERS[0]:
            if abs(share - tried[1]) < ANSWERS[1]:
                return replace(
                    memory,
                    factor=tried[0],
                    pid=replace(memory.pid, integral=0.0),
                    tried=None,
                    rests_until_ns=now_ns + RESTS_NS,
                    at_limit=True,
                )
            tried = (factor, share)
        return replace(memory, factor=factor, tried=tried)
