"""The worst faults two by two: what is due of each comes in time, and nothing is damaged."""

import pytest

from holdfast.testing.campaign.company import devices_of, due_of
from holdfast.testing.campaign.pairs import BY_NAME, PAIRS, WORST, run_pair
from holdfast.testing.faults.fault import Fault, FaultOutcome
from holdfast.testing.faults.scenes import RUNNING, SiteScene

RUNS = [
    pytest.param(first, second, scene, id=f"{first.name} + {second.name}, {scene}")
    for first, second in PAIRS
    for scene in RUNNING
]


def test_all_pairs_of_the_twenty_worst_are_there() -> None:
    assert (len(WORST), len(PAIRS)) == (20, 190)


@pytest.mark.parametrize(("first", "second", "scene"), RUNS)
def test_two_faults_at_a_time_end_in_what_is_due(
    first: Fault, second: Fault, scene: SiteScene
) -> None:
    assert run_pair(first, second, scene).wrong == ()


def test_faults_at_two_devices_each_have_to_end_as_alone() -> None:
    hot, silent = BY_NAME["cell too hot"], BY_NAME["inverter silent"]
    assert not devices_of(hot) & devices_of(silent)
    due = due_of(hot, silent)
    assert due.outcomes == (FaultOutcome.TRIPPED,)
    assert due.within_s == hot.within_s


def test_where_one_hides_the_other_one_of_both_reactions_is_due() -> None:
    hot, silent = BY_NAME["cell too hot"], BY_NAME["BMS silent"]
    assert set(due_of(hot, silent).outcomes) == {FaultOutcome.TRIPPED, FaultOutcome.ZERO}


def test_a_pair_can_fail() -> None:
    first, second = BY_NAME["inverter keeps its power at 0 W"], BY_NAME["meter silent"]
    without = ("follow_up",)
    assert run_pair(first, second, SiteScene.DISCHARGE, without).wrong
