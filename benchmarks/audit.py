"""The audit log: what an event costs the control loop, and how many the disk takes.

"enqueue" is what the loop itself pays for an event, one every few milliseconds, while the
writer's thread encodes, writes and syncs beside it. "to the disk" is the time from there until
the line is synced, for events that do not wait for each other. "sustained" is as many as the log
takes for good, the queue always full.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.report import (
    CannotRun,
    Report,
    at_least,
    at_least_one,
    at_most,
    new_parser,
    run,
    summarise,
)
from holdfast.monitoring.audit.events import AuditEvent, FindingRaised
from holdfast.runtime.audit.folder import AuditFolder
from holdfast.runtime.audit.writer import QUEUE_ENTRIES, AuditWriter

ENQUEUE_US = 100.0
"""A third of a cycle's 300 µs, for an event that comes in few cycles."""
EVENTS_PER_S = 50.0
"""One in every cycle of the default period."""
_PACE_S = 0.005
_LOOK_EVERY_S = 0.0002
_LIMIT_S = 300.0


def _event(number: int) -> AuditEvent:
    """One that does not wait for others before it is synced."""
    return FindingRaised(
        owner="battery",
        row="cell_voltage_high",
        level="alarm",
        reaction="block_charge",
        text=f"cell_voltage_max_v above 3.6 V: 3.{number % 1000:03}",
    )


def _until_written(writer: AuditWriter, lines: int, end_s: float) -> None:
    while writer.status().lines < lines:
        status = writer.status()
        if status.problem or status.lost or time.monotonic() > end_s:
            raise CannotRun(f"the log cannot be written: {status.problem or 'it is too slow'}")
        time.sleep(_LOOK_EVERY_S)


def _one_by_one(writer: AuditWriter, events: int) -> tuple[list[float], list[float]]:
    """What each event costs, and how long it takes to be on the disk, in µs."""
    enqueue_us, on_disk_us = [], []
    for number in range(events):
        event = _event(number)
        began_ns = time.perf_counter_ns()
        writer.put(event, began_ns)
        enqueue_us.append((time.perf_counter_ns() - began_ns) / 1e3)
        _until_written(writer, number + 1, time.monotonic() + _LIMIT_S)
        on_disk_us.append((time.perf_counter_ns() - began_ns) / 1e3)
        time.sleep(_PACE_S)
    return enqueue_us, on_disk_us


def _in_a_flood(writer: AuditWriter, events: int) -> tuple[list[float], float]:
    """What each event costs beside a thread that never rests, and how many a second are synced."""
    began_lines, enqueue_us = writer.status().lines, list[float]()
    end_s = time.monotonic() + _LIMIT_S
    began_s = time.perf_counter()
    for number in range(events):
        event = _event(number)
        # The queue is bounded; what finds no room is lost, and would not be measured.
        _until_written(writer, began_lines + number + 1 - QUEUE_ENTRIES // 2, end_s)
        put_ns = time.perf_counter_ns()
        writer.put(event, put_ns)
        enqueue_us.append((time.perf_counter_ns() - put_ns) / 1e3)
    _until_written(writer, began_lines + events, end_s)
    return enqueue_us, events / (time.perf_counter() - began_s)


def measure(options: argparse.Namespace) -> Report:
    """Both, one after the other, on the same log."""
    with tempfile.TemporaryDirectory(prefix="holdfast-audit-", dir=options.folder) as path:
        writer = AuditWriter(AuditFolder(Path(path) / "audit"))
        writer.start()
        try:
            alone_us, on_disk_us = _one_by_one(writer, options.events)
            flood_us, per_s = _in_a_flood(writer, 10 * options.events)
        finally:
            writer.close()
    alone = summarise(alone_us)
    return Report(
        settings={"events": options.events, "folder": str(options.folder or tempfile.gettempdir())},
        results={
            "enqueue": alone,
            "enqueue in a flood": summarise(flood_us),
            "to the disk": summarise(on_disk_us),
            "sustained": {"events_per_s": per_s},
        },
        unit="µs",
        budgets=[
            at_most("an event costs the control loop, p99", "µs", ENQUEUE_US, alone["p99"]),
            at_least("the log takes and syncs", "events/s", EVENTS_PER_S, per_s),
        ],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point."""
    parser = new_parser("audit", "What an audit event costs the loop, and what the disk takes.")
    parser.add_argument(
        "--events",
        type=at_least_one,
        default=1000,
        help="one by one; then ten times as many in a flood",
    )
    parser.add_argument("--folder", type=Path, help="on the disk to be measured")
    options = parser.parse_args(arguments)
    return run("audit", options, lambda: measure(options))


if __name__ == "__main__":
    sys.exit(main())
