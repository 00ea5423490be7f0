"""A real controller records what stopped it, and the recording decides the same again."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.client.audit_reader import lines_backwards
from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.monitoring.audit.events import IncidentRecorded
from holdfast.monitoring.audit.log_lines import event_of
from holdfast.testing.plans import plan_of
from holdfast.testing.rig import Rig

RECORDED_S = 60.0
"""Ten seconds behind the incident, and what it takes to encode and save it all."""


@pytest.fixture(scope="module")
def loads_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A site with switched loads, controller and watchdog running."""
    with Rig(tmp_path_factory.mktemp("hil"), with_loads=True) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        yield rig


def replayed(file: Path, *arguments: str) -> dict[str, object]:
    """Runs ``holdfast replay`` as somebody does who has nothing but the file."""
    done = subprocess.run(
        [sys.executable, "-m", "holdfast.cli.main", "replay", str(file), "--json", *arguments],
        capture_output=True,
        text=True,
        timeout=300.0,
        check=False,
    )
    assert done.stderr == ""
    found: dict[str, object] = json.loads(done.stdout)
    return found | {"code": done.returncode}


def recorded(rig: Rig, count: int) -> list[Path]:
    """Waits for the recordings of so many incidents; the oldest first."""
    folder = rig.files.incidents
    rig.until(lambda: len([*folder.glob("*.json.gz")]) >= count, "a recording", RECORDED_S)
    return sorted(folder.glob("*.json.gz"))


def test_a_trip_and_an_emergency_stop_are_recorded_and_replayed_bit_for_bit(
    loads_rig: Rig,
) -> None:
    rig = loads_rig
    rig.clear()
    rig.until_running(lambda: rig.is_connected, "its contactor closed")
    assert rig.send_plan(plan_of((-1, 60, 1500.0), expires_s=60.0)).accepted
    rig.until_power(1500.0)
    rig.set(cell_temperature_c=68.0)
    rig.until_state(State.ERROR)
    (file,) = recorded(rig, 1)
    report = replayed(file)
    assert report["difference"] is None, report["difference"]
    assert report["code"] == 0
    assert report["whole"]
    assert report["run"] == report["cycles"]
    assert "RUNNING to ERROR" in report["causes"][0]["text"]  # type: ignore[index]
    events = (event_of(line) for line in lines_backwards(rig.files.audit))
    told = next(event for event in events if isinstance(event, IncidentRecorded))
    assert (told.file, told.cycles) == (file.name, report["cycles"])

    rig.command(Command.EMERGENCY_STOP)
    rig.until_state(State.STOPPED)
    # Whoever ends the controller meanwhile gets what is there.
    rig.processes["controller"].end()
    stop = recorded(rig, 2)[-1]
    assert "emergency_stop" in stop.name
    assert replayed(stop)["code"] == 0
