"""Binding makes a register table of a SunSpec table: the points get the places that they have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from holdfast.devices.register_image import Place
from holdfast.devices.registers import RawType
from holdfast.devices.scaled import ScaledPart, ScaledRead, ScaledStep
from holdfast.devices.sunspec.definitions import RAW_TYPES, ModelDefinition, PointDefinition
from holdfast.devices.sunspec.discovery import FoundModel, ModelMap
from holdfast.devices.sunspec.rows import (
    Models,
    SunSpecPoint,
    SunSpecRead,
    SunSpecStep,
    SunSpecVerbs,
)
from holdfast.devices.verbs import VerbWrite

Maps = Mapping[int | None, ModelMap]
"""What was found behind each device id; None: behind that of the connection."""
Definitions = Mapping[int, ModelDefinition]


class NotBound(ValueError):
    """A device lacks what its table names; the text says what that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Tells where a point is, and how it is coded."""

    address: int
    type: RawType
    not_available: tuple[int, ...] | None
    power_from: int | None
    """The register of its power of ten."""
    power: int = 0
    """Its power of ten, where the model itself says it."""

    def content(self, scale: float) -> dict[str, object]:
        """Returns what a row of registers says of it."""
        return {
            "address": self.address,
            "type": self.type,
            "scale": scale * 10.0**self.power,
            "scale_from": self.power_from,
        }


class Locator(Protocol):
    """Knows where points are. Raises NotBound for one that is not there."""

    real: ClassVar[bool]
    """Says whether neighbours are neighbours: what goes out together has to be."""

    def locate(self, models: Models, point: str, device_id: int | None = None) -> Position:
        """Returns where the point is, of the first of ``models`` that there is."""


class Outline:
    """Gives every point a place that no device has: enough to see whether a table can be right."""

    real: ClassVar[bool] = False

    def __init__(self) -> None:
        self._known: dict[tuple[Models, str, int | None], int] = {}

    def locate(self, models: Models, point: str, device_id: int | None = None) -> Position:
        """Returns a place of its own for each point."""
        number = self._known.setdefault((models, point, device_id), len(self._known))
        return Position(address=2 * number, type="int32", not_available=(), power_from=None)


class DevicePoints:
    """Knows where the points of one device are."""

    real: ClassVar[bool] = True

    def __init__(self, maps: Maps, definitions: Definitions) -> None:
        self._maps, self._definitions = maps, definitions
        self.marks: dict[Place, int] = {}
        """The numbers and lengths of the models that were used."""

    def locate(self, models: Models, point: str, device_id: int | None = None) -> Position:
        """Returns where it is. Raises NotBound."""
        found = self._model(models, device_id)
        definition = self._definitions[found.id]
        place = definition.find(point)
        if place is None:
            raise NotBound(f"model {found.id} has no point {point}")
        if place.type not in RAW_TYPES:
            raise NotBound(f"{point} of model {found.id} is a {place.type}, which is not read")
        raw_type, not_available = RAW_TYPES[place.type]
        self._check_length(found, place, point)
        power = definition.power_of(place)
        if isinstance(power, PointDefinition):
            self._check_length(found, power, str(place.power))
        elif isinstance(place.power, str):
            raise NotBound(f"model {found.id} has no point {place.power}")
        for offset, word in enumerate((found.id, found.length)):
            self.marks[device_id, "holding", found.address + offset] = word
        return Position(
            address=found.address + place.offset,
            type=raw_type,
            not_available=not_available,
            power_from=found.address + power.offset if isinstance(power, PointDefinition) else None,
            power=power if isinstance(power, int) else 0,
        )

    def _model(self, models: Models, device_id: int | None) -> FoundModel:
        here = self._maps[device_id]
        for number in models:
            found = here.first(number)
            if found is not None:
                return found
        where = "" if device_id is None else f" behind device id {device_id}"
        names = " or ".join(map(str, models))
        raise NotBound(f"model {names} is not there{where}")

    def _check_length(self, model: FoundModel, point: PointDefinition, name: str) -> None:
        if point.offset + point.size > model.length + 2:
            raise NotBound(f"model {model.id} ends before its point {name}")


def check_named(rows: tuple[SunSpecRead | SunSpecVerbs, ...], definitions: Definitions) -> None:
    """Raises NotBound for a point that a model of the table never has."""
    for models, point in named_in(rows):
        for number in models:
            found = definitions[number].find(point)
            if found is None:
                raise NotBound(f"model {number} has no point {point}")
            if found.type not in RAW_TYPES:
                raise NotBound(f"{point} of model {number} is a {found.type}, which is not read")


def named_in(rows: tuple[SunSpecRead | SunSpecVerbs, ...]) -> Iterator[tuple[Models, str]]:
    """Yields every point that ``rows`` name, with the models that may have it."""
    for row in rows:
        if isinstance(row, SunSpecRead):
            yield from ((part.model, part.point) for part in row.parts)
            continue
        for steps in row.verbs.values():
            for step in steps:
                yield step.model, step.point
                if step.share_of is not None:
                    yield step.model, step.share_of


def bound_read(row: SunSpecRead, locator: Locator) -> ScaledRead:
    """Returns the row with its place. Raises NotBound."""
    return ScaledRead.model_validate(
        {
            **_content(row, locator),
            "signal": row.signal,
            "also": tuple(_part(part, locator) for part in row.also),
            "per": None if row.per is None else _part(row.per, locator),
            "equals": row.equals,
            "mask": row.mask,
        }
    )


def bound_verbs(row: SunSpecVerbs, locator: Locator) -> VerbWrite:
    """Returns the setpoint with its places. Raises NotBound."""
    return VerbWrite(
        point=row.point,
        readback=row.readback,
        verbs={
            verb: tuple(_step(step, row.step, locator) for step in steps)
            for verb, steps in row.verbs.items()
        },
        step=row.step,
        writes_per_day=row.writes_per_day,
        refresh_s=row.refresh_s,
    )


def _part(point: SunSpecPoint, locator: Locator) -> ScaledPart:
    return ScaledPart.model_validate(_content(point, locator))


def _content(row: SunSpecPoint, locator: Locator) -> dict[str, object]:
    place = locator.locate(row.model, row.point, row.device_id)
    missing = place.not_available if row.not_available is None else row.not_available
    return {
        **place.content(row.scale),
        "device_id": row.device_id,
        "not_available": missing,
    }


def _step(step: SunSpecStep, longest_w: float, locator: Locator) -> ScaledStep:
    place = locator.locate(step.model, step.point)
    if isinstance(step.value, float) and step.value != 0.0 and place.power_from is not None:
        raise NotBound(f"{step.point} has a power of ten: {step.value:g} cannot always be told")
    share = None
    if step.share_of is not None:
        share = _part(SunSpecPoint(model=step.model, point=step.share_of), locator)
    is_power = isinstance(step.value, str) and step.value.endswith("power")
    return ScaledStep.model_validate(
        {
            **place.content(step.scale),
            "function": "multiple",
            "value": step.value,
            "share_of": share,
            "coarsest_w": longest_w if is_power else None,
            "joined": step.joined and locator.real,
            "stored": step.stored,
            "shown": step.shown,
        }
    )
