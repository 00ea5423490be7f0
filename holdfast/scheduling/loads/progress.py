"""Progress keeps what is known of loads, rooms and the device's mode between two plans.

Energy is what a switch's reading says: on, at the load's power. Time in which nobody looked is not
counted. Of a load without a switch nobody tells whether it ran; it is taken to follow the plan.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.core.config import Site
from holdfast.core.config.loads import FlexibleLoad
from holdfast.core.device_mode import DeviceMode
from holdfast.core.interval import Interval
from holdfast.core.plan import SHARE_MIN, Plan
from holdfast.core.quarter_hours import QUARTER
from holdfast.scheduling.loads.windows import present_window

_GAP = timedelta(minutes=2)
"""A reading says nothing of what came this long after it."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadState:
    """Tells what a flexible load had in one of its windows."""

    window_end: datetime
    """It tells which window; it is aware, UTC."""
    delivered_wh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomState:
    """Holds the last good temperature of a room."""

    temperature_c: float
    utc: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeState:
    """Holds the mode that plans gave the inverter last."""

    mode: DeviceMode
    since: datetime
    """It is aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadsNow:
    """Tells a plan what is known of them. What is not there is not known."""

    loads: Mapping[str, LoadState] = field(default_factory=dict)
    """If nothing is known, nothing was delivered."""
    rooms: Mapping[str, RoomState] = field(default_factory=dict)
    mode: ModeState | None = None


def delivered_wh(now: LoadsNow, load: FlexibleLoad, window: Interval) -> float:
    """Returns what ``load`` had in ``window``, in Wh."""
    state = now.loads.get(load.name)
    return state.delivered_wh if state is not None and state.window_end == window.end else 0.0


def left_wh(load: FlexibleLoad, had_wh: float) -> float:
    """Returns what ``load`` needs yet, in Wh; nothing, if that is less than a slot can give."""
    left = load.energy_wh - had_wh
    return left if left > SHARE_MIN * load.power_w * (QUARTER / _HOUR) else 0.0


class LoadProgress:
    """Keeps count of one site; bounded by what its configuration names."""

    def __init__(self, site: Site, known: LoadsNow | None = None) -> None:
        known = LoadsNow() if known is None else known
        self._powers_w = site.load_powers_w
        self._flexible = {load.name: load for load in site.loads}
        self._switches = frozenset(site.switches)
        self._rooms = frozenset(room.name for room in site.rooms)
        self._zone = ZoneInfo(site.timezone)
        self._now = replace(
            known,
            loads={name: known.loads[name] for name in self._flexible if name in known.loads},
            rooms={name: known.rooms[name] for name in self._rooms if name in known.rooms},
        )
        self._plan: Plan | None = None
        self._seen: datetime | None = None
        self._assumed_until: datetime | None = None
        self._on: frozenset[str] = frozenset()
        """These were on when somebody looked last."""

    @property
    def now(self) -> LoadsNow:
        """Returns what is known."""
        return self._now

    def observe(self, utc: datetime, on: Mapping[str, bool], room_c: Mapping[str, float]) -> None:
        """Takes in what switches and thermometers say at ``utc`` (aware); missing is not known."""
        since, self._seen = self._seen, utc
        if since is not None and timedelta(0) < utc - since <= _GAP:
            for name in self._on & self._flexible.keys():
                self._count(name, Interval(start=since, end=utc), self._powers_w[name])
        self._assume(utc)
        self._on = frozenset(name for name, is_on in on.items() if is_on) & self._switches
        rooms = dict(self._now.rooms)
        for name in self._rooms & room_c.keys():
            rooms[name] = RoomState(temperature_c=room_c[name], utc=utc)
        self._now = replace(self._now, rooms=rooms)

    def follow(self, plan: Plan) -> None:
        """From its first slot on ``plan`` is followed, and until then the one before."""
        start = plan.slots[0].start
        self._assume(start)
        self._note_mode(start, plan.slots[0].device_mode)
        self._plan, self._assumed_until = plan, start

    def taken_w(self, utc: datetime, on: Mapping[str, bool]) -> float | None:
        """Returns in W what could have waited of the load that is measured.

        Returns None if a switch is not known.
        """
        if not self._switches <= on.keys():
            return None
        passed = Interval(start=utc, end=utc + timedelta(microseconds=1))
        assumed_w = sum(power_w for _, _, power_w in self._assumed(passed))
        return assumed_w + sum(self._powers_w[name] for name in self._switches if on[name])

    def _assume(self, utc: datetime) -> None:
        """Until ``utc`` loads without a switch, and the inverter, did as the plan says."""
        passed = Interval(start=self._assumed_until or utc, end=utc)
        self._assumed_until = utc
        for name, part, power_w in self._assumed(passed):
            self._count(name, part, power_w)
        if self._plan is not None:
            for slot in self._plan.slots:
                if slot.start >= min(passed.end, self._plan.expires):
                    break
                if slot.end > passed.start:
                    self._note_mode(slot.start, slot.device_mode)

    def _assumed(self, passed: Interval) -> Iterator[tuple[str, Interval, float]]:
        if self._plan is None or self._switches >= self._flexible.keys():
            return
        until = min(passed.end, self._plan.expires)
        for slot in self._plan.slots:
            if slot.start >= until:
                return
            part = Interval(start=max(slot.start, passed.start), end=min(slot.end, until))
            if part.start < part.end:
                for planned in slot.loads:
                    if planned.name not in self._switches:
                        yield planned.name, part, planned.power_w

    def _count(self, name: str, passed: Interval, power_w: float) -> None:
        load = self._flexible[name]
        window = present_window(load, self._zone, passed.start)
        if window is None:
            return
        had_wh = delivered_wh(self._now, load, window)
        had_wh += power_w * ((passed.end - passed.start) / _HOUR)
        state = LoadState(window_end=window.end, delivered_wh=had_wh)
        self._now = replace(self._now, loads={**self._now.loads, name: state})

    def _note_mode(self, since: datetime, mode: DeviceMode | None) -> None:
        known = self._now.mode
        if mode is not None and (known is None or known.mode is not mode):
            self._now = replace(self._now, mode=ModeState(mode=mode, since=since))
