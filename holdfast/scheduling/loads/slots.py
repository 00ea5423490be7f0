"""This module tells what loads and rooms do in each slot of a solved plan."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.core.config import Site
from holdfast.core.device_mode import DeviceMode
from holdfast.core.plan import SHARE_MIN, PlannedLoad
from holdfast.optimization.problem import Array
from holdfast.optimization.site_problem import SiteSolution
from holdfast.scheduling.loads.problem import Waiting

_TOLD_WH = 1.0
TOLD_K = 0.1
"""A thermometer shows this much."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FlexiblePlan:
    """Holds loads and rooms by name. All arrays have shape (slots,)."""

    power_w: Mapping[str, Array]
    """It is that of every flexible load, and of the rooms that were planned."""
    most_w: Mapping[str, float]
    room_c: Mapping[str, Array]
    """It is taken at the end of each slot."""
    modes: tuple[DeviceMode, ...] | None
    notes: tuple[str, ...]
    """They tell what is not planned, or does not get what it needs."""

    @property
    def total_w(self) -> Array | float:
        """Returns the power of all together, in W."""
        return np.sum(list(self.power_w.values()), axis=0) if self.power_w else 0.0

    def runs(self, name: str, slot: int) -> bool:
        """Says whether it is on, if only for a while."""
        return bool(self.power_w[name][slot] >= SHARE_MIN * self.most_w[name])

    def planned(self, slot: int) -> tuple[PlannedLoad, ...]:
        """Returns the loads as the slot tells them."""
        return tuple(
            PlannedLoad(
                name=name,
                power_w=float(power_w[slot]),
                temperature_c=float(self.room_c[name][slot]) if name in self.room_c else None,
            )
            for name, power_w in self.power_w.items()
        )


def flexible_plan(
    site: Site, slots: int, waiting: Waiting, answer: SiteSolution | None
) -> FlexiblePlan:
    """Returns loads and rooms of ``answer``; a load that nothing was asked for is off."""
    most_w = site.load_powers_w
    power_w = {load.name: np.zeros(slots) for load in site.loads}
    room_c: dict[str, Array] = {}
    notes: list[str] = list(waiting.notes)
    if answer is not None:
        for part, part_w in zip(waiting.loads, answer.load_w, strict=True):
            power_w[part.name] = power_w[part.name] + part_w
        for room, heat_w, warm_c in zip(waiting.rooms, answer.room_w, answer.room_c, strict=True):
            power_w[room.name], room_c[room.name] = heat_w, warm_c
        notes += _not_kept(waiting, answer, ZoneInfo(site.timezone))
    return FlexiblePlan(
        power_w={name: np.clip(value_w, 0.0, most_w[name]) for name, value_w in power_w.items()},
        most_w=most_w,
        room_c=room_c,
        modes=None if answer is None else answer.modes,
        notes=tuple(notes),
    )


def _not_kept(waiting: Waiting, answer: SiteSolution, zone: ZoneInfo) -> Iterator[str]:
    """Tells which loads and rooms do not get what they need."""
    parts = zip(waiting.loads, waiting.windows, answer.short_wh.tolist(), strict=True)
    for part, window, short_wh in parts:
        if short_wh > _TOLD_WH:
            until = window.end.astimezone(zone)
            yield f"{part.name} lacks {short_wh / 1e3:.2f} kWh at {until:%a %H:%M}"
    for room, room_c in zip(waiting.rooms, answer.room_c, strict=True):
        outside_k = np.maximum(room.low_c - room_c, room_c - room.high_c)
        if float(outside_k.max()) > TOLD_K:
            yield f"{room.name} is up to {outside_k.max():.1f} K outside of its comfort"
