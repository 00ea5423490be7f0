"""The demonstration can be run on every device table that comes with Holdfast."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from holdfast.core.errors import ConfigError
from holdfast.devices.profile import load_profile, profile_names
from holdfast.simulation.demo_site import make_demo_site
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.site_server import SiteServer
from holdfast.site.check import check_site
from holdfast.site.devices import devices
from holdfast.site.site_file import load_site

TABLES = [name for name in profile_names() if load_profile(name).protocol != "gpio"]


@pytest.mark.parametrize("table", TABLES)
def test_a_site_with_such_a_device_can_be_run_and_is_simulated(tmp_path: Path, table: str) -> None:
    demo = make_demo_site(tmp_path, datetime.now(UTC), table)
    site = load_site(demo.config)
    check_site(site)
    SiteServer(site, SitePlant.from_site(site))
    in_roles = {role for (_, role), (_, device) in devices(site).items() if device.profile == table}
    assert in_roles >= set(load_profile(table).roles)
    assert (demo.broker_port is not None) is (load_profile(table).protocol == "mqtt")


def test_lines_of_this_computer_are_not_simulated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="gpio_relays: the lines of a computer are not simulated"):
        make_demo_site(tmp_path, datetime.now(UTC), "gpio_relays")
