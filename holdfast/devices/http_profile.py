"""A device that is asked over HTTP is a table of documents, each with the path that it is at."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from holdfast.core.commands import Point
from holdfast.core.role import Role
from holdfast.devices.json_profile import MAY_TELL_LATE, JsonProfile, part_of
from holdfast.devices.json_rows import JsonDocument, check_documents
from holdfast.devices.modbus_rows import PointWrite
from holdfast.devices.point_traits import PointTraits
from holdfast.devices.registers import check_unique

_POLLS = 3
"""So many polls are in the shortest maximum age: two may fail."""


class HttpDocument(JsonDocument):
    """What stands at one path."""

    at: Annotated[str, Field(pattern=r"^/[!-~]*$", max_length=300)]
    """Path and query, such as /status."""


class HttpProfile(JsonProfile):
    """Describes a meter that is asked over HTTP and answers JSON. Nothing is written to it."""

    MAY_BE: ClassVar[frozenset[Role]] = MAY_TELL_LATE

    protocol: Literal["http"]
    poll_period_s: Annotated[float, Field(ge=0.1, le=5)]
    reads: Annotated[tuple[HttpDocument, ...], Field(min_length=1, max_length=5)]

    @model_validator(mode="after")
    def _fits_the_signal_table(self) -> Self:
        check_documents(self.reads)
        check_unique("path", [document.at for document in self.reads])
        self.check_rows(self.poll_period_s, _POLLS, "http")
        return self

    def of(self, *roles: Role) -> Self:
        """Returns the part of the table that concerns ``roles``, which must be among its own."""
        own = tuple(role for role in self.roles if role in roles)
        return self.model_copy(update={"roles": own, "reads": part_of(self.reads, roles)})

    @property
    def period_s(self) -> float:
        """Returns how often it tells a value."""
        return self.poll_period_s

    @property
    def points(self) -> dict[Point, PointWrite]:
        """Nothing is written over HTTP."""
        return {}

    @property
    def traits(self) -> dict[Point, PointTraits]:
        """Nothing is written over HTTP."""
        return {}
