"""The incident recorder keeps the last cycles, and writes those around an incident to the disk.

A cycle that nothing happens in costs a reference to what it was made of anyway. What is kept is
encoded in slices behind the cycles that follow, each far shorter than a period; a thread waits for
the disk. Whatever fails in it, control goes on.
"""

import asyncio
import logging
import platform
import time
import zlib
from collections import deque
from typing import Final

from holdfast import __version__
from holdfast.control.cycle import CycleRecord, CycleState, Inputs
from holdfast.core.config import Site
from holdfast.core.config.device import is_file
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.monitoring.replay.causes import FAILED, CauseFinder, FoundCause, cause
from holdfast.monitoring.replay.kept_cycle import KeptCycle, RaisedCycle, RanCycle
from holdfast.monitoring.replay.recording import (
    CycleEncoder,
    RecordingCause,
    RecordingEnd,
    RecordingHead,
    TableUsed,
    Wiring,
    end_line,
    head_line,
)
from holdfast.monitoring.replay.rerun import told_error
from holdfast.monitoring.replay.scrubbing import scrubbed
from holdfast.runtime.audit.trail import AuditTrail
from holdfast.runtime.incident_folder import IncidentFolder
from holdfast.site.devices import (
    devices,
    expected_signals,
    point_traits,
    site_ages,
    writable_points,
)
from holdfast.site.digest import site_digest

_log = logging.getLogger(__name__)

BEFORE_NS: Final = 30 * NS_PER_S
AFTER_NS: Final = 10 * NS_PER_S
MOST_BEFORE, MOST_AFTER = 1000, 500
"""So many cycles are kept at most, however short they are,"""
MOST_BEFORE_OF_UNITS: Final = 2000
"""and of so many units: what they hold is memory, some 7 kB for one unit, 4 kB for each more."""
STATES: Final = 5
"""So many of the cycles that are kept have the state before them: of those before an incident, a
fifth may be of no use."""
LONGEST_NS: Final = 3 * AFTER_NS
"""An incident in which ever more happens ends all the same."""
SLICE_NS: Final = NS_PER_MS // 2
AN_HOUR: Final = {True: 12, False: 4}
"""So many recordings are made in an hour, by whether the site stays off."""
HOUR_NS: Final = 3600 * NS_PER_S
CLOSE_NS: Final = 3 * NS_PER_S // 2
"""So long the end of the process waits for what is not yet on the disk; all of it takes a tenth."""
_GZIP: Final = 31
_MOST_CAUSES: Final = 20


class IncidentRecorder:
    """Hears of every cycle."""

    def __init__(self, site: Site, folder: IncidentFolder, audit: AuditTrail | None) -> None:
        self._folder = folder
        self._audit = audit
        period_ns = site.cycle.period_ms * NS_PER_MS
        self._most_after = max(min(AFTER_NS // period_ns, MOST_AFTER), 1)
        most_before = min(MOST_BEFORE, MOST_BEFORE_OF_UNITS // len(site.storage))
        before = max(min(BEFORE_NS // period_ns, most_before), STATES)
        self._slice_ns = min(period_ns // 40, SLICE_NS)
        self._ring: deque[KeptCycle] = deque(maxlen=before)
        self._state_every = before // STATES
        self._until_state = 0
        self._head = head_line(_head_of(site), scrubbed(site))
        self._finder = CauseFinder()
        self._open: _OpenIncident | None = None
        self._begun: dict[bool, deque[int]] = {
            latches: deque(maxlen=most) for latches, most in AN_HOUR.items()
        }
        self._left_out = 0
        self._saving: asyncio.Task[None] | None = None
        self._problem = ""
        self._failed = False

    def ran(self, before: CycleState, record: CycleRecord) -> None:
        """A cycle ran, from the state ``before`` it."""
        if self._failed:
            return
        try:
            self._keep(RanCycle(record=record, before=self._state_due(before)))
            found = self._finder.find(before.machine, record)
            if found is not None:
                self._begin(found)
            if self._open is not None:
                self._go_on(self._open)
        except Exception:  # noqa: BLE001 - whatever it is, it is not worth a cycle
            self._fails()

    def raised(self, before: CycleState, inputs: Inputs, error: Exception) -> None:
        """A cycle raised, and the process will end."""
        if self._failed:
            return
        try:
            text = told_error(error)
            self._keep(RaisedCycle(inputs=inputs, error=text, before=before))
            self._begin(FoundCause(cause=cause(inputs, FAILED, text), latches=True))
        except Exception:  # noqa: BLE001 - the site has to be brought to rest
            self._fails()

    async def close(self) -> None:
        """Writes what is not yet on the disk, as far as there is time for it."""
        end_ns = time.monotonic_ns() + CLOSE_NS
        await self._saved_until(end_ns)
        if self._open is not None and self._saving is None and not self._failed:
            try:
                self._open.encode(end_ns - time.monotonic_ns())
                self._end(self._open)
            except Exception:  # noqa: BLE001 - the process has to end
                self._fails()
            await self._saved_until(end_ns)

    async def _saved_until(self, end_ns: int) -> None:
        left_ns = end_ns - time.monotonic_ns()
        if self._saving is not None and left_ns > 0:
            await asyncio.wait({self._saving}, timeout=left_ns / NS_PER_S)

    # ------------------------------------------------------------------ one cycle

    def _state_due(self, before: CycleState) -> CycleState | None:
        self._until_state -= 1
        if self._until_state >= 0:
            return None
        self._until_state = self._state_every - 1
        return before

    def _keep(self, kept: KeptCycle) -> None:
        self._ring.append(kept)
        if self._open is not None and not self._open.is_over:
            self._open.waiting.append(kept)

    def _begin(self, found: FoundCause) -> None:
        """Begins a recording, or has the one that is open go on for longer."""
        if self._open is not None and not self._open.is_over:
            self._open.goes_on(found.cause, self._most_after)
        elif self._open is None and self._saving is None and self._may_begin(found):
            self._open = _OpenIncident(found.cause, self._head, self._ring, self._most_after)
        else:
            self._left_out += 1

    def _may_begin(self, found: FoundCause) -> bool:
        begun, now_ns = self._begun[found.latches], found.cause.now_ns
        if len(begun) == begun.maxlen and now_ns - begun[0] < HOUR_NS:
            return False
        begun.append(now_ns)
        return True

    def _go_on(self, incident: "_OpenIncident") -> None:
        incident.left -= 1
        incident.encode(self._slice_ns)
        if incident.is_over and not incident.waiting:
            self._end(incident)

    def _end(self, incident: "_OpenIncident") -> None:
        self._open = None
        content = incident.finish(self._left_out)
        self._left_out = 0
        loop = asyncio.get_running_loop()
        self._saving = loop.create_task(self._save(incident, content))

    async def _save(self, incident: "_OpenIncident", content: bytes) -> None:
        first = incident.causes[0]
        try:
            name = await asyncio.to_thread(self._folder.save, first, content)
        except Exception as error:  # noqa: BLE001 - whatever it is, control goes on
            if str(error) != self._problem:
                _log.error("a recording of an incident cannot be kept: %s", error)
            self._problem = str(error)
        else:
            self._problem = ""
            if self._audit is not None:
                self._audit.incident_recorded(name, first.text, incident.cycles)
        self._saving = None

    def _fails(self) -> None:
        self._failed, self._open = True, None
        self._ring.clear()
        _log.critical("incidents are not recorded any more", exc_info=True)


class _OpenIncident:
    """Holds the cycles that wait to be encoded, and what is encoded of them."""

    def __init__(
        self, first: RecordingCause, head: bytes, ring: deque[KeptCycle], most_after: int
    ) -> None:
        self.causes = [first]
        self.cycles = 0
        self.left = most_after
        """Counts the cycles that still belong to it."""
        self._end_ns = first.now_ns + LONGEST_NS
        self.waiting = deque(ring)
        while self.waiting and self.waiting[0].before is None:
            self.waiting.popleft()
        self._encoder = CycleEncoder()
        self._packer = zlib.compressobj(wbits=_GZIP)
        self._packed = [self._packer.compress(head)]

    @property
    def is_over(self) -> bool:
        """Says whether no more cycles belong to it."""
        return self.left <= 0

    def goes_on(self, cause: RecordingCause, most_after: int) -> None:
        """Takes another cause, and the cycles behind it, unless it is long enough."""
        if len(self.causes) < _MOST_CAUSES:
            self.causes.append(cause)
        if cause.now_ns < self._end_ns:
            self.left = most_after

    def encode(self, for_ns: int) -> None:
        """Encodes cycles for so long; one at least."""
        end_ns = time.monotonic_ns() + for_ns
        while self.waiting:
            self._packed.append(self._packer.compress(self._encoder.lines(self.waiting.popleft())))
            self.cycles += 1
            if time.monotonic_ns() >= end_ns:
                break

    def finish(self, left_out: int) -> bytes:
        """Returns the whole recording, as far as it is encoded."""
        end = RecordingEnd(cycles=self.cycles, causes=tuple(self.causes), left_out=left_out)
        self._packed += [self._packer.compress(end_line(end)), self._packer.flush()]
        return b"".join(self._packed)


def _head_of(site: Site) -> RecordingHead:
    return RecordingHead(
        version=__version__,
        python=platform.python_version(),
        configuration=f"{site_digest(site):016x}",
        wiring=wiring_of(site),
        tables=tuple(
            TableUsed(
                owner=owner,
                role=role,
                table="a table of the owner's" if is_file(device.profile) else device.profile,
                connection=device.connection.kind,
            )
            for (owner, role), (_, device) in devices(site).items()
        ),
    )


def wiring_of(site: Site) -> Wiring:
    """Returns what the cycle of a site knows of its devices."""
    return Wiring(
        expected=expected_signals(site),
        points=writable_points(site),
        traits=point_traits(site),
        ages=site_ages(site),
    )
