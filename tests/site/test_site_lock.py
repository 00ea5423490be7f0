"""One controller to a site: the kernel's lock says who it is, and ends when he ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.core.errors import AlreadyRunning, ConfigError
from holdfast.site.files import SiteFiles
from holdfast.site.site_lock import hold_lock, refuse_second

HOLD = """
import sys, time
from pathlib import Path
from holdfast.site.files import SiteFiles
from holdfast.site.site_lock import hold_lock
with hold_lock(SiteFiles(state_dir=Path(sys.argv[1])), "controller"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def files(tmp_path: Path) -> SiteFiles:
    return SiteFiles(state_dir=tmp_path)


def holding(files: SiteFiles) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(files.state_dir)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_one_is_refused_and_told_who_runs_until_that_one_is_killed(
    files: SiteFiles,
) -> None:
    with holding(files) as first:
        said = f"a controller already runs in {files.state_dir}: process {first.pid}$"
        for _ in range(2):
            with pytest.raises(AlreadyRunning, match=said), hold_lock(files, "controller"):
                pass
            with pytest.raises(AlreadyRunning, match=said):
                refuse_second(files, "watchdog", "controller")
        first.send_signal(signal.SIGKILL)
        first.wait()
    refuse_second(files, "controller")
    with hold_lock(files, "controller"):
        assert files.lock("controller").read_text() == str(os.getpid())


def test_each_kind_of_process_has_a_lock_of_its_own(files: SiteFiles) -> None:
    with hold_lock(files, "controller"), hold_lock(files, "watchdog"):
        refuse_second(files, "planner")
        with pytest.raises(AlreadyRunning, match="watchdog"):
            refuse_second(files, "watchdog")


def test_the_lock_ends_with_the_block_however_it_ends(files: SiteFiles) -> None:
    with pytest.raises(ZeroDivisionError), hold_lock(files, "controller"):
        raise ZeroDivisionError
    with hold_lock(files, "controller"):
        pass


def test_a_look_makes_no_file(files: SiteFiles) -> None:
    refuse_second(files, "controller", "watchdog")
    assert list(files.state_dir.iterdir()) == []


def test_a_longer_pid_of_before_leaves_no_digits_behind(files: SiteFiles) -> None:
    files.lock("controller").write_text("9" * 20)
    with hold_lock(files, "controller"):
        assert files.lock("controller").read_text() == str(os.getpid())


def test_a_holder_whose_pid_found_no_room_is_still_one(files: SiteFiles) -> None:
    with hold_lock(files, "controller"):
        files.lock("controller").write_text("")
        with pytest.raises(AlreadyRunning, match=": another process"):
            refuse_second(files, "controller")


def test_where_no_lock_can_be_made_nothing_starts(tmp_path: Path) -> None:
    nowhere = SiteFiles(state_dir=tmp_path / "missing")
    with pytest.raises(ConfigError, match="cannot be made"), hold_lock(nowhere, "controller"):
        pass
    refuse_second(nowhere, "controller")


def test_a_disk_that_is_full_or_knows_no_locks(
    files: SiteFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", fail)
    with hold_lock(files, "controller"), pytest.raises(AlreadyRunning):
        refuse_second(files, "controller")
    monkeypatch.setattr("holdfast.site.site_lock.fcntl.flock", fail)
    with pytest.raises(ConfigError, match="cannot be locked"), hold_lock(files, "controller"):
        pass
