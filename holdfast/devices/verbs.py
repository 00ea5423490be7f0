"""Verbs say how a device is told what to do that takes no single signed setpoint.

To charge, to discharge and to stand idle are each a list of writes. What the device shows is read
by the same lists: the verb whose writes it holds, and their power.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.register_image import LastShown, RawImage, WriteRequest
from holdfast.devices.stepped_write import (
    SteppedWrite,
    Steps,
    are_apart,
    check_joined,
    power_in,
    shows,
)
from holdfast.devices.verb_step import POWERS, Verb, VerbStep


class VerbWrite(SteppedWrite):
    """Describes a setpoint that is told in verbs."""

    point: Literal[Point.SETPOINT_W]
    readback: Literal[Signal.SETPOINT_READBACK_W]
    verbs: Mapping[Verb, Steps]
    step: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    step_of_rated: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The same as a share of the larger of the unit's rated powers: 0.02 where the device takes
    whole percents, and does nothing at one."""
    whole: bool = False
    """It is told to charge or to discharge, and does so with all that it is rated for."""
    _whole_w: tuple[float, float] | None = PrivateAttr(None)
    """It charges and discharges with so much, in W. None: it takes a power, or no unit is known."""

    @model_validator(mode="after")
    def _can_do_what_is_asked(self) -> Self:
        lacking = [verb for verb in _NEEDED if verb not in self.verbs]
        if lacking:
            raise ValueError(f"verbs: {' and '.join(lacking)} must be told, too")
        for verb, steps in self.verbs.items():
            powers = [step for step in steps if step.value in POWERS]
            right = (0,) if self.whole else _TAKES[verb]
            if len(powers) not in right:
                wanted = " or ".join(map(str, right))
                raise ValueError(f"verbs: {verb} has {len(powers)} powers; {wanted} would be right")
            check_joined(f"verbs: {verb}", steps)
        _check_told_apart(self.verbs, by_power=not self.whole)
        return self

    @property
    def lists(self) -> Iterable[tuple[VerbStep, ...]]:
        """Returns what each verb writes."""
        return self.verbs.values()

    @property
    def signal(self) -> Signal:
        """Returns the signal that shows what the device holds."""
        return self.readback

    @property
    def resolution(self) -> float:
        """Returns the coarsest step between two powers, in W."""
        if self._whole_w is not None:
            return min(self._whole_w)
        return max((step.resolution for step in self._steps() if step.value in POWERS), default=0.0)

    @property
    def whole_w(self) -> tuple[float, float] | None:
        """Returns what it charges and discharges with where it takes no power, in W."""
        return self._whole_w

    def kept(self, value: float) -> float:
        """Returns what the device keeps of a power in W: of its steps, never more."""
        step_w = max(self.resolution, self.step)
        return PointTraits(step=step_w, whole_w=self._whole_w).kept(value)

    def bound(self, *, charge_w: float, discharge_w: float, revert_s: float) -> Self:
        """Returns it for one unit: with its rated powers, and its revert timer."""
        # One that idles at its AC side gives what PV gives, as if it discharged.
        verbs = {
            verb: tuple(
                _bound(step, charge_w if verb is Verb.CHARGE else discharge_w) for step in steps
            )
            for verb, steps in self.verbs.items()
        }
        step_w = max(self.step, self.step_of_rated * max(charge_w, discharge_w))
        bound = self.model_copy(update={"verbs": verbs, "step": step_w})
        bound._revert_s = revert_s  # noqa: SLF001 - a copy of this
        bound._whole_w = (charge_w, discharge_w) if self.whole else None  # noqa: SLF001 - as well
        return bound

    def requests(self, value: float, held: LastShown) -> tuple[WriteRequest, ...]:
        """Returns what is to be sent for ``value`` in W, as :meth:`requests_of`."""
        if not math.isfinite(value):
            raise ValueError(f"{value} cannot be written")
        if self.whole and self._whole_w is None:
            raise ValueError("its rated powers are not known: the table stands for no unit")
        told = self.kept(value) if self.whole else value
        return self.requests_of(self.verbs[_verb_for(told)], told, held)

    def release(self, held: LastShown) -> tuple[WriteRequest, ...]:
        """Returns what gives the device back to its own rule, as :meth:`requests_of`."""
        return self.requests_of(self.verbs[Verb.RELEASE], 0.0, held)

    def is_released(self, image: RawImage) -> bool:
        """Says whether ``image`` shows that the device keeps its own rule."""
        return shows(self.verbs[Verb.RELEASE], image)

    def value(self, image: RawImage, pv_w: float = 0.0) -> float:
        """Returns the power in W that a device holds which shows ``image``; its AC side was told
        when PV gave ``pv_w``.

        NaN: what it holds is none of the verbs, or its own rule.
        """
        for verb, steps in self.verbs.items():
            power_w = power_in(steps, image, pv_w)
            if power_w is not None and _may_show(verb, power_w):
                return self._shown_w(verb, power_w)
        return math.nan

    def _shown_w(self, verb: Verb, power_w: float) -> float:
        """Returns the power of a verb that is in force; NaN where nobody knows it."""
        match verb:
            case Verb.RELEASE:
                return math.nan
            case Verb.CHARGE if self.whole:
                return math.nan if self._whole_w is None else self._whole_w[0]
            case Verb.DISCHARGE if self.whole:
                return math.nan if self._whole_w is None else -self._whole_w[1]
            case _:
                return power_w


_NEEDED = (Verb.CHARGE, Verb.DISCHARGE, Verb.IDLE)
_TAKES = {
    Verb.CHARGE: (1, 2, 3),
    Verb.DISCHARGE: (1, 2, 3),
    Verb.IDLE: (0, 1, 2, 3),
    Verb.RELEASE: (0,),
}
"""How many powers a verb may have: one that idles at its AC side is told what PV gives. Two are
the ends of a window, three the phases, each telling the whole; they have to be one."""


def _verb_for(power_w: float) -> Verb:
    if power_w > 0.0:
        return Verb.CHARGE
    return Verb.DISCHARGE if power_w < 0.0 else Verb.IDLE


def _may_show(verb: Verb, power_w: float) -> bool:
    """Says whether a device that was told ``verb`` can show this power."""
    match verb:
        case Verb.CHARGE:
            return power_w >= 0.0
        case Verb.DISCHARGE:
            return power_w <= 0.0
        case _:
            return True


def _bound(step: VerbStep, rated_w: float) -> VerbStep:
    if not step.of_rated:
        return step
    bound = step.model_copy(update={"scale": step.scale * rated_w, "of_rated": False})
    bound._rated_w = rated_w  # noqa: SLF001 - a copy of this
    return bound


def _check_told_apart(verbs: Mapping[Verb, tuple[VerbStep, ...]], *, by_power: bool) -> None:
    """Refuses verbs that look the same: what the device does could not be read."""
    for verb, steps in verbs.items():
        for other, others in verbs.items():
            # Charging and discharging with one signed register are told apart by it, and idle is
            # 0 W. Release, which comes last by its name, has no power.
            is_by_power = by_power and other is not Verb.RELEASE
            if verb < other and not (is_by_power or are_apart(steps, others)):
                raise ValueError(f"verbs: a device that shows {verb} shows {other} as well")
