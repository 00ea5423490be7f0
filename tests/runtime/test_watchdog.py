"""What the watchdog logs: an alarm when cycles end, and none while the controller starts."""

import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.runtime.watchdog import FIRST_CYCLE_NS, Watchdog
from holdfast.site.files import SiteFiles
from holdfast.site.shared_memory import Beat, Heartbeat
from tests.builders import build_site


class Bench:
    def __init__(self, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        site = build_site(state_dir=str(folder), authority="observe")
        self.files, self._caplog = SiteFiles.of(site), caplog
        caplog.set_level(logging.INFO)
        self.watchdog = Watchdog(site, self.files)
        self._heartbeat: Heartbeat | None = None

    def beat(self, ago_s: float = 0.0) -> None:
        """A cycle has completed."""
        if self._heartbeat is None:
            self._heartbeat = Heartbeat(self.files.heartbeat)
        self._heartbeat.beat(time.monotonic_ns() - int(ago_s * 1e9))

    def logged(self) -> list[str]:
        """What one look at the heartbeat brings into the log."""
        self._caplog.clear()
        self.watchdog.look()
        return [f"{record.levelname} {record.message}" for record in self._caplog.records]


@pytest.fixture
def bench(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    bench = Bench(tmp_path, caplog)
    yield bench
    bench.watchdog.close()


def test_a_start_is_no_alarm(bench: Bench) -> None:
    assert bench.logged() == []
    bench.beat(ago_s=3600.0)  # left over from the last run
    assert bench.logged() == []
    bench.beat()
    assert bench.logged() == ["INFO the first cycle has completed"]


def test_a_loss_and_its_end_are_told_once(bench: Bench) -> None:
    bench.beat()
    bench.logged()
    bench.beat(ago_s=3600.0)
    assert bench.logged() == ["CRITICAL no completed cycle for 400 ms"]
    assert bench.logged() == []
    bench.beat()
    assert bench.logged() == ["WARNING cycles complete again"]


def test_a_controller_that_never_completes_a_cycle_is_an_alarm(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    later_ns = time.monotonic_ns() + FIRST_CYCLE_NS
    monkeypatch.setattr("holdfast.runtime.watchdog.time.monotonic_ns", lambda: later_ns)
    assert bench.logged() == ["CRITICAL no completed cycle for 400 ms"]


def test_a_beat_that_comes_while_the_watchdog_looks_is_no_loss(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.beat()
    bench.logged()
    last = bench.watchdog._beats.last

    def beats_meanwhile() -> Beat:
        bench.beat()
        return last()

    monkeypatch.setattr(bench.watchdog._beats, "last", beats_meanwhile)
    assert bench.logged() == []


def test_systemd_hears_of_complete_cycles_and_of_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watchdog that is started anew says no STOPPING=1: systemd would kill the service for it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        bench = Bench(tmp_path, caplog)
        bench.watchdog.look()
        with pytest.raises(BlockingIOError):
            systemd.recv(64)
        bench.beat()
        bench.watchdog.look()
        bench.watchdog.close()
        assert [systemd.recv(64), systemd.recv(64)] == [b"READY=1", b"WATCHDOG=1"]
        with pytest.raises(BlockingIOError):
            systemd.recv(64)


def test_it_loads_nothing_of_the_cycle_that_it_watches() -> None:
    own = "{'holdfast.control.cycle', 'numpy'} & sys.modules.keys()"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, holdfast.runtime.watchdog; print({own})"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "set()"
