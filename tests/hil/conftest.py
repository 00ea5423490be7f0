"""Running sites, one a module: starting one takes longer than most of what is tested."""

from collections.abc import Iterator

import pytest

from holdfast.testing.rig import Rig


@pytest.fixture(scope="module")
def site_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A site with its BMS on Modbus, controller and watchdog running."""
    with Rig(tmp_path_factory.mktemp("hil")) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        yield rig


@pytest.fixture
def rig(site_rig: Rig) -> Iterator[Rig]:
    """The same in RUNNING on the local rule; afterwards nothing may be damaged."""
    site_rig.to_running()
    yield site_rig
    assert site_rig.damage() == {}


@pytest.fixture(scope="module")
def can_site_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """A site with its BMS on CAN, controller and watchdog running."""
    with Rig(tmp_path_factory.mktemp("hil"), bms_on_can=True) as rig:
        rig.start_plant()
        rig.start("watchdog", "controller")
        yield rig


@pytest.fixture
def can_rig(can_site_rig: Rig) -> Iterator[Rig]:
    """The same in RUNNING on the local rule; afterwards nothing may be damaged."""
    can_site_rig.to_running()
    yield can_site_rig
    assert can_site_rig.damage() == {}
