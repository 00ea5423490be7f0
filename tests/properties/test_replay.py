"""What was recorded is decided again, bit for bit, whatever came in and wherever it begins."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.monitoring.replay.kept_cycle import RanCycle
from holdfast.monitoring.replay.reading import parse_recording
from tests.monitoring.replay.recordings import content_of, first_difference
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
