"""What was recorded is decided again, bit for bit, whatever came in and wherever it begins."""

import math
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.control.cycle import CycleRecord, CycleState, Inputs
from holdfast.monitoring.replay.kept_cycle import KeptCycle, RanCycle
from holdfast.monitoring.replay.reading import parse_recording
from holdfast.monitoring.replay.recording import RecordingHead
from holdfast.runtime.incident_recorder import wiring_of
from holdfast.simulation.accelerated import Simulation
from holdfast.simulation.plant import SitePlant
from holdfast.site.site_file import parse_site
from holdfast.testing.sites import example_content, example_loads
from tests.monitoring.replay.recordings import NOON, content_of, first_difference
from tests.properties.test_cycle import SITES, WORLDS, live


@settings(max_examples=60, deadline=None)
@given(**WORLDS, begins=st.integers(0, 30), every=st.integers(1, 40))
def test_any_run_is_reproduced_from_any_state_of_it(site, running, steps, begins, every):
    runs = [(before, record) for before, record, _ in live(site, running, steps)]
    runs = runs[begins % len(runs) :]
    kept = [
        RanCycle(record=record, before=before if index % every == 0 else None)
        for index, (before, record) in enumerate(runs)
    ]
    recording = parse_recording(content_of(SITES[site], kept))
    assert len(recording.cycles) == len(runs)
    assert first_difference(recording) is None


@settings(max_examples=30, deadline=None)
@given(**WORLDS)
def test_what_comes_in_is_read_as_it_was(site, running, steps):
    kept = [
        RanCycle(record=record, before=before) for before, record, _ in live(site, running, steps)
    ]
    recording = parse_recording(content_of(SITES[site], kept))
    for one, cycle in zip(kept, recording.cycles, strict=True):
        assert cycle.inputs.image == one.inputs.image
        assert cycle.inputs.now_ns == one.inputs.now_ns
        assert tuple(cycle.inputs.commands) == tuple(one.inputs.commands)
        plan, read = one.inputs.plan, cycle.inputs.plan
        assert (plan is None) is (read is None)
        if plan is not None:
            told, found = (each.plan.slots[0].battery_power_w for each in (plan, read))
            assert told == found or (math.isnan(told) and math.isnan(found))


@pytest.mark.parametrize("seed", range(3))
def test_a_simulated_site_with_its_own_tables_is_reproduced(tmp_path: Path, seed: int) -> None:
    """Real tables, with steps, ages and points of their own; a plant that answers; an outage."""
    random = Random(seed)
    content = example_content(tmp_path, bms_on_can=seed == 0) | example_loads(15_000)
    site = parse_site(yaml.safe_dump(content), folder=tmp_path)
    simulation = Simulation(site, SitePlant.from_site(site), start=NOON)
    kept: list[KeptCycle] = []
    step = simulation.cycle.step

    def kept_step(state: CycleState, inputs: Inputs) -> tuple[CycleState, CycleRecord]:
        after, record = step(state, inputs)
        kept.append(RanCycle(record=record, before=state if len(kept) % 50 == 0 else None))
        return after, record

    simulation.cycle.step = kept_step  # type: ignore[method-assign]
    simulation.start()
    for _ in range(20):
        simulation.plant.household.load_override_w = random.uniform(0.0, 6000.0)
        simulation.plant.household.pv_override_w = random.uniform(0.0, 6000.0)
        simulation.plant.islanded = random.random() < 0.2
        for _ in range(random.randrange(1, 20)):
            simulation.step()
    head = RecordingHead(version="1", python="3", configuration="0", wiring=wiring_of(site))
    recorded = parse_recording(content_of(simulation.site, kept, head=head))
    assert first_difference(recorded) is None
