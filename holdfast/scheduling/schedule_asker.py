"""The schedule of a site.yaml asks, entry by entry, in the words of a plan."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from holdfast.calendars.expansion import ScheduledWindow, expand
from holdfast.core.asked_slot import AskedBy, AskedSlot, SlotTerms
from holdfast.core.config import Site
from holdfast.core.config.schedule import IcsCalendar, ScheduleEntry
from holdfast.core.slot_mode import SlotMode

_log = logging.getLogger(__name__)
_HOUR = timedelta(hours=1)
Stamps = tuple[tuple[int, int, int] | None, ...]


class ScheduleAsker:
    """Asks what the schedule says; looks into it anew each hour, and when a calendar changes."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._files = [
            Path(calendar.path)
            for calendar in site.schedule.calendars.values()
            if isinstance(calendar, IcsCalendar)
        ]
        self._key: tuple[datetime, Stamps] | None = None
        self._slots: tuple[AskedSlot, ...] = ()
        self.problem = ""

    def asked(self, now_utc: datetime, until: datetime) -> Sequence[AskedSlot]:
        """Returns what the schedule asks for."""
        if not self._site.schedule.entries:
            return ()
        hour = now_utc.replace(minute=0, second=0, microsecond=0)
        key = (hour, tuple(_stamp(path) for path in self._files))
        if key != self._key:
            self._key = key
            self._look(hour, hour + (until - now_utc) + 2 * _HOUR)
        return [slot for slot in self._slots if now_utc < slot.end and slot.start < until]

    def _look(self, since: datetime, until: datetime) -> None:
        found = expand(self._site, since, until)
        self._slots = tuple(asked_by_schedule(window) for window in found.windows)
        problem = "; ".join(found.problems)
        if problem not in ("", self.problem):
            _log.warning("%s", problem)
        self.problem = problem


def asked_by_schedule(window: ScheduledWindow) -> AskedSlot:
    """Returns what the entry of ``window`` asks for in it."""
    entry = window.entry
    mode, power_w, terms = _in_plan(entry)
    because = f" ({window.because})" if window.because else ""
    return AskedSlot(
        start=window.start,
        end=window.end,
        by=AskedBy.SCHEDULE,
        who=entry.name,
        reason=f"{in_words(entry)}{because}",
        mode=mode,
        battery_power_w=power_w,
        terms=terms,
    )


def _in_plan(entry: ScheduleEntry) -> tuple[SlotMode | None, float, SlotTerms]:
    target_pct, reserve_pct = entry.soc_target_pct, entry.reserve_pct
    power_w = entry.power_w or 0.0
    mode: SlotMode | None
    match entry.mode:
        case "charge":
            mode = SlotMode.POWER if target_pct is None else SlotMode.CHARGE_ONLY
        case "discharge":
            mode, power_w = SlotMode.POWER, -power_w
            if target_pct is not None:
                # Discharging ends there, as at a reserve.
                reserve_pct = max(target_pct, reserve_pct or 0.0)
                target_pct = None
        case None:
            mode = None
        case _:
            mode = SlotMode(entry.mode)
    terms = SlotTerms(
        grid_target_w=entry.grid_target_w,
        soc_target_pct=target_pct,
        soc_ceiling_pct=entry.soc_ceiling_pct,
        reserve_pct=reserve_pct,
        import_max_w=entry.import_max_w,
        export_max_w=entry.export_max_w,
    )
    return mode, power_w, terms


_DOES = {
    "self_consumption": "follow load and PV",
    "hold": "store surplus, serve no load",
    "passive": "rest",
    "charge": "charge",
    "discharge": "discharge",
    "charge_only": "charge, and never discharge",
    "soc": "reach a state of charge",
    "full_charge": "become full",
    "pv_optimizer": "keep room for the sun to come",
    "peak_shaving": "serve what is above the cap",
    "load_balancer": "level what the grid delivers",
    "commercial": "keep the load profile's caps",
}
_ASKED = {
    "power_w": "with {:g} W",
    "grid_target_w": "grid at {:g} W",
    "soc_target_pct": "to {:g} %",
    "soc_ceiling_pct": "store no more than {:g} %",
    "reserve_pct": "keep {:g} %",
    "import_max_w": "import no more than {:g} W",
    "export_max_w": "export no more than {:g} W",
}


def in_words(entry: ScheduleEntry) -> str:
    """Tells what ``entry`` asks for."""
    words = [] if entry.mode is None else [_DOES[entry.mode]]
    values = ((text, getattr(entry, name)) for name, text in _ASKED.items())
    words += [text.format(value) for text, value in values if value is not None]
    return ", ".join(words)


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
