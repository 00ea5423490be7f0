"""Whatever is done to a file of a running site, control goes on or the site is at 0 W."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from holdfast.core.commands import Command
from holdfast.core.errors import NotRunning
from holdfast.site.memory_folder import memory_folder
from holdfast.testing.processes import command_of, descendants, is_alive
from holdfast.testing.rig import Rig

WITHIN_S = 0.5
"""So long may pass before control goes on, or the site is at 0 W."""


@pytest.fixture(scope="module")
def supervised(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A site under ``holdfast run``, on the local rule: at no time of day does it want 0 W."""
    with Rig(tmp_path_factory.mktemp("files"), planner={"interval_s": 2}) as rig:
        rig.start_plant()
        rig.launch("run", "-m", "holdfast.cli.main", "run", "--plain")
        to_running(rig)
        rig.until(rig.files.plan.exists, "what the planner did")
        yield rig
        assert rig.damage() == {}


def to_running(rig: Rig) -> None:
    rig.until_running(lambda: abs(rig.power_w) > 100.0, "power")


def truncate(path: Path) -> None:
    os.truncate(path, 0)


def replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"\x00\xff rubbish\n" * 10)
    other.replace(path)


def delete(path: Path) -> None:
    path.unlink()


def forbid(path: Path) -> None:
    path.chmod(0)


def link(path: Path) -> None:
    other = path.with_name("other")
    other.symlink_to("/etc/hostname")
    other.replace(path)


def files_of(rig: Rig) -> list[Path]:
    """All files and sockets of the running site, but those of the plant."""
    folders = (rig.files.state_dir, memory_folder(rig.files.state_dir))
    found = {path for folder in folders for path in folder.rglob("*") if not path.is_dir()}
    return sorted(path for path in found if not path.name.startswith("plant"))


def processes_of(rig: Rig) -> dict[int, bytes]:
    """The commands of all processes of the site that live as long as it does."""
    run = rig.processes["run"].pid
    return {
        pid: command_of(pid)
        for pid in (run, *descendants(run))
        if is_alive(pid) and not _comes_and_goes(pid)
    }


def _comes_and_goes(pid: int) -> bool:
    command = command_of(pid)
    return not command or b"holdfast.runtime.child" in command


def controlled(rig: Rig) -> Callable[[], bool]:
    """What says whether cycles go on from now, or no power flows."""
    before = rig.status
    assert before is not None

    def holds() -> bool:
        status = rig.status
        goes_on = status is not None and status.loop.cycles > before.loop.cycles
        return goes_on or abs(rig.power_w) < 1.0

    return holds


def test_control_goes_on_while_the_gateway_comes_back_from_a_history_that_was_shortened(
    supervised: Rig,
) -> None:
    rig = supervised
    to_running(rig)
    paths = [path for path in files_of(rig) if _is_mapped(path)]
    assert paths
    for path in paths:
        holds = controlled(rig)
        truncate(path)
        rig.until(holds, f"control after {path.name}", WITHIN_S)
        rig.keeps(holds, f"controlled: {path.name}", 2.0)
    rig.until(lambda: {b"gateway", b"api"} <= parts_of(rig), "gateway and pages", 30.0)


@pytest.mark.parametrize("spoil", [truncate, replace, delete, forbid, link])
def test_control_goes_on_or_the_site_is_at_zero_and_no_process_dies(
    supervised: Rig, spoil: Callable[[Path], None]
) -> None:
    rig = supervised
    for path in files_of(rig):
        to_running(rig)
        holds, processes, was = controlled(rig), processes_of(rig), path.name
        with suppress(FileNotFoundError):  # one that comes and goes
            if spoil is truncate and (path.is_socket() or _is_mapped(path)):
                continue
            spoil(path)
        rig.until(holds, f"control after {was}", WITHIN_S)
        rig.keeps(holds, f"controlled: {was}", 0.2)
        assert processes.items() <= processes_of(rig).items(), was
        rig.until(lambda: answers(rig), f"an answer after {was}", 5.0)
        if path.is_symlink() or (path.exists() and spoil is forbid):
            path.unlink(missing_ok=True)


def _is_mapped(path: Path) -> bool:
    """SQLite maps this file: one that is shortened ends its readers with SIGBUS."""
    return path.name.endswith("-shm")


def parts_of(rig: Rig) -> set[bytes]:
    commands = processes_of(rig).values()
    return {word.rpartition(b".")[2] for command in commands for word in command.split(b"\0")}


def answers(rig: Rig) -> bool:
    with suppress(NotRunning):
        rig.command(Command.START)
        return True
    return False
