"""Events that come more than once, and none at all."""

from holdfast.core.state_machine import Event, State, StateMachine, Step

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
