"""This module says what flexible loads and heated rooms do now: by the plan, or by their own rule.

IDLE follows the plan as RUNNING does: that the battery rests is no wish for cold water. In ERROR
a plan that counts on the battery is worth nothing, and each load has its own rule.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from holdfast.control.plan_gate import AcceptedPlan
from holdfast.core.commands import Point
from holdfast.core.config import Site
from holdfast.core.config.loads import FlexibleLoad, HeatedRoom
from holdfast.core.data_store import Snapshot
from holdfast.core.plan import SHARE_MAX, SHARE_MIN
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.devices.written_point import DeviceMemory

LOCAL_BAND_K = 0.5
"""Without a plan a room is heated from the lower end of its comfort up to this much above."""
WARM_BAND_K = 0.2
"""A room that got too warm with a plan is heated again when it is this much colder: a thermometer
that flickers by a digit moves no relay."""


class LoadSource(StrEnum):
    """Tells who asks, the best first."""

    PLAN = "plan"
    LOCAL_RULE = "local_rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadRequest:
    """A load request is a wish, not a command: nothing is permitted by it."""

    on: bool
    """A thermostat that is on heats by itself, up to ``setpoint_c``."""
    setpoint_c: float | None
    """Tells a thermostat where to heat to; None if the device takes none."""
    source: LoadSource
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """Holds what the plan's slot says of one load."""

    share: float
    """Tells for which share of the slot it is on, from its start."""
    over: float
    """Tells which share of the slot is over."""
    temperature_c: float | None

    @property
    def is_on(self) -> bool:
        """Says whether its share still lasts; False for NaN."""
        if not self.share >= SHARE_MIN:
            return False
        return self.share > SHARE_MAX or self.over < self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class _Room:
    """Holds what its comfort permits at any time: the cycle has no local clock."""

    name: str
    coldest_c: float
    """Tells the lowest of all lower ends."""
    low_c: float
    """Tells the warmest of all lower ends: without a plan the room is kept there."""
    high_c: float
    """Tells the highest of all upper ends: it is never heated beyond."""
    is_thermostat: bool


class LoadRequests:
    """Asks for each load that Holdfast switches. Holds no state."""

    def __init__(self, site: Site, points: Mapping[str, Collection[Point]]) -> None:
        """Takes the ``points`` that can be written, by load."""
        self._loads = tuple(load for load in site.loads if load.switch is not None)
        self._rooms = tuple(_room(room, points[room.name]) for room in site.rooms)
        self._powers_w = site.load_powers_w

    def request(
        self,
        snapshot: Snapshot,
        plan: AcceptedPlan | None,
        state: State,
        memory: Mapping[str, DeviceMemory],
    ) -> dict[str, LoadRequest]:
        """Tells what to ask for in this cycle, by load; ``memory`` is that of the load switches."""
        planned = self._planned(plan, state, snapshot.time_ns)
        requests = {load.name: _of_load(load, planned.get(load.name)) for load in self._loads}
        for room in self._rooms:
            temperature_c = snapshot.good(room.name, Signal.ROOM_TEMPERATURE_C)
            was_on = _was_on(memory.get(room.name, {}))
            requests[room.name] = _of_room(
                room, planned.get(room.name), temperature_c, was_on=was_on
            )
        return requests

    def _planned(self, plan: AcceptedPlan | None, state: State, now_ns: int) -> dict[str, _Planned]:
        if plan is None or state is State.ERROR:
            return {}
        slot = plan.slot_at(now_ns)
        if slot is None:
            return {}
        over = plan.share_over(now_ns)
        return {
            load.name: _Planned(
                share=load.power_w / self._powers_w[load.name],
                over=over,
                temperature_c=load.temperature_c,
            )
            for load in slot.loads
        }


def _room(room: HeatedRoom, points: Collection[Point]) -> _Room:
    lows_c = [row.low_c for row in room.comfort]
    return _Room(
        name=room.name,
        coldest_c=min(lows_c),
        low_c=max(lows_c),
        high_c=max(row.high_c for row in room.comfort),
        is_thermostat=Point.ROOM_SETPOINT_C in points,
    )


def _was_on(memory: DeviceMemory) -> bool:
    """Says whether its relay was last told to be on: what it shows may be a minute old."""
    told = memory.get(Point.LOAD_ON)
    return told is not None and told.value > 0.0


def _of_load(load: FlexibleLoad, planned: _Planned | None) -> LoadRequest:
    if planned is None:
        return LoadRequest(
            on=load.without_plan == "on",
            setpoint_c=None,
            source=LoadSource.LOCAL_RULE,
            reason=f"no plan for it: {load.without_plan}",
        )
    return LoadRequest(
        on=planned.is_on, setpoint_c=None, source=LoadSource.PLAN, reason=_told(planned)
    )


def _of_room(
    room: _Room, planned: _Planned | None, temperature_c: float | None, *, was_on: bool
) -> LoadRequest:
    on, reason = _heating(room, planned, temperature_c, was_on=was_on)
    return LoadRequest(
        on=on,
        setpoint_c=_setpoint_c(room, planned) if room.is_thermostat else None,
        source=LoadSource.LOCAL_RULE if planned is None else LoadSource.PLAN,
        reason=reason,
    )


def _setpoint_c(room: _Room, planned: _Planned | None) -> float:
    """Returns what the plan expects, within the comfort, in °C; NaN becomes the lower end."""
    if planned is None or planned.temperature_c is None:
        return room.low_c
    return min(max(room.coldest_c, planned.temperature_c), room.high_c)


def _heating(
    room: _Room, planned: _Planned | None, temperature_c: float | None, *, was_on: bool
) -> tuple[bool, str]:
    """Says whether to heat now, and why."""
    if temperature_c is None:
        return False, "how warm it is cannot be read"
    if room.is_thermostat:
        return True, "the thermostat heats by itself"
    shown = f"{temperature_c:g} °C"
    if planned is None:
        off_c = min(room.low_c + LOCAL_BAND_K, room.high_c)
        on = _is_cold(temperature_c, room.low_c, off_c, was_on=was_on)
        return on, f"no plan for it: {shown}, to be {room.low_c:g} to {off_c:g} °C"
    if not _is_cold(temperature_c, room.high_c - WARM_BAND_K, room.high_c, was_on=was_on):
        return False, f"warm enough: {shown}, at most {room.high_c:g} °C"
    return planned.is_on, _told(planned)


def _is_cold(temperature_c: float, on_c: float, off_c: float, *, was_on: bool) -> bool:
    """Judges as a thermostat does: up to ``on_c``, and between it and ``off_c`` as it was."""
    return temperature_c < off_c and (was_on or temperature_c <= on_c)


def _told(planned: _Planned) -> str:
    return f"planned for the first {100.0 * planned.share:.0f} % of this slot"
