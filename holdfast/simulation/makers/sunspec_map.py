"""The registers of a SunSpec device come of the definitions of its models."""

from collections.abc import Mapping

from holdfast.devices.register_image import Place
from holdfast.devices.sunspec.definitions import ModelDefinition, PointDefinition
from holdfast.devices.sunspec.discovery import COMMON, END, MARK
from holdfast.devices.sunspec.model_files import load_models

Powers = Mapping[str, int]
"""Powers of ten by the names of their points, such as W_SF; of the others it is 0."""
_MISSING: Mapping[str, tuple[int, ...]] = {
    "int16": (0x8000,),
    "sunssf": (0,),
    "int32": (0x8000, 0),
    "acc16": (0,),
    "acc32": (0, 0),
    "acc64": (0, 0, 0, 0),
    "float32": (0x7FC0, 0),
    "float64": (0x7FF8, 0, 0, 0),
    "int64": (0x8000, 0, 0, 0),
    "pad": (0x8000,),
}
"""What stands for no value; all ones in every other type but a string."""


class SimulatedModels:
    """Holds one device's models, one behind the other; nothing in them has a value yet."""

    def __init__(
        self,
        numbers: tuple[int, ...],
        powers: Powers,
        *,
        groups: int = 1,
        base: int = 40000,
        device_id: int | None = None,
    ) -> None:
        """Each repeated group comes ``groups`` times. The common model is always the first."""
        self._device_id = device_id
        self._definitions = load_models((COMMON, *numbers))
        self._starts: dict[int, int] = {}
        self.words: dict[int, int] = dict(zip((base, base + 1), MARK, strict=True))
        address = base + len(MARK)
        for number in (COMMON, *numbers):
            self._starts[number] = address
            address = self._add(self._definitions[number], address, powers, groups)
        self.words |= {address: END, address + 1: 0}

    @property
    def registers(self) -> dict[Place, int]:
        """Returns all of it."""
        return {(self._device_id, "holding", place): word for place, word in self.words.items()}

    def at(self, number: int, name: str) -> int:
        """Returns the first register of a point."""
        return self._starts[number] + self._point(number, name).offset

    def put(self, number: int, name: str, *words: int) -> None:
        """Gives a point a value."""
        first = self.at(number, name)
        self.words |= {first + index: word for index, word in enumerate(words)}

    def size(self, number: int, name: str) -> int:
        """Returns how many registers a point takes."""
        return self._point(number, name).size

    def _point(self, number: int, name: str) -> PointDefinition:
        point = self._definitions[number].find(name)
        if point is None:
            raise ValueError(f"model {number} has no point {name}")
        return point

    def _add(self, model: ModelDefinition, start: int, powers: Powers, groups: int) -> int:
        points = list(model.points.items())
        size = model.size
        for name, group in model.groups.items():
            size += groups * group.size
            members = (
                f"{name}[{index + 1}].{each}" for index in range(groups) for each in group.points
            )
            points += [(each, point) for each in members if (point := model.find(each))]
        for name, point in points:
            words = _MISSING.get(point.type, (0xFFFF,) * point.size)
            if point.type == "string":
                words = (0,) * point.size
            if point.type == "sunssf":
                words = (powers.get(name, 0) & 0xFFFF,)
            if name in {"N", "NPrt"}:
                words = (groups,)
            for index, word in enumerate(words):
                self.words[start + point.offset + index] = word
        self.words |= {start: model.id, start + 1: size - 2}
        return start + size
