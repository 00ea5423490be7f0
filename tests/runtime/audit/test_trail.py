"""The audit trail: what a controller does reaches the log, and a flood of commands does not."""

from pathlib import Path

from holdfast.core.commands import Command
from holdfast.monitoring.audit.events import CommandAnswered
from holdfast.runtime.audit.trail import AuditTrail
from holdfast.runtime.audit.writer import AuditWriter
from tests.builders import Bench
from tests.runtime.audit.test_folder import a_folder
from tests.runtime.audit.test_writer import events, of


def answers(folder: Path, cycles: list[tuple[Command, ...]]) -> list[tuple[str, bool, int]]:
    """Command, whether it was accepted and what was counted, of each line, after ``cycles``."""
    bench = Bench()
    trail = AuditTrail(bench.site, AuditWriter(a_folder(folder)))
    trail.started(bench.state.latches, real_time=False)
    for commands in cycles:
        record = bench.step(*commands)
        trail.observe(bench.state, record, on_disk=True)
    trail.ended("told to end")
    return [(e.command, e.accepted, e.repeats) for e in of(CommandAnswered, events(folder))]


def test_a_refused_command_that_is_repeated_is_counted_and_the_last_is_never_lost(
    tmp_path: Path,
) -> None:
    told = answers(tmp_path, [(Command.RESET,)] * 120)  # 2.4 s
    assert [(command, accepted) for command, accepted, _ in told] == [("reset", False)] * 4
    assert sum(1 + repeats for *_, repeats in told) == 120
    assert told[0][2] == 0
    alone = answers(tmp_path / "alone", [(Command.RESET,)] * 2 + [()] * 60)
    assert alone == [("reset", False, 0)] * 2, "without another one to bring it along"


def test_commands_do_not_wait_for_each_other_nor_for_their_refusals(tmp_path: Path) -> None:
    told = answers(tmp_path, [(Command.RESET,), (Command.RESET, Command.START), (Command.STOP,)])
    assert told[0] == ("reset", False, 0)
    assert [command for command, *_ in told[1:3]] == ["start", "stop"]
    stops = answers(tmp_path / "stops", [(Command.EMERGENCY_STOP,)] * 5)
    assert stops == [("estop", True, 0)] * 5, "what is accepted is told each time"
