"""The demonstration: one command, and it does what it is to show."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.cli.run import LINE_EVERY_S
from holdfast.client.status_reader import StatusReader
from holdfast.site.files import SiteFiles
from holdfast.site.memory_folder import ROOT
from holdfast.testing.processes import Process, descendants, is_alive
from holdfast.testing.waiting import until


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Process]:
    folder = tmp_path / "demo"
    arguments = ("-m", "holdfast.cli.main", "run", "--demo", "--plain", "--folder", str(folder))
    process = Process(tmp_path / "demo.log", *arguments)
    yield process
    process.end()


def test_it_starts_follows_a_plan_and_ends_whole_and_a_second_one_is_refused(
    demo: Process, tmp_path: Path
) -> None:
    files = SiteFiles(state_dir=tmp_path / "demo" / "state")
    status = StatusReader(files)

    def follows_a_plan() -> bool:
        found = status.latest()
        return found is not None and found[0].request_source == "plan"

    until(follows_a_plan, "a plan", 60.0)
    assert files.status.parent.parent == ROOT  # no disk, where there is RAM for it
    inode = files.status.stat().st_ino
    second = subprocess.run(
        [
            sys.executable, "-m", "holdfast.cli.main", "run", "--demo", "--plain", "--for", "1",
            "--folder", str(tmp_path / "demo"),
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert second.returncode == 2
    assert "already runs" in second.stderr
    # And the first one did not lose its files to it.
    assert files.status.stat().st_ino == inode
    children = descendants(demo.pid)
    demo.signal(signal.SIGINT)
    assert demo.wait(60.0) == 0, demo.output
    assert "reached RUNNING: yes; followed a plan: yes; plant damaged: no" in demo.output
    assert not [pid for pid in children if is_alive(pid)]
    assert not files.status.exists()


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
        until(lambda: len(descendants(process.pid)) >= 3, "plant and two processes", 60.0)
        seen = descendants(process.pid)
        process.signal(signal.SIGHUP)  # its terminal is gone
        process.wait(60.0)
        assert not [pid for pid in seen if is_alive(pid)]
    finally:
        process.end()


def test_in_a_journal_it_tells_what_happens_and_not_each_five_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And systemd hears from the supervisor that it ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60.0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        heard = set()

        def listen() -> None:
            """What is never read is soon told to nobody: few messages fit."""
            while (message := systemd.recv(64)) != b"STOPPING=1":
                heard.add(message)

        monkeypatch.setenv("JOURNAL_STREAM", "8:1234")
        arguments = ("-m", "holdfast", "run", "--demo", "--plain", "--folder", str(tmp_path / "d"))
        process = Process(tmp_path / "demo.log", *arguments)
        try:
            assert systemd.recv(64) == b"READY=1"
            listener = threading.Thread(target=listen)
            listener.start()
            until(lambda: "IDLE -> RUNNING" in process.output, "it runs", 60.0)
            time.sleep(2 * LINE_EVERY_S)  # what does not come has no event
            process.signal(signal.SIGTERM)
            process.wait(60.0)
        finally:
            process.end()
        told = process.output.splitlines()
        assert len([line for line in told if "asked of the site" in line]) == 1
        listener.join()
        assert heard == {b"WATCHDOG=1"}
