"""The demonstration: one command, and it does what it is to show."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hil.rig import Process, descendants, is_alive


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Process]:
    folder = tmp_path / "demo"
    arguments = ("-m", "holdfast.cli.main", "run", "--demo", "--plain", "--folder", str(folder))
    process = Process(tmp_path / "demo.log", *arguments, "--for", "7")
    yield process
    process.end()


def test_it_starts_follows_a_plan_and_ends_whole_and_a_second_one_is_refused(
    demo: Process, tmp_path: Path
) -> None:
    demo_socket = tmp_path / "demo" / "state" / "control.sock"
    for _ in range(100):
        if demo_socket.exists():
            break
        with pytest.raises(subprocess.TimeoutExpired):
            demo.wait(0.1)
    latches = tmp_path / "demo" / "state" / "status.shm"
    inode = latches.stat().st_ino
    second = subprocess.run(
        [
            sys.executable, "-m", "holdfast.cli.main", "run", "--demo", "--plain", "--for", "1",
            "--folder", str(tmp_path / "demo"),
        ],
        capture_output=True, text=True, timeout=60.0, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert "already runs" in second.stderr
    # And the first one did not lose its files to it.
    assert latches.stat().st_ino == inode
    children = descendants(demo.pid)
    assert demo.wait(40.0) == 0, demo.output
    assert "reached RUNNING: yes; followed a plan: yes; plant damaged: no" in demo.output
    assert not [pid for pid in children if is_alive(pid)]


@pytest.fixture
def terminal() -> Iterator[None]:
    """As in a terminal: the loss of it is heard of, also where these tests run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("terminal")
def test_nothing_is_left_when_it_is_interrupted_while_it_starts(tmp_path: Path) -> None:
    arguments = ("-m", "holdfast.cli.main", "run", "--demo", "--plain")
    process = Process(tmp_path / "demo.log", *arguments, "--folder", str(tmp_path / "demo"))
    try:
        seen: set[int] = set()
        for _ in range(100):
            seen |= set(descendants(process.pid))
            if len(seen) >= 3:
                break
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.05)
        process.signal(signal.SIGHUP)  # its terminal is gone
        process.wait(40.0)
        assert not [pid for pid in seen if is_alive(pid)]
    finally:
        process.end()
