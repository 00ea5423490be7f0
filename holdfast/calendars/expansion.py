"""A schedule is expanded into windows in UTC, and what is left out of it, with the reasons.

An entry belongs to the day on which it begins, by the site's clock. Days have 23 or 25 hours when
clocks are changed (:mod:`holdfast.calendars.local_time`): a window within the hour that is left out
is empty, one around the hour that comes twice is an hour longer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.calendars.day_sets import DaySets
from holdfast.calendars.local_time import day_of, instant_of
from holdfast.calendars.sun import sun_at
from holdfast.core.config import Site
from holdfast.core.config.local_window import DAY_MINUTES, WEEKDAYS
from holdfast.core.config.schedule import ScheduleEntry, minutes_of

_DAY = timedelta(days=1)
_LONGEST_BY_SUN = timedelta(hours=18)
"""A sunset after the clock that was to follow it leaves no window, and none of a whole day."""
_BACK = 3
"""Windows of the days before may still last: one is a day long at most, by the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledWindow:
    """Tells when an entry holds once."""

    entry: ScheduleEntry
    start: datetime
    """The time is aware, UTC."""
    end: datetime
    """The time is aware, UTC; not included."""
    day: date
    """It begins on this day, by the site's clock."""
    because: str = ""
    """Tells what brought it about: a holiday, an event; empty: its days alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowLeftOut:
    """Tells of a window that does not come."""

    name: str
    day: date
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """Holds what a schedule comes to over a stretch of time."""

    windows: tuple[ScheduledWindow, ...]
    """They are in the order of time; none that has a mode meets another one with a mode."""
    left_out: tuple[WindowLeftOut, ...]
    problems: tuple[str, ...]
    """Tell what of the schedule does not count: calendars, entries that meet."""


def expand(site: Site, since: datetime, until: datetime) -> Expansion:
    """Returns the windows of ``site`` that end after ``since`` and begin before ``until``."""
    zone = ZoneInfo(site.timezone)
    days = DaySets(site.schedule, zone, since, until)
    found: list[ScheduledWindow | WindowLeftOut] = []
    for entry in site.schedule.entries:
        found += _of_entry(entry, site, zone, days, since, until)
    windows = [
        each
        for each in found
        if isinstance(each, ScheduledWindow) and each.start < until and each.end > since
    ]
    left_out = [each for each in found if isinstance(each, WindowLeftOut)]
    first_day, last_day = day_of(since, zone), day_of(until, zone)
    windows, exceptions = _overridden(windows)
    windows, meet = _apart(windows, zone)
    order = {entry.name: index for index, entry in enumerate(site.schedule.entries)}
    return Expansion(
        windows=tuple(sorted(windows, key=lambda window: (window.start, order[window.entry.name]))),
        left_out=tuple(
            sorted(
                (each for each in [*left_out, *exceptions] if first_day <= each.day <= last_day),
                key=lambda each: (each.day, order[each.name]),
            )
        ),
        problems=(*days.problems, *meet),
    )


def _of_entry(
    entry: ScheduleEntry,
    site: Site,
    zone: ZoneInfo,
    days: DaySets,
    since: datetime,
    until: datetime,
) -> Iterator[ScheduledWindow | WindowLeftOut]:
    if any(days.is_broken(name) for name in entry.calendars):
        return
    if entry.during is not None:
        for event in days.events(entry.during):
            why = _exception(entry, event.days[0], days)
            if why is not None:
                yield WindowLeftOut(name=entry.name, day=event.days[0], why=why)
            else:
                yield ScheduledWindow(
                    entry=entry,
                    start=event.start,
                    end=event.end,
                    day=event.days[0],
                    because=event.summary,
                )
        return
    day, last = day_of(since, zone) - _BACK * _DAY, day_of(until, zone)
    while day <= last:
        because = _begins_on(entry, day, days)
        if because is not None:
            yield _on_day(entry, day, because, site, zone, days)
        day += _DAY


def _begins_on(entry: ScheduleEntry, day: date, days: DaySets) -> str | None:
    """Returns why an entry begins on ``day``, empty for its days alone; None if it does not."""
    if entry.months is not None and day.month not in entry.months:
        return None
    if entry.days is None and not entry.on_days_of:
        return ""
    if entry.days is not None and WEEKDAYS[day.weekday()] in entry.days:
        return ""
    return next(filter(None, (days.why(name, day) for name in entry.on_days_of)), None)


def _exception(entry: ScheduleEntry, day: date, days: DaySets) -> str | None:
    for name in entry.except_days_of:
        why = days.why(name, day)
        if why is not None:
            return why if why == name else f"{name}: {why}"
    return None


def _on_day(
    entry: ScheduleEntry, day: date, because: str, site: Site, zone: ZoneInfo, days: DaySets
) -> ScheduledWindow | WindowLeftOut:
    why = _exception(entry, day, days)
    if why is not None:
        return WindowLeftOut(name=entry.name, day=day, why=why)
    start = _instant(entry.from_time, day, site, zone)
    end = _instant(entry.to_time, day, site, zone)
    if start is None or end is None:
        return WindowLeftOut(name=entry.name, day=day, why="the sun does not rise and set")
    if end <= start and (entry.by_sun or not _is_within_a_day(entry)):
        end = _instant(entry.to_time, day + _DAY, site, zone) or end
    why = f"{entry.from_time} to {entry.to_time} does not come on this day"
    if entry.by_sun and not timedelta(0) < end - start <= _LONGEST_BY_SUN:
        return WindowLeftOut(name=entry.name, day=day, why=f"{why}: the sun is early or late")
    if end <= start:
        return WindowLeftOut(name=entry.name, day=day, why=f"{why}: clocks go forward")
    return ScheduledWindow(entry=entry, start=start, end=end, day=day, because=because)


def _is_within_a_day(entry: ScheduleEntry) -> bool:
    return minutes_of(entry.from_time) < minutes_of(entry.to_time)


def _instant(text: str, day: date, site: Site, zone: ZoneInfo) -> datetime | None:
    minutes = minutes_of(text)
    if not text.startswith("sun"):
        return instant_of(day + _DAY * (minutes // DAY_MINUTES), minutes % DAY_MINUTES, zone)
    if site.location is None:
        return None
    at = sun_at(
        "sunrise" if "rise" in text else "sunset",
        day,
        site.location.latitude_deg,
        site.location.longitude_deg,
    )
    return None if at is None else at + timedelta(minutes=minutes)


def _overridden(
    windows: Sequence[ScheduledWindow],
) -> tuple[list[ScheduledWindow], list[WindowLeftOut]]:
    """Returns what exceptions leave of the others, and what they take the place of."""
    left: list[ScheduledWindow] = []
    taken: list[WindowLeftOut] = []
    for window in windows:
        pieces = [window]
        for other in windows:
            if window.entry.name in other.entry.overrides and _meet(window, other):
                pieces = [rest for piece in pieces for rest in _without(piece, other)]
                why = f"{other.entry.name} is in its place"
                taken.append(WindowLeftOut(name=window.entry.name, day=window.day, why=why))
        left += pieces
    return left, taken


def _apart(
    windows: Sequence[ScheduledWindow], zone: ZoneInfo
) -> tuple[list[ScheduledWindow], list[str]]:
    """Returns windows of which no two with a mode meet; the entry that stands first has it."""
    kept: list[ScheduledWindow] = []
    told: dict[tuple[str, str], tuple[datetime, str]] = {}
    for window in windows:
        pieces = [window]
        for other in kept if window.entry.mode is not None else ():
            names = (other.entry.name, window.entry.name)
            if other.entry.mode is None or names[0] == names[1] or not _meet(window, other):
                continue
            at = max(window.start, other.start)
            text = (
                f"schedule: {names[0]} and {names[1]} meet on "
                f"{at.astimezone(zone):%Y-%m-%d at %H:%M}; let one override the other, "
                "or except its days"
            )
            told[names] = min(told.get(names, (at, text)), (at, text))
            pieces = [rest for piece in pieces for rest in _without(piece, other)]
        kept += pieces
    return kept, [text for _, text in sorted(told.values())]


def _meet(one: ScheduledWindow, other: ScheduledWindow) -> bool:
    return one.start < other.end and other.start < one.end


def _without(piece: ScheduledWindow, other: ScheduledWindow) -> Iterator[ScheduledWindow]:
    if piece.start < other.start:
        yield replace(piece, end=min(piece.end, other.start))
    if piece.end > other.end:
        yield replace(piece, start=max(piece.start, other.end))
