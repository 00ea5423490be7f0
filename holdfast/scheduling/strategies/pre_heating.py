"""Pre-heating: rooms are warm when dear hours begin, and are not heated in them if that can be."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from holdfast.optimization.problem import Array
from holdfast.optimization.site_problem import Room
from holdfast.scheduling.strategies.outlook import Outlook

DEAR = 0.75
"""The dearest quarter of the known prices are the dear hours."""
BELOW_K = 0.3
"""A thermostat needs so much room below the upper end of comfort."""


def pre_heated(outlook: Outlook, rooms: Sequence[Room]) -> tuple[Room, ...]:
    """Returns ``rooms`` which are to be warm at the end of the last slot before dear ones."""
    middle, dear = np.quantile(outlook.known, (0.5, DEAR)).tolist()
    is_dear = (outlook.bought >= dear) & (outlook.bought > middle)
    before = np.append(~is_dear[:-1] & is_dear[1:], False)
    return tuple(replace(room, low_c=np.where(before, _warm_c(room), room.low_c)) for room in rooms)


def _warm_c(room: Room) -> Array:
    return np.maximum(room.high_c - BELOW_K, room.low_c)
