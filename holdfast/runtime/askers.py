"""Askers of a running site: who asks something of the batteries, in the place of the plan."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from holdfast.calendars.expansion import expand
from holdfast.client.manual_slots import ManualRead, read_manual
from holdfast.core.asked_slot import AskedSlot
from holdfast.core.config import Site
from holdfast.core.config.schedule import IcsCalendar
from holdfast.runtime.rule_desk import RuleDesk
from holdfast.scheduling.asker import Asker
from holdfast.scheduling.manual_asker import asked_by_hand
from holdfast.scheduling.schedule_asker import asked_by_schedule
from holdfast.site.files import SiteFiles, Stamp, file_stamp

_log = logging.getLogger(__name__)
_HOUR = timedelta(hours=1)


class ManualAsker:
    """Asks what people ask for by hand, as their file has it."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._site, self._files = site, files
        self._stamp: Stamp | None = None
        self._read = ManualRead()

    @property
    def problem(self) -> str:
        """Tells why nothing that people ask for counts; empty if it does."""
        return self._read.problem

    def asked(self, now_utc: datetime, until: datetime) -> Sequence[AskedSlot]:
        """Returns what people ask for; reads the file if it has changed."""
        stamp = file_stamp(self._files.manual)
        if stamp != self._stamp:
            self._stamp = stamp
            self._read = read_manual(self._files, self._site, datetime.now(UTC))
            if self._read.problem:
                _log.warning("%s", self._read.problem)
        slots = self._read.slots
        return [asked_by_hand(slot) for slot in slots if now_utc < slot.end and slot.start < until]

    def ended_of(self, ids: set[str], now_utc: datetime) -> list[AskedSlot]:
        """Returns those of ``ids`` that are in the file, and have ended."""
        read = read_manual(self._files, self._site, now_utc)
        return [asked_by_hand(slot) for slot in read.ended if slot.id in ids]


class ScheduleAsker:
    """Asks what the schedule says; looks into it anew each hour, and when a calendar changes."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._files = [
            Path(calendar.path)
            for calendar in site.schedule.calendars.values()
            if isinstance(calendar, IcsCalendar)
        ]
        self._key: tuple[datetime, tuple[Stamp | None, ...]] | None = None
        self._slots: tuple[AskedSlot, ...] = ()
        self.problem = ""

    def asked(self, now_utc: datetime, until: datetime) -> Sequence[AskedSlot]:
        """Returns what the schedule asks for."""
        if not self._site.schedule.entries:
            return ()
        hour = now_utc.replace(minute=0, second=0, microsecond=0)
        key = (hour, tuple(file_stamp(path) for path in self._files))
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


def askers_of(
    site: Site, files: SiteFiles, desk: RuleDesk
) -> tuple[ManualAsker, tuple[Asker, ...]]:
    """Returns who asks by hand, and all others that ask something of ``site``."""
    return ManualAsker(site, files), (*desk.askers, ScheduleAsker(site))
