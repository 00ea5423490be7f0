"""A command may be a list of writes, in the order in which they are safe.

After any part of a list the device is within what it was permitted, or reverts by itself. What it
shows is read by the same lists: the one whose constants it holds.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Self

from pydantic import Field, PrivateAttr

from holdfast.core.signals import Signal
from holdfast.devices.register_image import LastShown, Place, RawImage, WriteRequest
from holdfast.devices.registers import TableRow
from holdfast.devices.verb_step import POWERS, RESTS_ON, VerbStep

_HAIR = 1e-9
Steps = Annotated[tuple[VerbStep, ...], Field(min_length=1)]


class SteppedWrite(TableRow, ABC):
    """Describes a point that is told in lists of writes, one list for each thing to tell."""

    writes_per_day: Annotated[int, Field(ge=1)] | None = None
    refresh_s: Annotated[float, Field(gt=0, le=60)] | None = None
    _revert_s: float | None = PrivateAttr(None)

    @property
    @abstractmethod
    def lists(self) -> Iterable[tuple[VerbStep, ...]]:
        """Returns the lists."""

    def bound(self, *, charge_w: float, discharge_w: float, revert_s: float) -> Self:  # noqa: ARG002 - verbs need them
        """Returns it for one unit: with its revert timer."""
        bound = self.model_copy()
        bound._revert_s = revert_s  # noqa: SLF001 - a copy of this
        return bound

    @property
    def places(self) -> frozenset[Place]:
        """Returns every register that is written."""
        return frozenset(place for step in self._steps() for place in step.places)

    @property
    def runs(self) -> tuple[tuple[Place, ...], ...]:
        """Returns the registers that have to be read to see what the device does."""
        return (*(step.run for step in self._steps() if step.shown), *self.basis)

    @property
    def basis(self) -> tuple[tuple[Place, ...], ...]:
        """Returns the registers that have to be known before a command can be coded."""
        return tuple(run for step in self._steps() for run in step.basis)

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

    def requests_of(
        self, steps: tuple[VerbStep, ...], value: float, held: LastShown
    ) -> tuple[WriteRequest, ...]:
        """Returns what is to be sent for ``steps`` with ``value``, in order.

        What is stored is left out where ``held`` shows it already. Raises ValueError for a value
        that cannot be coded, and where a step needs what is not known.
        """
        together: list[list[VerbStep]] = []
        for step in steps:
            if step.joined:
                together[-1].append(step)
            else:
                together.append([step])
        found = (self._request(steps, value, held) for steps in together)
        return tuple(request for request in found if request is not None)

    def _request(self, steps: list[VerbStep], value: float, held: LastShown) -> WriteRequest | None:
        """Returns one request for steps that go out together; None where all of it is there."""
        words = [step.words_of(self._value_of(step, value, held), held.image) for step in steps]
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

    def _value_of(self, step: VerbStep, value: float, held: LastShown) -> float:
        match step.value:
            case float(number):
                return number
            case "power":
                return value
            case "ac_power":
                return _at_ac_side(value, _told(Signal.PV_POWER_W, held), step.resolution)
            case "soc":
                return _told(Signal.SOC_PCT, held)
            case _ if self._revert_s is None:
                raise ValueError("the revert timer is not known: the table stands for no unit")
            case _:
                return self._revert_s

    def _steps(self) -> Iterator[VerbStep]:
        for steps in self.lists:
            yield from steps


def power_in(steps: tuple[VerbStep, ...], image: RawImage, pv_w: float) -> float | None:
    """Returns the power in W that these steps have left in ``image``, 0 W if they have none; None
    if they are not there. The AC side was told at ``pv_w``."""
    powers_w: set[float] = set()
    for step in _lasting(steps):
        if isinstance(step.value, float):
            if not step.holds(image, step.words_of(step.value)):
                return None
        elif step.value in POWERS:
            if not image.keys() >= set(step.places):
                return None
            powers_w.add(_shown_w(step, image, pv_w))
    # Between two ends that differ the device has a will of its own.
    return None if len(powers_w) > 1 else sum(powers_w, 0.0)


def constants_of(steps: tuple[VerbStep, ...]) -> Mapping[Place, int]:
    """Returns the words that these steps leave, whatever is told with them."""
    return {
        place: word
        for step in _lasting(steps)
        if isinstance(step.value, float)
        for place, word in zip(step.places, step.words_of(step.value), strict=True)
    }


def shows(steps: tuple[VerbStep, ...], image: RawImage) -> bool:
    """Says whether ``image`` shows what these steps leave, whatever is told with them."""
    return all(image.get(place) == word for place, word in constants_of(steps).items())


def are_apart(steps: tuple[VerbStep, ...], others: tuple[VerbStep, ...]) -> bool:
    """Says whether a device shows which of two lists it was told."""
    mine, theirs = constants_of(steps), constants_of(others)
    return any(mine[place] != theirs[place] for place in mine.keys() & theirs.keys())


def check_joined(name: str, steps: tuple[VerbStep, ...]) -> None:
    """Raises ValueError for what is to go out with a step that it does not follow."""
    for index, step in enumerate(steps):
        if not step.joined:
            continue
        before = steps[index - 1] if index else None
        place = (step.device_id, step.table, step.address - 1)
        if before is None or before.function != "multiple" or before.places[-1] != place:
            raise ValueError(
                f"{name}: what is joined at {step.address} follows no register of "
                "function: multiple"
            )


def _lasting(steps: tuple[VerbStep, ...]) -> Iterator[VerbStep]:
    """Yields the steps that can be known afterwards: a later one may write the same register."""
    blind = not any(step.shown for step in steps)
    for index, step in enumerate(steps):
        later = {place for other in steps[index + 1 :] for place in other.places}
        if (step.shown or blind) and not later.intersection(step.places):
            yield step


def _at_ac_side(power_w: float, pv_w: float, grain_w: float) -> float:
    """Returns what is to flow at the AC side, in steps of ``grain_w``: the battery never does more
    than was permitted, though what PV gives is no multiple of them."""
    if grain_w == 0.0:
        return power_w - pv_w
    steps = (power_w - pv_w) / grain_w
    # Of a multiple a hair may be missing.
    return grain_w * (math.floor(steps + _HAIR) if power_w > 0.0 else math.ceil(steps - _HAIR))


def _shown_w(step: VerbStep, image: RawImage, pv_w: float) -> float:
    """Returns the battery power that a step has left in ``image``. Of 0 W less than one step may be
    left, for what PV gave was no multiple of it."""
    if step.value != "ac_power":
        return step.value_in(image)
    power_w = step.value_in(image) + pv_w
    return 0.0 if abs(power_w) < step.resolution else power_w


def _told(signal: Signal, held: LastShown) -> float:
    if signal not in held.told:
        raise ValueError(f"{signal} is not known, on which this command rests")
    return held.told[signal]
