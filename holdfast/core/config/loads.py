"""Plans may move these loads: some can wait, and rooms keep their warmth for a while."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.config.device import Device
from holdfast.core.config.local_window import DAY_MINUTES, LocalWindow, MinuteOfDay, Weekday
from holdfast.core.config.section import Name, NotNegative, Positive, Section

_MINUTES_PER_H = 60


class MeteredLoad(Section):
    """A load that is measured by itself and steered by somebody else, such as a wallbox."""

    name: Name
    """In status, metrics and messages."""
    meter: Device
    """What measures it."""
    from_battery: bool = True
    """False: the batteries never serve it, whoever starts it and however; other load they do."""


class FlexibleLoad(Section):
    """A load that needs its energy within a part of the day, and does not care when."""

    name: Name
    """In status, metrics and messages."""
    power_w: Positive
    """While it is on."""
    energy_wh: Positive
    """Needed between ``from`` and ``to``, each time."""
    from_minute: MinuteOfDay = Field(default=0, alias="from")
    """By the site's local clock."""
    to_minute: MinuteOfDay = Field(default=DAY_MINUTES, alias="to")
    """Must be done by then; at or before ``from``: on the next day."""
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] | None = None
    """On which it begins. None: on all."""
    runs_through: bool = False
    """Once started it runs to its end, as a washing machine does."""
    without_plan: Literal["off", "on"] = "off"
    """What it does while there is no valid plan."""
    switch: Device | None = None
    """None: somebody else reads the plan and switches."""

    @model_validator(mode="after")
    def _fits_its_window(self) -> Self:
        longest_wh = self.power_w * self.window_minutes / _MINUTES_PER_H
        if self.energy_wh > longest_wh:
            raise ValueError(
                f"{self.name}: energy_wh {self.energy_wh:g} is more than {self.power_w:g} W give "
                f"between from and to, {longest_wh:g} Wh"
            )
        return self

    @property
    def window_minutes(self) -> int:
        """Returns the minutes from ``from`` to ``to``, on a day without a change of clocks."""
        return (self.to_minute - self.from_minute) % DAY_MINUTES or DAY_MINUTES


class Comfort(LocalWindow):
    """How warm a room shall be, and when."""

    low_c: Annotated[float, Field(ge=5, le=30)]
    """Not colder."""
    high_c: Annotated[float, Field(le=35)]
    """Not warmer."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low_c > self.high_c:
            raise ValueError(f"low_c ({self.low_c:g}) must not be above high_c ({self.high_c:g})")
        return self


class HeatedRoom(Section):
    """A room with electric heat: plans warm it in cheap hours, within what is comfortable.

    A body of one temperature (first order): C dT/dt = heat - loss x (T - outdoor).
    """

    name: Name
    """In status, metrics and messages."""
    power_max_w: Positive
    """Electric."""
    heat_per_power: Annotated[float, Field(ge=0.5, le=10)] = 1.0
    """Heat per electric energy: 1 for a resistor, some 3 for a heat pump."""
    capacity_wh_per_k: Positive
    """What one kelvin takes; air and furniture 10 to 20 Wh per m², floor heating 50 to 100."""
    loss_w_per_k: Positive
    """Through walls and by air, per kelvin to the outdoors."""
    comfort: Annotated[tuple[Comfort, ...], Field(min_length=1)]
    """The first row that fits counts; the last one must hold always."""
    discomfort_cost_per_k_h: NotNegative = 0.5
    """What a kelvin outside of the comfort costs in an hour, in the site's currency."""
    switch: Device
    """A relay with a thermometer, or a thermostat that takes a setpoint."""

    @model_validator(mode="after")
    def _comfort_holds_always(self) -> Self:
        if not self.comfort[-1].is_always:
            raise ValueError(
                f"{self.name}: the last row of comfort must hold always: without from, to, days "
                "and months"
            )
        return self
