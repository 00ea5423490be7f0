"""A site that has a past: its audit log and its history are written as a running site does."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from holdfast.api.access import UserRole
from holdfast.api.auth.account_store import AccountStore
from holdfast.api.auth.accounts import Account
from holdfast.core.config import Site
from holdfast.monitoring.audit.events import AuditEvent, ProcessStarted, StateChanged
from holdfast.monitoring.status.codec import encode_status
from holdfast.monitoring.status.schema import CommsStatus
from holdfast.runtime.audit.folder import AuditFolder, Entry
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import make_memory_folder, remove_memory_folder
from holdfast.site.release import hardware_digest
from holdfast.site.shared_memory import RecordWriter
from holdfast.site.site_file import load_site
from holdfast.testing.sites import example_content
from tests.monitoring.history.samples import (
    minutes_of,
    seconds,
    status_at,
    store_in,
)


def site_file(folder: Path, authority: str = "observe") -> Path:
    """Writes a site.yaml that somebody has to release, and returns where it is."""
    content = example_content(folder) | {"authority": authority}
    del content["commissioning"]
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(content))
    SiteFiles.of(load_site(path)).create()
    return path


def started(site: Site, authority: str) -> ProcessStarted:
    """The controller began, in real time."""
    return ProcessStarted(
        version="0.1.0", config_sha256="", authority=authority, period_ms=20, real_time=True,
        emergency_stop=False, faults=(), hardware_sha256=hardware_digest(site),
    )  # fmt: skip


def moved(target: str, event: str, reason: str = "by command") -> StateChanged:
    """The state machine moved."""
    return StateChanged(source="IDLE", target=target, event=event, reasons=(reason,))


def write_log(site: Site, begin: datetime, events: list[tuple[float, AuditEvent]]) -> None:
    """Writes an audit log; times are in h after ``begin``."""
    folder = AuditFolder(SiteFiles.of(site).audit)
    folder.append(
        [
            Entry(utc=begin + timedelta(hours=hours), monotonic_ns=0, event=event)
            for hours, event in events
        ]
    )
    folder.save_head()
    folder.close()


def write_history(site: Site, begin: datetime, hours: int, battery_w: float) -> None:
    """Writes so many hours in which all was known; the battery is charged, then discharged."""
    start = begin - timedelta(seconds=1)
    files = SiteFiles.of(site)
    store = store_in(files.state_dir, int(begin.timestamp()))
    for index, power_w in enumerate((battery_w, -battery_w)):
        (_, minute, *_) = minutes_of(status_at(at, battery_w=power_w) for at in seconds(121, start))
        first_s = int(begin.timestamp()) + index * hours * 1800
        for start_s in range(first_s, first_s + hours * 1800, 60):
            store.write(replace(minute, start_s=start_s, spells=()), start_s + 60)
    store.close()


def make_admin(site: Site) -> None:
    """Makes somebody who may do all."""
    admin = Account(name="jo", role=UserRole.ADMIN, made=datetime.now(UTC))
    folder = SiteFiles.of(site).accounts
    folder.mkdir(mode=0o700, exist_ok=True)
    AccountStore(folder).change(lambda accounts: accounts.having(admin))


@contextmanager
def running(site: Site) -> Iterator[None]:
    """Has the status in shared memory of a site that runs, and whose devices answer."""
    files = SiteFiles.of(site)
    make_memory_folder(files.state_dir)
    comms = CommsStatus(reads=9, writes=0, errors=0, last_error="")
    status = status_at(datetime.now(UTC), comms={"meter": comms})
    try:
        with RecordWriter(files.status) as memory:
            memory.publish(encode_status(replace(status, monotonic_ns=time.monotonic_ns())))
            yield
    finally:
        remove_memory_folder(files.state_dir)
