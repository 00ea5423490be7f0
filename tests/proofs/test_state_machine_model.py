"""Every state that the machine, its latches and the disk can get into."""

import pytest

from holdfast.core.state_machine import TRANSITIONS, State
from proofs.canaries import ALL_IN_MODEL, find_in_model
from proofs.state_machine_model import ALL_INPUTS, RULES, Model, System, check


@pytest.fixture(scope="module")
def result():
    return check()


def test_every_rule_holds_in_every_state(result):
    assert result.violations == {}
    assert result.proven


def test_the_search_has_seen_the_whole_world(result):
    assert len(ALL_INPUTS) == 32 * 3 * 4 * 2
    assert result.states > 500
    assert result.transitions > result.states * len(ALL_INPUTS)


def test_every_state_of_the_machine_is_reached():
    model, seen, waiting = Model(), {System()}, [System()]
    while waiting:
        for step in model.steps(waiting.pop()):
            if step.after not in seen:
                seen.add(step.after)
                waiting.append(step.after)
    assert {system.machine for system in seen} == set(State)


@pytest.mark.parametrize("name", ALL_IN_MODEL)
def test_a_broken_machine_is_found_with_a_way_there(name):
    found = find_in_model(name)
    assert found.found
    assert "start: BOOT" in found.by


def test_every_row_of_the_table_is_needed():
    assert sum(name.startswith("no row") for name in ALL_IN_MODEL) == len(TRANSITIONS)
    assert RULES
