"""A model definition says where the points of a SunSpec model are, and how they are coded.

It is the content of the files that the SunSpec Alliance publishes, one for each model.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from holdfast.devices.registers import RawType

RAW_TYPES: Mapping[str, tuple[RawType, tuple[int, ...] | None]] = MappingProxyType(
    {
        "int16": ("int16", (0x8000,)),
        "sunssf": ("int16", (0x8000,)),
        "uint16": ("uint16", (0xFFFF,)),
        "count": ("uint16", (0xFFFF,)),
        "enum16": ("uint16", (0xFFFF,)),
        "bitfield16": ("uint16", (0xFFFF, 0x8000)),
        "acc16": ("uint16", (0,)),
        "int32": ("int32", (0x8000_0000,)),
        "uint32": ("uint32", (0xFFFF_FFFF,)),
        "enum32": ("uint32", (0xFFFF_FFFF,)),
        "bitfield32": ("uint32", (0xFFFF_FFFF, 0x8000_0000)),
        "acc32": ("uint32", (0,)),
        "float32": ("float32", None),
    }
)
"""How a type of theirs is coded, and which raw numbers of it stand for no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDefinition:
    """Describes one point, of a model or of one of its groups."""

    offset: int
    """Counts from the register of the model's number."""
    type: str
    size: int
    power: str | int | None = None
    """Names the point that holds its power of ten; or that itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDefinition:
    """Describes points that come several times, one group behind the other."""

    points: Mapping[str, PointDefinition]
    """With their offsets in the first group."""
    size: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDefinition:
    """Describes one model."""

    id: int
    size: int
    """Counts the registers without those of repeated groups, but with the head."""
    points: Mapping[str, PointDefinition]
    """By name; those of a group that comes once are called ``group.point``."""
    groups: Mapping[str, GroupDefinition]
    """Those that come several times; a point is then called ``group[2].point``, from 1 on."""

    def find(self, name: str) -> PointDefinition | None:
        """Returns the point of that name, with its own offset; None if there is none."""
        group_name, _, rest = name.partition("[")
        number, _, point_name = rest.partition("].")
        group = self.groups.get(group_name)
        if group is None or not number.isdecimal() or int(number) < 1:
            return self.points.get(name)
        point = group.points.get(point_name)
        if point is None:
            return None
        return PointDefinition(
            offset=point.offset + (int(number) - 1) * group.size,
            type=point.type,
            size=point.size,
            power=point.power,
        )

    def power_of(self, point: PointDefinition) -> int | PointDefinition | None:
        """Returns the power of ten of a point, or the point that holds it."""
        return self.points.get(point.power) if isinstance(point.power, str) else point.power


def parse_model(content: Mapping[str, Any]) -> ModelDefinition:
    """Returns the model that the content of a file describes."""
    top = content["group"]
    points: dict[str, PointDefinition] = {}
    groups: dict[str, GroupDefinition] = {}
    offset = _put(points, top, "", 0)
    for group in top.get("groups", ()):
        name = group["name"]
        if group.get("count", 1) == 1:
            offset = _put(points, group, f"{name}.", offset)
            continue
        if group.get("groups"):
            break  # how long it is depends on what is in it; nothing of ours is there
        members: dict[str, PointDefinition] = {}
        end = _put(members, group, "", offset)
        groups[name] = GroupDefinition(points=members, size=end - offset, offset=offset)
        break  # where the next one begins depends on how often this one comes
    return ModelDefinition(id=int(content["id"]), size=offset, points=points, groups=groups)


def _put(
    points: dict[str, PointDefinition], group: Mapping[str, Any], prefix: str, offset: int
) -> int:
    """Adds the points of a group; returns the offset of what comes behind it."""
    for name, point in _points(group, offset):
        points[prefix + name] = point
        offset = point.offset + point.size
    return offset


def _points(group: Mapping[str, Any], offset: int) -> Iterator[tuple[str, PointDefinition]]:
    for point in group["points"]:
        size = int(point["size"])
        yield (
            point["name"],
            PointDefinition(
                offset=offset,
                type=point["type"],
                size=size,
                power=point.get("sf"),
            ),
        )
        offset += size
