"""Each fault of the hostile bench ends in the safe reaction, in time, at the wire."""

import time
from pathlib import Path

import pytest

from tests.hostile.faults import FAULTS, HostileFault
from tests.hostile.site import HostileSite
from tests.hostile.world import World


def _run(fault: HostileFault, folder: Path, *, without: str = "") -> tuple[bool, str]:
    """Returns whether it ended in the safe reaction in time, and what was seen."""
    world = World(capacity_wh=fault.capacity_wh, soc=fault.soc)
    world.house_w = fault.house_w
    if fault.from_start:
        fault.begins(world)
    with HostileSite(folder, world, without=without, import_max_w=fault.import_max_w) as site:
        site.start()
        # What still moves when a fault begins is found by it, and proves another check.
        site.until(
            lambda: abs(world.power_w + fault.house_w) < 50.0,
            60.0,
            "the battery follows the house",
        )
        fault.begins(world)
        began_s = time.monotonic()
        safe_s: float | None = None
        pending = fault.after
        while True:
            passed_s = time.monotonic() - began_s
            if pending is not None and passed_s >= 2.0:
                pending(world)
                pending = None
            if fault.never is not None and fault.never(world):
                return False, f"{passed_s:.1f} s: {world.power_w:.0f} W, {world.damage}"
            if not fault.safe(world) or pending is not None:
                safe_s = None
            elif safe_s is None:
                safe_s = passed_s
            if safe_s is not None and passed_s - safe_s >= fault.holds_s:
                break
            if safe_s is None and passed_s > fault.within_s:
                return False, f"{passed_s:.1f} s: {world.power_w:.0f} W, closed {world.closed}"
            time.sleep(0.01)
        rows = site.rows_found()
        named = not fault.finding or bool(rows & set(fault.finding.split("|")))
        return named, f"after {safe_s:.1f} s, found: {', '.join(sorted(rows))}"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_ends_in_the_safe_reaction_in_time(fault: HostileFault, tmp_path: Path) -> None:
    safe, seen = _run(fault, tmp_path)
    assert safe, seen


@pytest.mark.parametrize(
    "fault", [fault for fault in FAULTS if fault.check], ids=lambda fault: fault.name
)
def test_without_its_check_it_does_not(fault: HostileFault, tmp_path: Path) -> None:
    """A check that changes nothing when it is taken out checks nothing."""
    safe, seen = _run(fault, tmp_path, without=fault.check)
    assert not safe, seen
