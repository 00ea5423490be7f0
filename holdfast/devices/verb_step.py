"""A step of a verb is one register, or two, that it writes."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, PrivateAttr, model_validator

from holdfast.core.signals import Signal
from holdfast.devices.register_image import NOTHING_SHOWN, Place, RawImage
from holdfast.devices.registers import Register


class Verb(StrEnum):
    """Names what an inverter can be told to do with its battery."""

    CHARGE = "charge"
    DISCHARGE = "discharge"
    IDLE = "idle"
    """No power, whatever the house takes."""
    RELEASE = "release"
    """Back to the device's own rule; nothing of ours remains."""


_NAMES = ("power", "ac_power", "soc", "timeout")
POWERS = frozenset({"power", "ac_power"})
RESTS_ON: Mapping[str, Signal] = {"ac_power": Signal.PV_POWER_W, "soc": Signal.SOC_PCT}
"""What a device has to tell before such a value can be written to it."""


def _known(value: str | float) -> str | float:
    if isinstance(value, str) and value not in _NAMES:
        raise ValueError(f"must be a number, or one of {', '.join(_NAMES)}")
    return value


StepValue = Annotated[str | float, AfterValidator(_known)]


class VerbStep(Register):
    """Describes one register, or two, that a verb writes."""

    table: Literal["holding", "coil"] = "holding"
    function: Literal["single", "multiple"] = "single"
    value: StepValue
    """power: the setpoint in W, + charging, so a device with a sign of its own, or without one, has
    a negative scale where it discharges. ac_power: what then flows at its AC side, + into it: the
    setpoint less the PV power that it told last. soc: the state of charge that it told last, in %.
    timeout: the revert timer, in s. Or a number, always the same."""
    of_rated: bool = False
    """The power is a share of the unit's rated power in this direction, and scale is one of the
    share: 0.01 for whole percents."""
    joined: bool = False
    """It goes out in one request with the one before, whose last register it follows."""
    stored: bool = False
    """It is kept in flash or EEPROM: written only where the device shows another value."""
    shown: bool = True
    """False: the device does not show what was written there. Of a verb of which nothing is shown
    counts what the device has acknowledged."""
    _rated_w: float | None = PrivateAttr(None)
    """More than this is no share of it. None: it is no share, or the table stands for no unit."""

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if self.of_rated and self.value not in POWERS:
            raise ValueError("of_rated: only a power is a share of the rated one")
        if self.function == "single" and self.count > 1:
            raise ValueError(f"{self.type} takes two registers: function must be multiple")
        if self.joined and self.function == "single":
            raise ValueError("joined: registers that go out together need function: multiple")
        if self.stored and not self.shown:
            raise ValueError("stored: whether it is to be written shows only what is shown")
        if (
            isinstance(self.value, float)
            and self.decode([*self.words_of(self.value)]) != self.value
        ):
            raise ValueError(f"{self.type} with scale {self.scale:g} is never {self.value:g}")
        return self

    @property
    def basis(self) -> tuple[tuple[Place, ...], ...]:
        """Returns registers that must be known before it can be coded: here none."""
        return ()

    def words_of(self, value: float, _image: RawImage = NOTHING_SHOWN.image) -> tuple[int, ...]:
        """Returns the raw words of ``value``, rounded towards zero. Raises ValueError if they
        cannot hold it, and for more than the whole of what a share is told of."""
        words = tuple(self.encode_towards_zero(value))
        if self._rated_w is not None and abs(value) > self._rated_w:
            raise ValueError(f"{value:g} W is more than the {self._rated_w:g} W it is rated for")
        return words

    def holds(self, image: RawImage, words: tuple[int, ...]) -> bool:
        """Says whether ``image`` shows these words."""
        return all(image.get(place) == word for place, word in zip(self.places, words, strict=True))
