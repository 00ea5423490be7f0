"""The unit of a site: systemd takes it, it is shut in, and has what the processes need."""

import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from holdfast.runtime.supervisor import BACKOFF_S, BEGINS_S, PROCESSES, STOP_S
from holdfast.runtime.watchdog import PRIORITY

NAME = "holdfast@.service"
EXPOSURE_MAX = 2.0
UNIT = files("holdfast.deployment") / "units" / NAME

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs systemd-analyze: apt-get install systemd"
)


def _value(key: str) -> str:
    """Of the last line with ``key``."""
    lines = [line.partition("=") for line in UNIT.read_text(encoding="utf-8").splitlines()]
    return [value for name, _, value in lines if name == key][-1]


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """The unit of one site, with a Python that is there."""
    text = UNIT.read_text(encoding="utf-8").replace(
        "/opt/holdfast/current/bin/python", sys.executable
    )
    path = tmp_path / NAME.replace("@", "@home")
    path.write_text(text, encoding="utf-8")
    return path


@needs_systemd
def test_systemd_has_nothing_to_say_against_it(instance: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", instance], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@needs_systemd
def test_it_is_shut_in(instance: Path) -> None:
    done = subprocess.run(
        [
            "systemd-analyze", "security", "--no-pager", "--offline=true",
            f"--threshold={EXPOSURE_MAX * 10:.0f}", instance,
        ],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_it_waits_for_an_orderly_end_of_all_processes() -> None:
    assert float(_value("TimeoutStopSec")) >= 2.0 * len(PROCESSES) * STOP_S
    assert _value("KillMode") == "mixed", "the supervisor ends them in order"


def test_systemd_is_more_patient_than_the_supervisor() -> None:
    assert float(_value("WatchdogSec")) > BEGINS_S + BACKOFF_S[-1] + STOP_S * len(PROCESSES)


def test_real_time_is_within_its_limits() -> None:
    assert int(_value("LimitRTPRIO")) >= PRIORITY
    assert _value("LimitMEMLOCK") == "infinity"
    assert _value("RestrictRealtime") == "no"


def test_no_capability_is_left_to_it() -> None:
    assert _value("CapabilityBoundingSet") == _value("AmbientCapabilities") == ""


def test_what_it_starts_goes_through_the_slot_that_is_current() -> None:
    """A console script would carry the path of the slot that it was installed into."""
    words = _value("ExecStart").split()
    assert words[:4] == ["/opt/holdfast/current/bin/python", "-m", "holdfast", "run"]
