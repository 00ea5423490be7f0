"""After an update the sites are as well as before, seen on a real one: else back it goes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.core.commands import Command
from holdfast.core.state_machine import State
from holdfast.deployment.health import are_well
from holdfast.deployment.site_states import BEFORE, SiteBefore, SiteWatch, site_configs
from holdfast.testing.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with Rig(tmp_path) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        rig.until_state(State.IDLE)
        yield rig


def before(rig: Rig) -> SiteBefore:
    found = SiteWatch(rig.config).before()
    assert found is not None
    return found


def well(rig: Rig, site: SiteBefore, within_s: float = 20.0) -> tuple[bool, str]:
    told: list[str] = []
    found = are_well([site], within_s=within_s, steady_s=1.0, tell=told.append, look_s=0.05)
    return found, "; ".join(told)


def test_a_site_that_goes_on_is_well_and_one_that_ends_is_not(rig: Rig) -> None:
    site = before(rig)
    assert BEFORE.validate_json(BEFORE.dump_json((site,))) == (site,)
    assert well(rig, site)[0]
    rig.processes["controller"].end()
    rig.until(lambda: SiteWatch(rig.config).status() is None, "a status that is old")
    found, told = well(rig, site, within_s=2.0)
    assert not found
    assert "its controller does not run" in told


def test_what_has_failed_since_is_not_well_and_what_had_before_is_as_it_was(rig: Rig) -> None:
    site = before(rig)
    rig.command(Command.EMERGENCY_STOP)
    rig.until_state(State.STOPPED)
    rig.fault("bms", "absent")
    rig.until(lambda: SiteWatch(rig.config).why_not_well(site), "a complaint")
    found, told = well(rig, site, within_s=3.0)
    assert not found
    assert "does not answer" in told
    rig.until(lambda: before(rig).silent, "a device that is silent")
    assert well(rig, before(rig))[0]


def test_a_computer_without_a_site_is_well_at_once() -> None:
    assert are_well([], within_s=0.0, steady_s=60.0, tell=print)


def test_sites_are_found_by_their_site_yaml(tmp_path: Path) -> None:
    for name in ("home", "barn", "empty"):
        (tmp_path / name).mkdir()
    for name in ("home", "barn"):
        (tmp_path / name / "site.yaml").touch()
    assert site_configs(tmp_path) == (tmp_path / "barn/site.yaml", tmp_path / "home/site.yaml")
