"""A changed value answers what would have been, and a key that is none is told with near ones."""

from typing import Any

import pytest

from holdfast.core.errors import ConfigError
from holdfast.core.state_machine import State
from holdfast.monitoring.replay.reading import IncidentRecording
from holdfast.monitoring.replay.rerun import build_recorded, difference_in, rerun
from holdfast.monitoring.replay.scrubbing import scrubbed, site_of
from holdfast.monitoring.replay.what_if import with_changes
from tests.builders import build_site, unit_content
from tests.monitoring.replay.recordings import KeepingBench


@pytest.fixture(scope="module")
def site() -> dict[str, Any]:
    return scrubbed(build_site())


@pytest.mark.parametrize(
    ("change", "way", "value"),
    [
        ("grid.import_max_w=9000", ("grid", "import_max_w"), 9000),
        ("import_max_w = 9000", None, None),
        ("fuse_a=16", ("grid", "fuse_a"), 16),
        (
            "storage[battery].battery.cell_voltage_max_v=3.6",
            ("storage", 0, "battery", "cell_voltage_max_v"),
            3.6,
        ),
        ("cell_voltage_max_v=3.6", ("storage", 0, "battery", "cell_voltage_max_v"), 3.6),
        ("operating_mode=passive", ("operating_mode",), "passive"),
        (
            "storage[battery].limits.cell_voltage_high.trip=3.5",
            ("storage", 0, "limits", "cell_voltage_high", "trip"),
            3.5,
        ),
        ("grid_frequency_high.alarm=50.2", ("limits", "grid_frequency_high", "alarm"), 50.2),
    ],
)
def test_a_value_is_put_in_its_place(site, change, way, value):
    if way is None:  # the modes have one, too
        with pytest.raises(ConfigError, match=r"may be any of grid.import_max_w, modes"):
            with_changes(site, [change])
        return
    found: Any = with_changes(site, [change])
    for step in way:
        found = found[step]
    assert found == value
    assert site == scrubbed(build_site())


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("grid.import_max_w", "write it as KEY=VALUE"),
        ("grid.import_max=1", "no recording has such a key; near are grid.import_max_w"),
        (
            "cell_voltag_high.trip=1",
            "no recording has such a key; near are .*cell_voltage_high.trip",
        ),
        ("prices=1", "prices: no recording has such a key"),
        ("meter.connection.host=x", "no recording has such a key"),
        ("grid.import_max_w={", "line 1"),
    ],
)
def test_what_is_none_is_told_with_what_is_near(site, change, text):
    with pytest.raises(ConfigError, match=text):
        with_changes(site, [change])


def test_two_units_need_the_name_of_one():
    two = scrubbed(build_site(unit_content(), unit_content("second")))
    with pytest.raises(ConfigError, match=r"may be any of storage\[battery\].* storage\[second\]"):
        with_changes(two, ["cell_voltage_max_v=3.6"])
    changed = with_changes(two, ["storage[second].battery.cell_voltage_max_v=3.6"])
    assert changed["storage"][1]["battery"]["cell_voltage_max_v"] == 3.6
    assert changed["storage"][0] == two["storage"][0]


@pytest.fixture(scope="module")
def recording() -> IncidentRecording:
    bench = KeepingBench()
    bench.start()
    for _ in range(20):
        bench.step()
    return bench.recording()


def states(recording: IncidentRecording, *changes: str) -> tuple[set[State], int | None]:
    """The states of a changed run, and the first cycle that differs."""
    changed = site_of(with_changes(recording.site, changes))
    runs = [*rerun(build_recorded(recording, changed), recording)]
    differs = next((run.number for run in runs if difference_in(run)), None)
    return {run.record.moved.state for run in runs if run.record is not None}, differs


def test_a_tighter_limit_would_have_tripped(recording: IncidentRecording) -> None:
    assert states(recording)[1] is None
    assert State.ERROR not in states(recording)[0]
    found, differs = states(
        recording, "cell_voltage_high.trip=3.3", "cell_voltage_high.alarm=3.29",
        "cell_voltage_high.warning=3.28",
    )  # fmt: skip
    assert State.ERROR in found
    assert differs is not None


def test_a_looser_limit_is_refused_as_in_site_yaml(recording: IncidentRecording) -> None:
    with pytest.raises(ConfigError, match="looser than the hardware"):
        states(recording, "cell_voltage_high.trip=3.9")
