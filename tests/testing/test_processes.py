"""What a test has started is gone in the end, however the test and its pytest end."""

import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from holdfast.testing.processes import Process, command_of, descendants, is_alive
from holdfast.testing.rig import Rig
from holdfast.testing.waiting import until

A_TEST = """
import os, signal, time
from holdfast.testing.rig import Rig

def test_something(tmp_path):
    with Rig(tmp_path) as rig:
        rig.start_plant()
        rig.launch("run", "-m", "holdfast.cli.main", "run", "--plain")
        rig.until(lambda: rig.state, "a status", 60.0)
        if {stopped}:
            rig.processes["run"].signal(signal.SIGSTOP)
        with open({told!r}, "w") as told:
            told.write("up")
        {then}
"""
COUNT = 7
"""Plant, supervisor, and its five processes."""


@pytest.fixture
def folder() -> Iterator[Path]:
    """With a short name, as sockets need."""
    with TemporaryDirectory(prefix="rig") as folder:
        yield Path(folder)


def run_pytest(folder: Path, then: str, *options: str, stopped: bool = False) -> Process:
    """A pytest of its own on a test that starts a whole site, and then does ``then``."""
    test = folder / "test_something.py"
    test.write_text(A_TEST.format(then=then, told=str(folder / "told"), stopped=stopped))
    arguments = ("-q", "-p", "no:cacheprovider", f"--basetemp={folder / 'base'}", str(test))
    return Process(folder / "pytest.log", "-m", "pytest", *options, *arguments)


def until_up(running: Process, folder: Path) -> list[int]:
    """Process ids of the site."""
    until(lambda: (folder / "told").exists() or not running.alive, "the site", 120.0)
    assert running.alive, running.output
    return [pid for pid in descendants(running.pid) if b"holdfast" in command_of(pid)]


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["alone", "with a worker"])
@pytest.mark.parametrize("stopped", [False, True], ids=["running", "supervisor stopped"])
def test_nothing_is_left_of_a_killed_pytest(
    folder: Path, options: tuple[str, ...], stopped: bool
) -> None:
    running = run_pytest(folder, "time.sleep(600)", *options, stopped=stopped)
    try:
        site = until_up(running, folder)
        assert len(site) >= COUNT
        running.signal(signal.SIGKILL)
        until(lambda: not [pid for pid in site if is_alive(pid)], "the end of all", 30.0)
    finally:
        running.end()


def test_nothing_is_left_of_a_test_that_fails(folder: Path) -> None:
    running = run_pytest(folder, "time.sleep(1)\n        assert False", stopped=True)
    try:
        site = until_up(running, folder)
        assert len(site) >= COUNT
        assert running.wait(120.0) == pytest.ExitCode.TESTS_FAILED
        assert not [pid for pid in site if is_alive(pid)]
    finally:
        running.end()


def test_who_is_started_under_a_name_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    """What a failed test has left running under that name would be held by nobody."""
    with Rig(tmp_path) as rig:
        rig.start_plant()
        before = rig.processes["plant"]
        rig.start_plant()
        assert not before.alive
        assert rig.processes["plant"].alive


def test_children_end_with_their_process_even_if_it_has_ended_before(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'],\n"
        "                         start_new_session=True)\n"
        "print(child.pid, flush=True)\n"
    )
    parent = Process(tmp_path / "log", "-c", code)
    assert parent.wait(60.0) == 0
    orphan = int(parent.output)
    assert is_alive(orphan)
    parent.end()
    until(lambda: not is_alive(orphan), "its end")
