"""``holdfast replay`` runs the recorded cycles of an incident again."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from holdfast import __version__
from holdfast.cli.arguments import add_json
from holdfast.cli.json_output import print_json
from holdfast.core.texts import MAX_NOTE, shown
from holdfast.core.units import s_from_ns
from holdfast.monitoring.replay.course import (
    CourseStep,
    IncidentCourse,
    course_of,
    recorded_steps,
    rerun_step,
)
from holdfast.monitoring.replay.reading import IncidentRecording, read_recording
from holdfast.monitoring.replay.recording import RecordingCause, TableUsed
from holdfast.monitoring.replay.rerun import (
    Difference,
    build_recorded,
    difference_in,
    rerun,
)
from holdfast.monitoring.replay.scrubbing import site_of
from holdfast.monitoring.replay.what_if import with_changes

DESCRIPTION = """\
Run the cycles around an incident again, from a recording that the controller has made: it lies in
the folder incidents of the site's state_dir, and the audit log names it. Each decision is compared
bit for bit, stage by stage; 1 if one is not what was recorded. Nothing is needed of the site, and
nothing is written to any device. docs/replay.md has what is in such a file.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """Tells what came of running a recording again."""

    version: str
    """Names the Holdfast that made the recording."""
    this_version: str
    configuration: str
    tables: tuple[TableUsed, ...]
    causes: tuple[RecordingCause, ...]
    left_out: int
    whole: bool
    cycles: int
    before_s: float
    """Tells how long before the first cause it begins."""
    after_s: float
    changes: tuple[str, ...]
    """Holds what was changed, as ``--what-if`` has it."""
    run: int
    """Counts the cycles that were run again."""
    difference: Difference | None
    """Tells where the two first part; None: all was as recorded, bit for bit."""
    raised: str | None
    """Tells what the last cycle raised; None: it ran."""
    recorded: IncidentCourse
    found: IncidentCourse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_json(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording of an incident")
    parser.add_argument("--show", action="store_true", help="tell what happened, line by line")
    parser.add_argument(
        "--what-if",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="with another value of a key of site.yaml, such as grid.import_max_w=9000 or "
        "cell_overvoltage.trip=3.5; may be repeated",
    )


def execute(options: argparse.Namespace) -> int:
    """Replays; 1 if something differs that should not."""
    report = _replayed(read_recording(options.file), tuple(options.what_if))
    if options.json:
        print_json(report)
    else:
        # What a stranger has written steers no terminal.
        print("\n".join(shown(line, MAX_NOTE) for line in _text(report, show=options.show)))
    return 0 if report.difference is None or report.changes else 1


def _replayed(recording: IncidentRecording, changes: tuple[str, ...]) -> ReplayReport:
    site = site_of(with_changes(recording.site, changes))
    causes = () if recording.end is None else recording.end.causes
    first_ns, last_ns = (recording.cycles[end].inputs.now_ns for end in (0, -1))
    zero_ns = causes[0].now_ns if causes else first_ns
    difference, raised, run = None, None, 0
    steps: list[CourseStep] = []
    for again in rerun(build_recorded(recording, site), recording):
        run += 1
        difference = difference or difference_in(again)
        raised = again.raised
        step = rerun_step(again)
        steps += [] if step is None else [step]
        if difference is not None and not changes:
            break
    return ReplayReport(
        version=recording.head.version,
        this_version=__version__,
        configuration=recording.head.configuration,
        tables=recording.head.tables,
        causes=causes,
        left_out=0 if recording.end is None else recording.end.left_out,
        whole=recording.end is not None and recording.end.cycles == len(recording.cycles),
        cycles=len(recording.cycles),
        before_s=s_from_ns(zero_ns - first_ns),
        after_s=s_from_ns(last_ns - zero_ns),
        changes=changes,
        run=run,
        difference=difference,
        raised=raised,
        recorded=course_of(recorded_steps(recording.cycles), zero_ns),
        found=course_of(steps, zero_ns),
    )


def _text(report: ReplayReport, *, show: bool) -> Iterator[str]:
    for cause in report.causes:
        yield f"{cause.utc:%Y-%m-%d %H:%M:%S} UTC  {cause.text}"
    yield (
        f"{report.cycles} cycles, from {report.before_s:.1f} s before to {report.after_s:.1f} s "
        f"after, made by Holdfast {report.version}; this is {report.this_version}"
    )
    if report.version != report.this_version:
        yield "another version decides: where it differs, it may be meant (CHANGELOG.md)"
    if not report.whole:
        yield "the recording breaks off: its end is missing"
    if report.left_out:
        yield f"{report.left_out} incidents before it were not recorded: they came too fast"
    if show or report.changes:
        yield from ("", "As it was:", *_course(report.recorded))
    if report.changes:
        same = _same_until(report.recorded, report.found)
        yield from ("", f"With {', '.join(report.changes)}:")
        yield from (["  the same at first; then:"] if same else [])
        yield from _course(report.found, same)
        yield "(what was measured is as recorded: it is not known what the devices would have done)"
    yield ""
    yield from _verdict(report)


def _verdict(report: ReplayReport) -> Iterator[str]:
    found = report.difference
    if report.raised is not None:
        yield f"cycle {report.run} raises {report.raised}"
    if found is None:
        yield f"all {report.run} cycles decide what was recorded, bit for bit"
        return
    when = "" if found.utc_ns is None else f", {_relative(report, found)}"
    yield f"cycle {found.cycle}{when} differs at the stage {found.stage}" + (
        f", in {found.place}:" if found.place else ":"
    )
    yield f"  recorded {found.recorded}"
    yield f"  now      {found.found}"


def _relative(report: ReplayReport, found: Difference) -> str:
    zero_ns = report.causes[0].now_ns if report.causes else found.now_ns
    return f"{s_from_ns(found.now_ns - zero_ns):+.3f} s"


def _same_until(one: IncidentCourse, other: IncidentCourse) -> int:
    """Counts the lines that two courses have in common before they part."""
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(one.lines, other.lines, strict=False))
    return sum(1 for _ in pairs)


def _course(course: IncidentCourse, first: int = 0) -> Iterator[str]:
    for line in course.lines[first:]:
        yield f"  {line.at_s:+9.3f} s  {line.text}"
    for unit, (low_w, high_w) in course.setpoints_w.items():
        yield f"  setpoints of {unit} from {low_w:.0f} to {high_w:.0f} W"
