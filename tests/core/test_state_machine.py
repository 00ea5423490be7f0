"""The state machine, against a table that was written down a second time, from the design."""

from itertools import combinations, product

import pytest

from holdfast.core.state_machine import TRANSITIONS, Event, State, StateMachine, Step, is_listed

# The design's section 5, in its own words. What is not here changes nothing.
DESIGN = {
    ("boot", "SELF_TEST_PASSED"): "idle",
    ("boot", "SELF_TEST_FAILED"): "error",
    ("boot", "STOP_LATCHED"): "stopped",
    ("boot", "TRIP"): "error",
    ("boot", "EMERGENCY_STOP"): "stopped",
    ("idle", "START"): "running",
    ("idle", "TRIP"): "error",
    ("idle", "EMERGENCY_STOP"): "stopped",
    ("running", "STOP"): "idle",
    ("running", "TRIP"): "error",
    ("running", "EMERGENCY_STOP"): "stopped",
    ("error", "EMERGENCY_STOP"): "stopped",
    ("error", "RESET"): "boot",
    ("stopped", "RESET"): "boot",
}
URGENCY = [
    "EMERGENCY_STOP", "STOP_LATCHED", "TRIP", "SELF_TEST_FAILED", "STOP", "SELF_TEST_PASSED",
    "RESET", "START",
]  # fmt: skip


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_state_and_event_does_what_the_design_says(state, event):
    step = StateMachine().step(state, [event])
    target = DESIGN.get((state.value, event.name))
    assert is_listed(state, event) is (target is not None)
    if target is None:
        assert (step.state, step.taken, step.ignored) == (state, None, (event,))
    else:
        assert (step.state.value, step.taken, step.ignored) == (target, event, ())


def test_there_are_five_states_and_the_design_names_no_other():
    assert {state.value for state in State} == {"boot", "idle", "running", "error", "stopped"}
    assert len(TRANSITIONS) == len(DESIGN)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("count", [2, 3, 8])
def test_of_several_events_the_most_urgent_listed_one_is_taken(state, count):
    machine = StateMachine()
    for events in combinations(Event, count):
        for order in (events, events[::-1]):
            step = machine.step(state, order)
            urgent = sorted((event.name for event in events), key=URGENCY.index)
            taken = next((name for name in urgent if (state.value, name) in DESIGN), None)
            # Not by truth: the most urgent event is number 0.
            assert (None if step.taken is None else step.taken.name) == taken
            assert step.state.value == DESIGN.get((state.value, taken), state.value)
            assert {event.name for event in step.ignored} == set(urgent) - {taken}


def test_no_events_change_nothing():
    for state in State:
        step = StateMachine().step(state, [])
        assert (step.state, step.taken, step.ignored) == (state, None, ())


def test_the_machine_remembers_nothing_between_two_steps():
    machine = StateMachine()
    machine.step(State.IDLE, [Event.START])
    assert machine.step(State.BOOT, [Event.STOP]).state is State.BOOT
    assert machine.step(State.ERROR, [Event.START]).state is State.ERROR


@pytest.mark.parametrize("start", [State.ERROR, State.STOPPED])
def test_every_way_from_error_or_stopped_to_running_leads_through_boot_and_its_self_test(start):
    machine = StateMachine()
    every_set = [
        events for count in range(1, len(Event) + 1) for events in combinations(Event, count)
    ]

    def reachable(*, forbid_state=None, forbid_event=None):
        seen, todo = {start}, [start]
        while todo:
            state = todo.pop()
            for events in every_set:
                if forbid_event in events:
                    continue
                after = machine.step(state, events).state
                if after is not forbid_state and after not in seen:
                    seen.add(after)
                    todo.append(after)
        return seen

    assert State.RUNNING in reachable()  # so that what follows can fail
    assert State.RUNNING not in reachable(forbid_state=State.BOOT)
    assert State.RUNNING not in reachable(forbid_event=Event.SELF_TEST_PASSED)
    assert State.RUNNING not in reachable(forbid_event=Event.START)
    assert State.BOOT not in reachable(forbid_event=Event.RESET)


def test_an_emergency_stop_wins_in_every_state_over_all_other_events():
    for state in State:
        if state is not State.STOPPED:
            step = StateMachine().step(state, list(Event))
            assert (step.state, step.taken) == (State.STOPPED, Event.EMERGENCY_STOP)


MACHINE = StateMachine()


def test_an_event_that_is_raised_twice_is_one():
    events = [Event.STOP, Event.RESET, Event.STOP, Event.RESET]
    assert MACHINE.step(State.IDLE, events) == Step(
        state=State.IDLE, taken=None, ignored=(Event.STOP, Event.RESET)
    )
    assert MACHINE.step(State.RUNNING, events) == Step(
        state=State.IDLE, taken=Event.STOP, ignored=(Event.RESET,)
    )


def test_without_an_event_every_state_stays():
    for state in State:
        assert MACHINE.step(state, ()) == Step(state=state, taken=None, ignored=())
