"""An inverter that is left to a rule of its own is told so in a list of writes for each mode."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.commands import Point
from holdfast.core.device_mode import NO_MODE, DeviceMode, number_of
from holdfast.core.signals import Signal
from holdfast.devices.register_image import LastShown, RawImage, WriteRequest
from holdfast.devices.stepped_write import SteppedWrite, Steps, are_apart, check_joined, shows
from holdfast.devices.verb_step import Verb, VerbStep
from holdfast.devices.verbs import VerbWrite

_MAY_HAVE = frozenset({"timeout"})


class ModeWrite(SteppedWrite):
    """Describes the modes of a device that is told its setpoint in verbs.

    None of them is told by a setpoint, whose verb takes the place of a mode.
    """

    point: Literal[Point.DEVICE_MODE]
    readback: Literal[Signal.DEVICE_MODE]
    modes: Annotated[Mapping[DeviceMode, Steps], Field(min_length=1)]

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        for mode, steps in self.modes.items():
            check_joined(f"modes: {mode}", steps)
            for step in steps:
                if isinstance(step.value, str) and step.value not in _MAY_HAVE:
                    raise ValueError(f"modes: {mode} has {step.value}; a mode is the same always")
        for mode, steps in self.modes.items():
            for other, others in self.modes.items():
                if mode < other and not are_apart(steps, others):
                    raise ValueError(f"modes: a device that shows {mode} shows {other} as well")
        return self

    @property
    def lists(self) -> Iterable[tuple[VerbStep, ...]]:
        """Returns what each mode writes."""
        return self.modes.values()

    @property
    def signal(self) -> Signal:
        """Returns the signal that shows which mode is in force."""
        return self.readback

    @property
    def resolution(self) -> float:
        """Returns the step between two modes."""
        return 1.0

    @property
    def step(self) -> float:
        """Returns the same: each mode is kept."""
        return 0.0

    def kept(self, value: float) -> float:
        """Returns what the device keeps of a mode's number."""
        return value

    def requests(self, value: float, held: LastShown) -> tuple[WriteRequest, ...]:
        """Returns what is to be sent for a mode's number, as :meth:`requests_of`."""
        if value == NO_MODE:
            return ()
        for mode, steps in self.modes.items():
            if number_of(mode) == value:
                return self.requests_of(steps, value, held)
        known = ", ".join(f"{number_of(mode):g} ({mode})" for mode in self.modes)
        raise ValueError(f"mode {value:g} is none of {known}")

    def value(self, image: RawImage) -> float:
        """Returns the number of the mode that a device holds which shows ``image``."""
        held = (mode for mode, steps in self.modes.items() if shows(steps, image))
        return number_of(next(held, None))

    def check_apart_from(self, setpoint: VerbWrite) -> None:
        """Raises ValueError for a mode that looks like a setpoint: nobody could tell them apart."""
        for mode, steps in self.modes.items():
            for verb, others in setpoint.verbs.items():
                if verb is not Verb.RELEASE and not are_apart(steps, others):
                    raise ValueError(f"modes: a device that shows {mode} shows {verb} as well")
