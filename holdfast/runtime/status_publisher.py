"""This module publishes the status of the newest cycle that was told of, five times a second."""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.config import Site
from holdfast.core.ports import DeviceDriver
from holdfast.core.texts import MAX_REASON, shown
from holdfast.core.units import NS_PER_MS
from holdfast.monitoring.status.build import Outside, brief_status, build_status
from holdfast.monitoring.status.codec import encode_status
from holdfast.runtime.audit.trail import AuditTrail
from holdfast.runtime.loop_times import LoopTimes
from holdfast.runtime.plan_holder import PlanHolder
from holdfast.runtime.resume import Resume
from holdfast.safety.limit_monitor import LimitMonitor
from holdfast.site.shared_memory import LONGEST_RECORD, RecordWriter

_log = logging.getLogger(__name__)

PUBLISH_EVERY_NS = 200 * NS_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    state: CycleState
    record: CycleRecord
    on_disk: bool
    """Says whether its latches are on disk."""


class StatusPublisher:
    """Writes what others see to shared memory."""

    def __init__(
        self,
        path: Path,
        site: Site,
        monitor: LimitMonitor,
        drivers: Collection[DeviceDriver],
        plans: PlanHolder,
        times: LoopTimes,
        audit: AuditTrail | None,
        resume: Resume,
    ) -> None:
        self._memory = RecordWriter(path)
        self._site = site
        self._monitor = monitor
        self._drivers = drivers
        self._plans = plans
        self._times = times
        self._audit = audit
        self._resume = resume
        self._cycles_rated = {
            unit.name: unit.battery.contactor_cycles_rated for unit in site.storage
        }
        self._newest: _Told | None = None
        self._due_ns = 0
        self._told_why = ""
        """Tells why the last status was brief; empty if it was whole."""

    def tell(self, state: CycleState, record: CycleRecord, *, on_disk: bool, urgent: bool) -> None:
        """Has a cycle shown by the next :meth:`publish` that is due; if ``urgent``, by the next."""
        self._newest = _Told(state=state, record=record, on_disk=on_disk)
        if urgent:
            self._due_ns = 0

    def publish(self) -> None:
        """Publishes what was told of, when its time has come."""
        now_ns = time.monotonic_ns()
        if self._newest is None or now_ns < self._due_ns:
            return
        self._due_ns = now_ns + PUBLISH_EVERY_NS
        told = self._newest
        outside = Outside(
            site=self._site.name,
            currency=self._site.currency,
            authority=self._site.authority,
            utc=datetime.now(UTC),
            plan=self._plans.accepted,
            plan_refused=self._plans.refused,
            latches_on_disk=told.on_disk,
            contactor_cycles_rated=self._cycles_rated,
            comms={driver.name: driver.counters for driver in self._drivers},
            loop=self._times.status(),
            waits_for_start=self._resume.waits,
            audit=None if self._audit is None else self._audit.status(),
        )
        self._memory.publish(self._encoded(told, outside))

    def _encoded(self, told: _Told, outside: Outside) -> bytes:
        """Returns the status, or a brief one where it cannot be told: it never stops control."""
        try:
            content = encode_status(build_status(told.state, told.record, self._monitor, outside))
            if len(content) <= LONGEST_RECORD:
                self._told_why = ""
                return content
            why = f"record too long: {len(content)} bytes, and {LONGEST_RECORD} fit"
        except Exception as error:  # noqa: BLE001 - whatever it is, others hear that it is alive
            why = f"the status cannot be told: {shown(repr(error), MAX_REASON)}"
        if not self._told_why:
            _log.critical("%s", why)
        self._told_why = why
        return encode_status(brief_status(told.state, told.record, outside, why))
