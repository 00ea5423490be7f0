"""The controller process as it is, with one addition: it keeps the times of every cycle.

The published histograms are too coarse for a p99.9. Everything else is the product's own entry
point; only its loop is replaced by one that looks at the clock.
"""

import struct
import sys
import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from unittest import mock

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.units import NS_PER_MS
from holdfast.runtime import controller
from holdfast.runtime.control_loop import ControlLoop
from holdfast.site.files import SiteFiles

_TICK = struct.Struct("<qqq")
_CYCLE = struct.Struct("<qqq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One wake-up of the loop. Times are monotonic."""

    deadline_ns: int
    """The earliest deadline that it serves."""
    woke_ns: int
    missed: int
    """Deadlines that passed before it woke, beyond the one that it serves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleTimes:
    """One cycle."""

    end_ns: int
    """Monotonic."""
    cycle_ns: int
    """From the freezing of the image to the heartbeat."""
    housekeeping_ns: int
    """What followed once the writes had begun."""


class RecordingLoop(ControlLoop):
    """The control loop, with a clock at its ends."""

    ticks: "ClassVar[array[int]]" = array("q")
    cycles: "ClassVar[array[int]]" = array("q")
    ran: "ClassVar[RecordingLoop | None]" = None

    def tick(self, deadline_ns: int, missed: int) -> None:
        """A cycle at its deadline."""
        woke_ns = time.monotonic_ns()
        super().tick(deadline_ns, missed)
        first_ns = deadline_ns - missed * self._site.cycle.period_ms * NS_PER_MS
        self.ticks.extend((first_ns, woke_ns, missed))
        RecordingLoop.ran = self

    def _after(
        self, state: CycleState, record: CycleRecord, before: CycleState, now_ns: int
    ) -> None:
        began_ns = time.monotonic_ns()
        super()._after(state, record, before, now_ns)
        took_ns = time.monotonic_ns() - began_ns
        self.cycles.extend((now_ns, now_ns - record.inputs.now_ns, took_ns))

    def save(self) -> None:
        """Bring what was kept to disk."""
        files = SiteFiles.of(self._site)
        _ticks_file(files).write_bytes(self.ticks.tobytes())
        _cycles_file(files).write_bytes(self.cycles.tobytes())


def read_ticks(files: SiteFiles) -> Iterator[Tick]:
    """All ticks of a controller that has ended."""
    for deadline_ns, woke_ns, missed in _TICK.iter_unpack(_ticks_file(files).read_bytes()):
        yield Tick(deadline_ns=deadline_ns, woke_ns=woke_ns, missed=missed)


def read_cycles(files: SiteFiles) -> Iterator[CycleTimes]:
    """All cycles of a controller that has ended."""
    for end_ns, cycle_ns, after_ns in _CYCLE.iter_unpack(_cycles_file(files).read_bytes()):
        yield CycleTimes(end_ns=end_ns, cycle_ns=cycle_ns, housekeeping_ns=after_ns)


def _ticks_file(files: SiteFiles) -> Path:
    return files.state_dir / "ticks.bin"


def _cycles_file(files: SiteFiles) -> Path:
    return files.state_dir / "cycles.bin"


def main() -> int:
    """Entry point of the process."""
    with mock.patch.object(controller, "ControlLoop", RecordingLoop):
        code = controller.main()
    if RecordingLoop.ran is not None:
        RecordingLoop.ran.save()
    return code


if __name__ == "__main__":
    sys.exit(main())
