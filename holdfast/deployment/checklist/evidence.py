"""The evidence is all that the checklist judges by: read once, so that judging is pure."""

import ctypes
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.api.auth.account_store import AccountStore
from holdfast.client.audit_reader import lines_backwards
from holdfast.client.status_reader import StatusReader
from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.deployment.checklist.signatures import Signature, Signatures
from holdfast.deployment.checklist.site_record import KINDS, SiteRecord, site_record
from holdfast.monitoring.audit.events import AuditEvent
from holdfast.monitoring.audit.log_lines import event_of
from holdfast.monitoring.history.energy_rows import EnergyRow
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.notification.ledger import Ledger
from holdfast.monitoring.status.schema import Status
from holdfast.runtime.notification.desk import kept_ledgers
from holdfast.site.examination import Examination, examine
from holdfast.site.files import SiteFiles
from holdfast.site.proof import valid_proof
from holdfast.site.release import hardware_digest

_STEPS_BEGIN = tuple(f'{{"kind":"{kind}"'.encode() for kind in KINDS)
_TIME_ERROR = 5
"""The kernel's clock is not synchronised (adjtimex)."""
_LONGEST = timedelta(days=31)
"""Energies are looked at no further back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Holds what is known of a site and of the computer that it runs on."""

    site: Site
    now: datetime
    hardware: str
    examination: Examination | None
    """None where the site cannot be run as it is;"""
    wrong: str
    """then this says why."""
    unproven: tuple[str, ...]
    """Names the storage units whose inverter was not seen to do what its table says."""
    record: SiteRecord
    hours: tuple[EnergyRow, ...]
    """Holds the whole hours since these devices are there, the oldest first."""
    status: Status | None
    """None while the site does not run."""
    has_admin: bool
    is_clock_right: bool | None
    """Tells whether the computer's clock is synchronised; None: that cannot be known here."""
    free_bytes: int
    ledgers: Mapping[str, Ledger]
    """Holds how each recipient of notices fares, by name."""
    signed: Mapping[str, Signature]
    """Holds what people have signed for these devices, by item."""


def gather(site: Site, now: datetime) -> Evidence:
    """Returns what is known of ``site``. Raises nothing: what cannot be read is not known."""
    files = SiteFiles.of(site)
    hardware = hardware_digest(site)
    record = site_record(_lines(files), hardware)
    examination, wrong = _examined(site)
    return Evidence(
        site=site,
        now=now,
        hardware=hardware,
        examination=examination,
        wrong=wrong,
        unproven=tuple(unit.name for unit in site.storage if valid_proof(site, unit) is None),
        record=record,
        hours=_hours(site, files, record, now),
        status=StatusReader(files).fresh(),
        has_admin=_has_admin(files),
        is_clock_right=_is_clock_right(),
        free_bytes=_free_bytes(files),
        ledgers=kept_ledgers(site, files),
        signed={
            item: one
            for item, one in Signatures(files.signatures).read().items()
            if one.hardware == hardware
        },
    )


def _examined(site: Site) -> tuple[Examination | None, str]:
    """Examines it as one that observes: what it may do is what the checklist is about."""
    try:
        return examine(site.model_copy(update={"authority": "observe"})), ""
    except HoldfastError as error:
        return None, str(error)


def _lines(files: SiteFiles) -> Iterator[tuple[datetime, AuditEvent | None]]:
    try:  # of most lines only the time is kept: the log may be large, and the computer small
        told = [
            (line.time, event_of(line) if line.event.startswith(_STEPS_BEGIN) else None)
            for line in lines_backwards(files.audit)
        ]
    except OSError:
        return
    yield from reversed(told)


def _hours(
    site: Site, files: SiteFiles, record: SiteRecord, now: datetime
) -> tuple[EnergyRow, ...]:
    if record.begun is None:
        return ()
    start = max(record.begun, now - _LONGEST)
    try:
        place = HistoryPlace.of(site.history, files.history_db, os.environ)
        reader = HistoryReader(place, ZoneInfo(site.timezone))
        rows = reader.energy(start, now, TimeStep.HOUR)
    except (HoldfastError, ValueError):
        return ()
    return tuple(row for row in rows if record.begun <= row.start and row.end <= now)


def _has_admin(files: SiteFiles) -> bool:
    try:
        return AccountStore(files.accounts).read().has_admin
    except HoldfastError:
        return False


def _is_clock_right() -> bool | None:
    """Asks the kernel, as ``timedatectl`` does."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        buffer = (ctypes.c_char * 512)()  # struct timex, whose first field says: set nothing
        state = int(libc.adjtimex(buffer))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _TIME_ERROR


def _free_bytes(files: SiteFiles) -> int:
    folder = files.state_dir if files.state_dir.exists() else files.state_dir.parent
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
