"""Scaled registers: the device tells the power of ten of a number in another register.

It may change at any time, so that it is read with its number in one request.
"""

import math
from typing import Annotated

from pydantic import Field

from holdfast.devices.register_image import NOTHING_SHOWN, Place, RawImage
from holdfast.devices.registers import Part, Register, RegisterRead
from holdfast.devices.verb_step import VerbStep

_HAIR = 1.0 + 1e-9
_LARGEST = 10
"""SunSpec has no power of ten beyond it, and -0x8000 where it has none."""


class _Scaled(Register):
    """Tells where the power of ten of a number is."""

    scale_from: Annotated[int, Field(ge=0, le=65535)] | None = None
    """The register that holds it, signed; None: there is none to it."""

    @property
    def run(self) -> tuple[Place, ...]:
        """Returns its own places, the one of its power of ten, and all between them."""
        if self.scale_from is None:
            return self.places
        first = min(self.address, self.scale_from)
        end = max(self.address + self.count, self.scale_from + 1)
        return tuple((self.device_id, self.table, address) for address in range(first, end))

    @property
    def resolution(self) -> float:
        """Returns 0 where the step is not known before the device tells it."""
        return super().resolution if self.scale_from is None else 0.0

    def power_of_ten(self, image: RawImage) -> float:
        """Returns what the device multiplies the number by; NaN if it does not tell that."""
        if self.scale_from is None:
            return 1.0
        word = image[self._place_of_power(self.scale_from)]
        power = word - 0x1_0000 if word & 0x8000 else word
        return math.nan if abs(power) > _LARGEST else 10.0**power

    def _place_of_power(self, scale_from: int) -> Place:
        return self.device_id, self.table, scale_from


class ScaledPart(Part, _Scaled):
    """Describes a number whose power of ten the device tells."""


class ScaledRead(RegisterRead, _Scaled):
    """Describes a signal in such a number."""


class ScaledStep(VerbStep, _Scaled):
    """Describes such a number that a verb writes."""

    share_of: ScaledPart | None = None
    """The power is a share of what is told here, and scale is one of the share."""
    coarsest_w: Annotated[float, Field(gt=0)] | None = None
    """A device that keeps powers in longer steps than these is not what its table says."""

    @property
    def resolution(self) -> float:
        """Returns 0: the step is not known before the device tells it."""
        return 0.0 if self.share_of is not None else super().resolution

    @property
    def basis(self) -> tuple[tuple[Place, ...], ...]:
        """Returns where the power of ten is, and what the power is a share of."""
        power = () if self.scale_from is None else ((self._place_of_power(self.scale_from),),)
        return power if self.share_of is None else (*power, self.share_of.run)

    def power_of_ten(self, image: RawImage) -> float:
        """Returns what the device makes of the number, as far as the table does not say it."""
        factor = super().power_of_ten(image)
        return factor if self.share_of is None else factor * self.share_of.value_in(image)

    def words_of(self, value: float, image: RawImage = NOTHING_SHOWN.image) -> tuple[int, ...]:
        """Returns the raw words of ``value``, rounded towards zero. Raises ValueError if they
        cannot hold it, and while the device has not told its power of ten."""
        if isinstance(self.value, float):  # 0, or a number without one: so binding has it
            return super().words_of(value)
        try:
            factor = self.power_of_ten(image)
        except KeyError:
            factor = math.nan
        if not factor > 0.0:
            raise ValueError("the device has not told in which steps it keeps a power")
        grain_w = factor * abs(self.scale)
        if self.coarsest_w is not None and _is_beyond(grain_w, self.coarsest_w):
            raise ValueError(
                f"the device keeps powers in steps of {grain_w:g} W, and its table says that they "
                f"are no longer than {self.coarsest_w:g} W"
            )
        most_w = math.inf if self.share_of is None else self.share_of.value_in(image)
        if _is_beyond(abs(value), most_w):
            raise ValueError(f"the device takes no more than {most_w:g} W, which are its 100 %")
        return super().words_of(value / factor)


def _is_beyond(value_w: float, limit_w: float) -> bool:
    """Says whether it is, by more than what calculating may add."""
    return value_w > limit_w * _HAIR
