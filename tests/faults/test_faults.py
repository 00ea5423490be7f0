"""Each fault of the table ends in its reaction in time, and a healthy site in none."""

from dataclasses import replace

import pytest

from holdfast.testing.faults.fault import Fault, FaultOutcome
from holdfast.testing.faults.run import run
from holdfast.testing.faults.scenes import SiteScene
from holdfast.testing.faults.table import FAULTS

RUNS = [(fault, scene) for fault in FAULTS for scene in fault.scenes]
ALONE = {(scene, fault.later): (fault, scene) for fault, scene in RUNS}
"""What happens later, and in which scene, each once."""


def named(runs: list[tuple[Fault, SiteScene]]) -> list[object]:
    return [pytest.param(fault, scene, id=f"{fault.name}, {scene}") for fault, scene in runs]


@pytest.mark.parametrize(("fault", "scene"), named(RUNS))
def test_a_fault_ends_in_its_reaction_in_time(fault: Fault, scene: SiteScene) -> None:
    """And nothing is damaged, no command leaves its permit, and the site goes on afterwards."""
    verdict = run(fault, scene, recovers=True)
    assert not verdict.wrong, f"found {sorted(verdict.rows)}"


@pytest.mark.parametrize(
    ("fault", "scene"), named([run for run in ALONE.values() if run[1] is not SiteScene.BOOT])
)
def test_without_the_fault_nothing_comes_of_what_happens_later(
    fault: Fault, scene: SiteScene
) -> None:
    healthy = replace(fault, begins=(), outcome=FaultOutcome.GOES_ON, finding="", ends=None)
    verdict = run(replace(healthy, within_s=60.0, lasts_s=5.0), scene)
    assert verdict.reached_s is not None
    assert verdict.rows == frozenset()
