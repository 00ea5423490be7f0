"""The course of an incident: what changed, in its order, as it was and as it would have been."""

from dataclasses import replace

from holdfast.core.commands import Command
from holdfast.core.signals import Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.replay.course import course_of, recorded_steps, rerun_step
from holdfast.monitoring.replay.rerun import rerun
from tests.monitoring.replay.recordings import KeepingBench, rebuilt


def test_it_tells_each_change_once_and_the_same_of_what_was_run_again() -> None:
    bench = KeepingBench()
    bench.start()
    bench.load_w = 900.0
    for _ in range(50):
        bench.step()
    bench.step(Command.START)
    bench.set(Signal.CELL_VOLTAGE_MAX_V, 3.75)
    while bench.state.machine is not State.ERROR:
        bench.step()
    zero_ns = bench.kept[-1].inputs.now_ns
    recording = bench.recording()
    course = course_of(recorded_steps(recording.cycles), zero_ns)
    texts = [line.text for line in course.lines]
    for text in ("command start", "to RUNNING", "to ERROR"):
        assert text in texts
    assert texts.count("to ERROR") == 1
    (refused,) = (text for text in texts if text.startswith("refused start: "))
    assert "changes nothing in RUNNING" in refused
    assert any(text.startswith("trip battery/cell_voltage_high: ") for text in texts)
    last = course.lines[-1]
    assert last.at_s == 0.0
    assert [line.at_s for line in course.lines] == sorted(line.at_s for line in course.lines)
    low_w, high_w = course.setpoints_w["battery"]
    assert low_w < 0.0 == high_w
    again = [rerun_step(one) for one in rerun(rebuilt(recording), recording)]
    assert course_of([step for step in again if step is not None], zero_ns) == course


def test_what_this_version_has_no_words_for_is_left_out() -> None:
    bench = KeepingBench()
    bench.step()
    (cycle,) = bench.recording().cycles
    foreign = replace(cycle, decided={**cycle.decided, "assessment": '{"findings":[]}'})
    assert len([*recorded_steps([cycle, foreign, cycle])]) == 2
    assert [*recorded_steps([replace(cycle, raised="ValueError: no")])] == []
