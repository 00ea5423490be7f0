"""Assembly leads from a site.yaml to the control cycle that runs it."""

from holdfast.control.cycle import Cycle
from holdfast.core.config import Site
from holdfast.site.check import check_site
from holdfast.site.devices import (
    expected_signals,
    point_traits,
    site_ages,
    writable_points,
)


def build_cycle(site: Site) -> Cycle:
    """Returns the control cycle of a site. Raises ConfigError."""
    check_site(site)
    return Cycle(
        site,
        expected_signals(site),
        writable_points(site),
        point_traits(site),
        site_ages(site),
    )
