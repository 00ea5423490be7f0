"""Manual slots lie in a file: who may override the plan writes them, the planner reads them.

The planner lays them over its plan, which the controller judges as any other. The file is read as a
stranger's message: if anything in it is wrong, none of it counts.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.core.config import Site
from holdfast.core.errors import ManualRefused
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.core.texts import MAX_ID, MAX_NAME, MAX_REASON, shown, wrong_with
from holdfast.site.files import SiteFiles, keep_corrupt, write_atomically

MAX_MANUAL_SLOTS = 50
LONGEST = timedelta(hours=24)
"""A slot is no longer than this: what a person forgot ends within a day."""
AHEAD = timedelta(days=7)
"""A slot ends no later than this from now."""
_SET_BACK = timedelta(days=1)
"""A clock may be set back by this much, and what was in order still is."""
_MAX_BYTES = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualRead:
    """Holds what the file says at one time."""

    slots: tuple[ManualSlot, ...] = ()
    """They are those that have not ended, in the order of time; none overlaps another."""
    problem: str = ""
    """Tells why the file does not count; empty if it does, or there is none."""
    ended: tuple[ManualSlot, ...] = ()
    """They are those that have ended, and are still in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """This is what the file holds."""

    slots: tuple[ManualSlot, ...]


_CONTENT = TypeAdapter(_Content)


def read_manual(files: SiteFiles, site: Site, now_utc: datetime) -> ManualRead:
    """Returns what people ask of ``site`` from ``now_utc`` on."""
    try:
        with files.manual.open("rb") as file:
            slots = _decoded(file.read(_MAX_BYTES + 1))
        _check_all(slots, site, now_utc)
    except FileNotFoundError:
        return ManualRead()
    except (OSError, ValueError, ManualRefused) as error:
        told = shown(f"{files.manual.name} does not count: {error}", MAX_REASON)
        return ManualRead(problem=told)
    ordered = sorted(slots, key=lambda slot: slot.start)
    return ManualRead(
        slots=tuple(slot for slot in ordered if slot.end > now_utc),
        ended=tuple(slot for slot in ordered if slot.end <= now_utc),
    )


class ManualSlots:
    """Takes what people ask of one site; one process writes, in as many threads as it likes."""

    def __init__(self, files: SiteFiles, site: Site) -> None:
        self._files, self._site = files, site
        self._lock = threading.Lock()

    def current(self) -> ManualRead:
        """Returns what is asked for from now on."""
        return read_manual(self._files, self._site, datetime.now(UTC))

    def add(
        self,
        *,
        start: datetime | None,
        end: datetime,
        mode: ManualMode,
        power_w: float | None,
        by: str,
        owner: str = "",
    ) -> ManualSlot:
        """Takes what ``by`` asks for, and returns it; of what was asked before the rest stays.

        It begins now if ``start`` is None or over. ``power_w`` is in W, > 0; ``owner`` has the
        battery while Holdfast stands aside. Raises ManualRefused, and OSError if it cannot be
        brought to disk.
        """
        now_utc = datetime.now(UTC)
        slot = ManualSlot(
            id=_new_id(),
            start=now_utc if start is None else max(_in_utc("start", start), now_utc),
            end=_in_utc("end", end),
            mode=mode,
            power_w=power_w,
            by=by,
            made=now_utc,
            owner=owner,
        )
        _check(slot, self._site, now_utc)
        if slot.end > now_utc + AHEAD:
            raise ManualRefused(f"end: may be no more than {AHEAD.days} days ahead")
        with self._lock:
            before = read_manual(self._files, self._site, now_utc)
            if before.problem:
                keep_corrupt(self._files.manual)
            slots = (*_cut(before.slots, slot), slot)
            if len(slots) > MAX_MANUAL_SLOTS:
                raise ManualRefused(f"there may be {MAX_MANUAL_SLOTS} slots; remove one first")
            self._write(slots)
        return slot

    def remove(self, slot_id: str) -> bool:
        """Removes a slot; False if there is none of this id. Raises OSError."""
        with self._lock:
            before = self.current().slots
            rest = [slot for slot in before if slot.id != slot_id]
            if len(rest) == len(before):
                return False
            self._write(rest)
        return True

    def _write(self, slots: Iterable[ManualSlot]) -> None:
        ordered = sorted(slots, key=lambda slot: slot.start)
        write_atomically(self._files.manual, to_json(_Content(slots=tuple(ordered))))


def power_limit_w(site: Site, mode: ManualMode) -> float:
    """Returns the most that may be asked for in ``mode``, in W; 0 W where no power is asked for."""
    hardware_w = {
        ManualMode.CHARGE: site.charge_power_max_w,
        ManualMode.DISCHARGE: site.discharge_power_max_w,
    }.get(mode, 0.0)
    return min(hardware_w, site.limited_power_w) if site.authority == "limited" else hardware_w


def _cut(slots: Iterable[ManualSlot], new: ManualSlot) -> Iterator[ManualSlot]:
    """Yields what ``new`` leaves of ``slots``: the newest wins."""
    for slot in slots:
        if slot.start < new.start:
            yield replace(slot, end=min(slot.end, new.start))
        if slot.end > new.end:
            is_split = slot.start < new.start
            yield replace(
                slot,
                id=_new_id() if is_split else slot.id,
                start=max(slot.start, new.end),
            )


def _decoded(content: bytes) -> tuple[ManualSlot, ...]:
    """Returns the slots of a file, yet to be checked. Raises ValueError."""
    if len(content) > _MAX_BYTES:
        raise ValueError(f"it has more than {_MAX_BYTES} bytes")
    return _CONTENT.validate_json(content, strict=True).slots


def _check_all(slots: tuple[ManualSlot, ...], site: Site, now_utc: datetime) -> None:
    """Raises ManualRefused with the first thing that is wrong."""
    if len(slots) > MAX_MANUAL_SLOTS:
        raise ManualRefused(f"has {len(slots)} slots, and {MAX_MANUAL_SLOTS} are permitted")
    for slot in slots:
        _check(slot, site, now_utc)
    if len({slot.id for slot in slots}) < len(slots):
        raise ManualRefused("two slots have the same id")
    for before, after in pairwise(sorted(slots, key=lambda slot: slot.start)):
        if after.start < before.end:
            raise ManualRefused(f"slots {before.id} and {after.id} overlap")


def _check(slot: ManualSlot, site: Site, now_utc: datetime) -> None:
    for name, text, most in (("id", slot.id, MAX_ID), ("by", slot.by, MAX_NAME)):
        wrong = wrong_with(text, most) if text else "is empty"
        if wrong is not None:
            raise ManualRefused(f"{name}: {wrong}")
    for name, time in (("start", slot.start), ("end", slot.end), ("made", slot.made)):
        if time.utcoffset() != timedelta(0):
            raise ManualRefused(f"{name}: is not in UTC")
    if not slot.end > slot.start:
        raise ManualRefused("end: must be after start, and after now")
    if slot.end - slot.start > LONGEST:
        hours = LONGEST // timedelta(hours=1)
        raise ManualRefused(f"end: a slot may last {hours} hours at most")
    if slot.end > now_utc + AHEAD + _SET_BACK:
        raise ManualRefused(f"end: may be no more than {AHEAD.days} days ahead")
    _check_power(slot, site)
    _check_owner(slot)


def _check_owner(slot: ManualSlot) -> None:
    if slot.mode is not ManualMode.STAND_ASIDE:
        wrong = f"there is none in mode {slot.mode}; leave it out" if slot.owner else None
    elif not slot.owner:
        wrong = "name who has the battery meanwhile, such as the installer"
    else:
        wrong = wrong_with(slot.owner, MAX_NAME)
    if wrong is not None:
        raise ManualRefused(f"owner: {wrong}")


def _check_power(slot: ManualSlot, site: Site) -> None:
    limit_w = power_limit_w(site, slot.mode)
    if limit_w == 0.0:
        if slot.power_w is not None:
            raise ManualRefused(f"power_w: there is none in mode {slot.mode}; leave it out")
    elif slot.power_w is None or not 0.0 < slot.power_w <= limit_w:
        raise ManualRefused(
            f"power_w: to {slot.mode} this site needs more than 0 and at most {limit_w:g} W"
        )


def _in_utc(name: str, time: datetime) -> datetime:
    if time.tzinfo is None:
        raise ManualRefused(f"{name}: lacks its time zone, such as Z for UTC")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise ManualRefused(f"{name}: is no time of a site") from None


def _new_id() -> str:
    return os.urandom(6).hex()
