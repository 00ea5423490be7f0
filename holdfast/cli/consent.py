"""Before a device is told something by hand a person says yes."""

import sys

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError


def ask(site: Site, what: str, told: str, *, agreed: bool) -> None:
    """Tells what will be done, and wants the site's name typed unless that was ``agreed`` before.

    Raises ConfigError without it: then nothing was done.
    """
    # Standard output is for the report.
    print(told, file=sys.stderr, flush=True)
    if agreed:
        return
    print(f"Type the site's name, {site.name}, to begin: ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip() != site.name:
        raise ConfigError(f"{what}: nothing was done; --yes agrees beforehand")
