"""What waits is put to the optimizer: loads in their windows, rooms with their comfort."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.core.config import Site
from holdfast.core.config.loads import FlexibleLoad, HeatedRoom
from holdfast.core.config.local_window import lies_in
from holdfast.core.errors import PlanFailed
from holdfast.core.interval import Interval
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.optimization.flexible_program import room_temperatures
from holdfast.optimization.problem import Array, PlanProblem
from holdfast.optimization.site_problem import ModeRules, Room, ShiftableLoad
from holdfast.scheduling.loads.progress import LoadsNow, ModeState, delivered_wh, left_wh
from holdfast.scheduling.loads.windows import windows_of

_ROOM_OLDEST = timedelta(hours=1)
"""A room may have cooled by a kelvin or two since; its own thermometer leads it then."""
_SLOT_MINUTES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Tells what can be planned of loads and rooms."""

    loads: tuple[ShiftableLoad, ...] = ()
    windows: tuple[Interval, ...] = ()
    """Each of the loads has its window here."""
    rooms: tuple[Room, ...] = ()
    notes: tuple[str, ...] = ()
    """They tell what cannot be planned, and why."""


def waiting_of(
    site: Site,
    intervals: list[Interval],
    now: LoadsNow,
    forecast: SiteForecast,
    base: PlanProblem,
) -> Waiting:
    """Returns the loads and rooms of ``site`` over ``intervals``, beside ``base``."""
    zone = ZoneInfo(site.timezone)
    loads, windows = shiftable_loads(site, intervals, now)
    rooms: list[Room] = []
    notes: list[str] = []
    outdoor_c = _outdoor_c(intervals, forecast) if site.rooms else None
    for room in site.rooms:
        state = now.rooms.get(room.name)
        if outdoor_c is None:
            notes.append(f"{room.name} is not planned: no outdoor temperature is known")
        elif state is None:
            notes.append(f"{room.name} is not planned: its temperature is not known")
        elif abs(intervals[0].start - state.utc) > _ROOM_OLDEST:
            local = state.utc.astimezone(zone)
            notes.append(f"{room.name} is not planned: its temperature is of {local:%a %H:%M}")
        else:
            comfort = _comfort(room, intervals, zone)
            rooms.append(_room(room, state.temperature_c, outdoor_c, comfort, base))
    return Waiting(loads=loads, windows=windows, rooms=tuple(rooms), notes=tuple(notes))


def shiftable_loads(
    site: Site, intervals: list[Interval], now: LoadsNow
) -> tuple[tuple[ShiftableLoad, ...], tuple[Interval, ...]]:
    """Returns what each load needs in each of its windows, and the windows.

    It needs as much as has to be within the plan.
    """
    zone = ZoneInfo(site.timezone)
    found: list[tuple[ShiftableLoad, Interval]] = []
    for load in site.loads:
        for window in windows_of(load, zone, intervals[0].start, intervals[-1].end):
            part = _in_window(load, window, intervals, delivered_wh(now, load, window))
            if part is not None:
                found.append((part, window))
    return tuple(part for part, _ in found), tuple(window for _, window in found)


def mode_rules(site: Site, intervals: list[Interval], state: ModeState | None) -> ModeRules | None:
    """Tells which modes the plan may take; None if the inverter is not led by modes."""
    allowed, dwell_minutes = site.planner.device_modes, site.planner.device_mode_dwell_minutes
    if not allowed:
        return None
    dwell_slots = -(-dwell_minutes // _SLOT_MINUTES)
    if state is None or state.mode not in allowed:
        return ModeRules(allowed=allowed, dwell_slots=dwell_slots)
    # After a step of the clock it may have begun later than now.
    until = min(state.since, intervals[0].start) + timedelta(minutes=dwell_minutes)
    return ModeRules(
        allowed=allowed,
        dwell_slots=dwell_slots,
        now=state.mode,
        kept_slots=sum(interval.start < until for interval in intervals),
    )


def _in_window(
    load: FlexibleLoad, window: Interval, intervals: list[Interval], had_wh: float
) -> ShiftableLoad | None:
    needed_wh = left_wh(load, had_wh)
    has_begun = load.runs_through and had_wh > 0.0
    inside = [
        slot
        for slot, interval in enumerate(intervals)
        if window.start <= interval.start and interval.end <= window.end
    ]
    later_h = _hours(intervals[-1].end, window.end)
    if later_h > 0.0:
        most_wh = sum(_hours(intervals[slot].start, intervals[slot].end) for slot in inside)
        needed_wh = _not_later(
            load, needed_wh, most_wh * load.power_w, later_h * load.power_w, has_begun=has_begun
        )
    if not needed_wh > 0.0:
        return None
    if not inside:
        raise PlanFailed(f"{load.name}: no slot lies in its window, {window.start} to {window.end}")
    return ShiftableLoad(
        name=load.name,
        energy_wh=needed_wh,
        power_max_w=load.power_w,
        first_slot=inside[0],
        last_slot=inside[-1],
        runs_through=load.runs_through,
        has_begun=has_begun,
    )


def _not_later(
    load: FlexibleLoad, needed_wh: float, most_wh: float, later_wh: float, *, has_begun: bool
) -> float:
    """Returns what a load, in Wh, must have before the plan ends, with ``later_wh`` yet possible.

    The rest waits until the prices of its whole window are known.
    """
    if has_begun:
        return min(needed_wh, most_wh)
    if load.runs_through:
        return 0.0 if needed_wh <= later_wh else min(needed_wh, most_wh)
    return max(needed_wh - later_wh, 0.0)


def _room(
    room: HeatedRoom,
    temperature_c: float,
    outdoor_c: Array,
    comfort: tuple[Array, Array],
    base: PlanProblem,
) -> Room:
    low_c, high_c = comfort
    dearest_per_kwh = max(float(base.import_price_per_kwh.max()), 0.0)
    asked = Room(
        name=room.name,
        power_max_w=room.power_max_w,
        heat_per_power=room.heat_per_power,
        capacity_wh_per_k=room.capacity_wh_per_k,
        loss_w_per_k=room.loss_w_per_k,
        temperature_now_c=temperature_c,
        outdoor_c=outdoor_c,
        gains_w=np.zeros(base.slots),
        low_c=low_c,
        high_c=high_c,
        discomfort_cost_per_k_h=room.discomfort_cost_per_k_h,
        # To let it cool before the end never pays, whatever the price is then.
        end_cost_per_k=dearest_per_kwh * room.capacity_wh_per_k / 1e3 / room.heat_per_power,
    )
    unheated_c = room_temperatures(asked, np.zeros(base.slots), base.dt_h)
    # A warm day is nothing that a heater could mend.
    return replace(asked, high_c=np.maximum(high_c, unheated_c))


def _comfort(room: HeatedRoom, intervals: list[Interval], zone: ZoneInfo) -> tuple[Array, Array]:
    """Returns the lowest and highest temperature of each slot, by the local clock."""
    rows = [
        next(row for row in room.comfort if lies_in(row, interval.start, zone))
        for interval in intervals
    ]
    return np.array([row.low_c for row in rows]), np.array([row.high_c for row in rows])


def _outdoor_c(intervals: list[Interval], forecast: SiteForecast) -> Array | None:
    """Returns the outdoor temperature of each slot, in °C.

    Where there is none it is the one known last; None if there is none at all.
    """
    values = [forecast.temperature_at(interval.start) for interval in intervals]
    known = [value for value in values if value is not None]
    if not known:
        return None
    last_c, outdoor_c = known[0], []
    for value in values:
        last_c = last_c if value is None else value
        outdoor_c.append(last_c)
    return np.array(outdoor_c)


def _hours(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(hours=1)
