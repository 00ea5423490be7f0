"""Verbs say how a device is told what to do that takes no single signed setpoint.

To charge, to discharge and to stand idle are each a list of writes, in the order in which they are
safe: after any part of a list the device is within what it was permitted, or reverts by itself.
What the device shows is read by the same lists: the verb whose writes it holds, and their power.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from holdfast.core.commands import Point
from holdfast.core.signals import Signal
from holdfast.devices.register_image import LastShown, Place, RawImage, WriteRequest
from holdfast.devices.registers import TableRow, towards_zero
from holdfast.devices.verb_step import POWERS, RESTS_ON, Verb, VerbStep

Steps = Annotated[tuple[VerbStep, ...], Field(min_length=1)]


class VerbWrite(TableRow):
    """Describes a setpoint that is told in verbs."""

    point: Literal[Point.SETPOINT_W]
    readback: Literal[Signal.SETPOINT_READBACK_W]
    verbs: Mapping[Verb, Steps]
    step: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    step_of_rated: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The same as a share of the larger of the unit's rated powers: 0.02 where the device takes
    whole percents, and does nothing at one."""
    writes_per_day: Annotated[int, Field(ge=1)] | None = None
    refresh_s: Annotated[float, Field(gt=0, le=60)] | None = None
    _revert_s: float | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _can_do_what_is_asked(self) -> Self:
        lacking = [verb for verb in _NEEDED if verb not in self.verbs]
        if lacking:
            raise ValueError(f"verbs: {' and '.join(lacking)} must be told, too")
        for verb, steps in self.verbs.items():
            powers = [step for step in steps if step.value in POWERS]
            right = _TAKES[verb]
            if len(powers) not in right:
                wanted = " or ".join(map(str, right))
                raise ValueError(f"verbs: {verb} has {len(powers)} powers; {wanted} would be right")
            _check_joined(verb, steps)
        _check_told_apart(self.verbs)
        return self

    @property
    def signal(self) -> Signal:
        """Returns the signal that shows what the device holds."""
        return self.readback

    @property
    def resolution(self) -> float:
        """Returns the coarsest step between two powers, in W."""
        return max(step.resolution for step in self._steps() if step.value in POWERS)

    @property
    def places(self) -> frozenset[Place]:
        """Returns every register that a verb writes."""
        return frozenset(place for step in self._steps() for place in step.places)

    @property
    def runs(self) -> tuple[tuple[Place, ...], ...]:
        """Returns the registers that have to be read to see what the device does."""
        return (*(step.run for step in self._steps() if step.shown), *self.basis)

    @property
    def basis(self) -> tuple[tuple[Place, ...], ...]:
        """Returns the registers that have to be known before a command can be coded."""
        return tuple(run for step in self._steps() for run in step.basis)

    def kept(self, value: float) -> float:
        """Returns what the device keeps of a power in W: of its steps, never more."""
        grain_w = self.resolution or self.step
        return towards_zero(value / grain_w) * grain_w if grain_w else value

    @property
    def sets_timer(self) -> bool:
        """Says whether the revert timer goes out with each command."""
        return any(step.value == "timeout" for step in self._steps())

    @property
    def rests_on(self) -> frozenset[Signal]:
        """Returns what the device has to have told before it can be commanded."""
        return frozenset(
            RESTS_ON[step.value]
            for step in self._steps()
            if isinstance(step.value, str) and step.value in RESTS_ON
        )

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
        return bound

    def requests(self, value: float, held: LastShown) -> tuple[WriteRequest, ...]:
        """Returns what is to be sent for ``value`` in W, in order.

        What is stored is left out where ``held`` shows it already. Raises ValueError for a value
        that cannot be coded, and where a step needs a state of charge that is not known.
        """
        return self.requests_of(_verb_for(value), value, held)

    def requests_of(self, verb: Verb, value: float, held: LastShown) -> tuple[WriteRequest, ...]:
        """Returns what is to be sent for ``verb``, as :meth:`requests`."""
        together: list[list[VerbStep]] = []
        for step in self.verbs[verb]:
            if step.joined:
                together[-1].append(step)
            else:
                together.append([step])
        found = (self._request(steps, value, held) for steps in together)
        return tuple(request for request in found if request is not None)

    def value(self, image: RawImage, pv_w: float = 0.0) -> float:
        """Returns the power in W that a device holds which shows ``image``; its AC side was told
        when PV gave ``pv_w``.

        NaN: what it holds is none of the verbs, or its own rule.
        """
        for verb, steps in self.verbs.items():
            power_w = _power_in(steps, image, pv_w)
            if power_w is not None and _may_show(verb, power_w):
                return math.nan if verb is Verb.RELEASE else power_w
        return math.nan

    def _request(
        self, steps: list[VerbStep], power_w: float, held: LastShown
    ) -> WriteRequest | None:
        """Returns one request for steps that go out together; None where all of it is there."""
        if not math.isfinite(power_w):
            raise ValueError(f"{power_w} cannot be written")
        words = [step.words_of(self._value_of(step, power_w, held), held.image) for step in steps]
        if all(
            step.stored and step.holds(held.image, held_words)
            for step, held_words in zip(steps, words, strict=True)
        ):
            return None
        first = steps[0]
        return WriteRequest(
            device_id=first.device_id,
            table=first.table,
            address=first.address,
            words=tuple(word for each in words for word in each),
            function=first.function,
        )

    def _value_of(self, step: VerbStep, power_w: float, held: LastShown) -> float:
        match step.value:
            case float(number):
                return number
            case "power":
                return power_w
            case "ac_power":
                return power_w - _told(Signal.PV_POWER_W, held)
            case "soc":
                return _told(Signal.SOC_PCT, held)
            case _ if self._revert_s is None:
                raise ValueError("the revert timer is not known: the table stands for no unit")
            case _:
                return self._revert_s

    def _steps(self) -> Iterator[VerbStep]:
        for steps in self.verbs.values():
            yield from steps


_NEEDED = (Verb.CHARGE, Verb.DISCHARGE, Verb.IDLE)
_WITH_POWER = frozenset({Verb.CHARGE, Verb.DISCHARGE})
_TAKES = {Verb.CHARGE: (1, 2), Verb.DISCHARGE: (1, 2), Verb.IDLE: (0, 1, 2), Verb.RELEASE: (0,)}
"""How many powers a verb may have: one that idles at its AC side is told what PV gives. Two are
the ends of a window, which have to be one."""


def _verb_for(power_w: float) -> Verb:
    """Returns idle for what is no number, too: coding it then fails."""
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


def _told(signal: Signal, held: LastShown) -> float:
    if signal not in held.told:
        raise ValueError(f"{signal} is not known, on which this command rests")
    return held.told[signal]


def _power_in(steps: tuple[VerbStep, ...], image: RawImage, pv_w: float) -> float | None:
    """Returns the power that these steps have left in ``image``; None if they are not there."""
    powers_w: set[float] = set()
    for step in _lasting(steps):
        if isinstance(step.value, float):
            if not step.holds(image, step.words_of(step.value)):
                return None
        elif step.value in POWERS:
            if not image.keys() >= set(step.places):
                return None
            powers_w.add(step.value_in(image) + (pv_w if step.value == "ac_power" else 0.0))
    # Between two ends that differ the device has a will of its own.
    return None if len(powers_w) > 1 else sum(powers_w, 0.0)


def _lasting(steps: tuple[VerbStep, ...]) -> Iterator[VerbStep]:
    """Yields the steps that can be known afterwards: a later one may write the same register."""
    blind = not any(step.shown for step in steps)
    for index, step in enumerate(steps):
        later = {place for other in steps[index + 1 :] for place in other.places}
        if (step.shown or blind) and not later.intersection(step.places):
            yield step


def _check_joined(verb: Verb, steps: tuple[VerbStep, ...]) -> None:
    for index, step in enumerate(steps):
        if not step.joined:
            continue
        before = steps[index - 1] if index else None
        place = (step.device_id, step.table, step.address - 1)
        if before is None or before.function != "multiple" or before.places[-1] != place:
            raise ValueError(
                f"verbs: {verb}: what is joined at {step.address} follows no register of "
                "function: multiple"
            )


def _check_told_apart(verbs: Mapping[Verb, tuple[VerbStep, ...]]) -> None:
    """Refuses verbs that look the same: what the device does could not be read."""
    for verb, steps in verbs.items():
        for other, others in verbs.items():
            if verb < other and not _differ(verb, steps, other, others):
                raise ValueError(f"verbs: a device that shows {verb} shows {other} as well")


def _differ(
    verb: Verb, steps: tuple[VerbStep, ...], other: Verb, others: tuple[VerbStep, ...]
) -> bool:
    mine, theirs = _constants(steps), _constants(others)
    if any(mine[place] != theirs[place] for place in mine.keys() & theirs.keys()):
        return True
    # Charging and discharging with one signed register are told apart by it, and idle is 0 W.
    return {verb, other} & _WITH_POWER != frozenset() and Verb.RELEASE not in {verb, other}


def _constants(steps: tuple[VerbStep, ...]) -> dict[Place, int]:
    return {
        place: word
        for step in _lasting(steps)
        if isinstance(step.value, float)
        for place, word in zip(step.places, step.words_of(step.value), strict=True)
    }
