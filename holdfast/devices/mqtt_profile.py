"""A device behind an MQTT broker is a table of topics: what it sends there, and what it takes.

In a topic ``{base}`` stands for the topic that site.yaml names.
"""

import math
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.commands import Point
from holdfast.core.config.section import Finite
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.device_table import listed
from holdfast.devices.json_profile import MAY_TELL_LATE, JsonProfile, part_of
from holdfast.devices.json_rows import JsonDocument, PathText, Word, check_documents
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.registers import TableRow, check_unique
from holdfast.devices.roles import ROLE_OF

BASE = "{base}"
VALUE = "{value}"
_LATE = 1.5
"""From so many periods on a message is late."""
_MAX_PAYLOAD = 1000

Topic = Annotated[str, Field(pattern=r"^[^+#\x00]+$", max_length=300)]


class MqttDocument(JsonDocument):
    """What comes on one topic."""

    topic: Topic


class Availability(TableRow):
    """Where the device, or the broker for it, says whether it is there."""

    topic: Topic
    path: PathText = Field(default="", alias="json")
    """Leads to the word. Empty: the message is the word."""
    online: Word = "online"
    offline: Word = "offline"


class MqttWrite(TableRow):
    """What is sent to command a point. It is never kept by the broker."""

    point: Point
    topic: Topic
    readback: Signal
    """Shows what the device has stored: that a message was sent says nothing."""
    payload: Annotated[str, Field(max_length=_MAX_PAYLOAD)] = VALUE
    """What is sent; ``{value}`` stands for the number, or the word."""
    words: dict[Word, Finite] = Field(default_factory=dict)
    """Words that stand for numbers. Empty: the number itself."""
    scale: Finite = 1.0
    """What is sent times this is the value."""
    step: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """The device keeps multiples of it only."""

    @model_validator(mode="after")
    def _can_be_sent(self) -> Self:
        if self.scale == 0:
            raise ValueError("scale 0 makes every value 0")
        if VALUE not in self.payload:
            raise ValueError(f"payload: the value has no place in it, {VALUE}")
        self.message(0.0)
        return self

    def message(self, value: float) -> str:
        """Returns what is sent for ``value``. Raises ValueError if that cannot be said."""
        if not math.isfinite(value):
            raise ValueError(f"{value:g} cannot be written")
        if not self.words:
            return self.payload.replace(VALUE, f"{value / self.scale:.10g}")
        for word, number in self.words.items():
            if number == value:
                return self.payload.replace(VALUE, word)
        raise ValueError(f"there is no word for {value:g}")

    def kept(self, value: float) -> float:
        """Returns what the device keeps of ``value``. Raises ValueError as :meth:`message`."""
        self.message(value)
        return PointTraits(step=self.step).kept(value)


class MqttProfile(JsonProfile):
    """Describes a meter, a load switch or a thermostat behind a broker. No inverter is commanded
    by such a table: what one is told and shows is said of registers (modbus_mqtt)."""

    MAY_BE: ClassVar[frozenset[Role]] = MAY_TELL_LATE | {Role.LOAD_SWITCH}

    protocol: Literal["mqtt"]
    period_s: Annotated[float, Field(gt=0, le=60)]
    """So often it sends each of its messages, changed or not."""
    reads: Annotated[tuple[MqttDocument, ...], Field(min_length=1, max_length=20)]
    availability: Availability | None = None
    """None: nobody says whether it is there; what it told last ages."""
    writes: tuple[MqttWrite, ...] = ()

    @model_validator(mode="after")
    def _fits_the_signal_table(self) -> Self:
        check_documents(self.reads)
        check_unique("topic", [document.topic for document in self.reads])
        check_unique("point", [write.point for write in self.writes])
        self.check_rows(self.period_s, _LATE, "mqtt")
        for write in self.writes:
            role = ROLE_OF[write.point]
            if role not in self.roles:
                raise ValueError(f"{write.point} is taken by {role}, not by {listed(self.roles)}")
            if write.readback not in self.signals:
                raise ValueError(f"readback {write.readback} of {write.point} is not read")
        return self

    def of(self, *roles: Role) -> Self:
        """Returns the part of the table that concerns ``roles``, which must be among its own."""
        update = {
            "roles": tuple(role for role in self.roles if role in roles),
            "reads": part_of(self.reads, roles),
            "writes": tuple(write for write in self.writes if ROLE_OF[write.point] in roles),
        }
        return self.model_copy(update=update)

    @property
    def points(self) -> dict[Point, MqttWrite]:
        """Returns what can be written, by point."""
        return {write.point: write for write in self.writes}

    @property
    def traits(self) -> dict[Point, PointTraits]:
        """Returns what the table says of each point that can be written."""
        return {write.point: PointTraits(step=write.step) for write in self.writes}
