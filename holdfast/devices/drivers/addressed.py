"""A write is for one device and for one point of its table, or it is refused."""

from collections.abc import Mapping
from typing import TypeVar

from holdfast.core.commands import Point, Write
from holdfast.core.errors import DeviceRefused
from holdfast.core.role import Role

Row = TypeVar("Row")


def row_of(name: str, owners: Mapping[Role, str], points: Mapping[Point, Row], write: Write) -> Row:
    """Returns the row by which ``write`` is carried out on the device that serves ``owners``.

    Raises DeviceRefused for another device's, and for a point that its table has not.
    """
    if write.unit != owners.get(write.role):
        raise DeviceRefused(f"{name}: {write} is for another device")
    if write.point not in points:
        raise DeviceRefused(f"{name}: its profile has no point {write.point}")
    return points[write.point]
