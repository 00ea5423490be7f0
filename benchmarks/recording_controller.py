"""The controller process as it is, with one addition: it keeps the times of every tick.

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

from holdfast.control.cycle import CycleRecord
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_MS
from holdfast.runtime import controller
from holdfast.runtime.control_loop import ControlLoop
from holdfast.runtime.files import SiteFiles

_TICK = struct.Struct("<qqqqq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One wake-up of the loop. Times are monotonic."""

    deadline_ns: int
    """The earliest deadline that it serves."""
    woke_ns: int
    missed: int
    """Deadlines that passed before it woke, beyond the one that it serves."""
    cycle_ns: int
    """From the freezing of the image to the heartbeat."""
    tick_ns: int
    """The same with the housekeeping that some ticks have."""


class RecordingLoop(ControlLoop):
    """The control loop, with a clock at its ends."""

    kept: "ClassVar[array[int]]" = array("q")
    ran: "ClassVar[RecordingLoop | None]" = None
    cycle_ns = 0

    def tick(self, deadline_ns: int, missed: int) -> None:
        """A cycle at its deadline."""
        woke_ns = time.monotonic_ns()
        super().tick(deadline_ns, missed)
        first_ns = deadline_ns - missed * self._site.cycle.period_ms * NS_PER_MS
        tick_ns = time.monotonic_ns() - woke_ns
        self.kept.extend((first_ns, woke_ns, missed, self.cycle_ns, tick_ns))
        RecordingLoop.ran = self

    def _after(self, record: CycleRecord, before: State, now_ns: int) -> None:
        self.cycle_ns = now_ns - record.inputs.now_ns
        super()._after(record, before, now_ns)

    @classmethod
    def save(cls) -> None:
        """Bring what was kept to disk."""
        if cls.ran is not None:
            _file(cls.ran._files).write_bytes(cls.kept.tobytes())


def read_ticks(files: SiteFiles) -> Iterator[Tick]:
    """All ticks of a controller that has ended."""
    for first_ns, woke_ns, missed, cycle_ns, tick_ns in _TICK.iter_unpack(
        _file(files).read_bytes()
    ):
        yield Tick(
            deadline_ns=first_ns, woke_ns=woke_ns, missed=missed, cycle_ns=cycle_ns, tick_ns=tick_ns
        )


def _file(files: SiteFiles) -> Path:
    return files.state_dir / "ticks.bin"


def main() -> int:
    """Entry point of the process."""
    with mock.patch.object(controller, "ControlLoop", RecordingLoop):
        code = controller.main()
    RecordingLoop.save()
    return code


if __name__ == "__main__":
    sys.exit(main())
