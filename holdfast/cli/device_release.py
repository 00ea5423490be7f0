"""``holdfast devices release`` gives an inverter back to its own rule."""

import argparse
import sys

from holdfast.core.config import Site, StorageUnit
from holdfast.core.errors import ConfigError
from holdfast.site.devices import address_of
from holdfast.site.site_file import load_site


def release_unit(options: argparse.Namespace) -> int:
    """Gives the inverter of a storage unit back; raises DeviceError if it does not take that."""
    from holdfast.runtime.commissioning.preconditions import holding, unit_meant
    from holdfast.runtime.commissioning.release import releaser

    site = load_site(options.config)
    unit = unit_meant(site, options.device, "devices release")
    release = releaser(unit)
    with holding(site, "devices release"):
        _ask(site, unit, agreed=options.yes)
        release()
    print(f"{unit.name}: {unit.inverter.profile} keeps its own rule")
    return 0


def _ask(site: Site, unit: StorageUnit, *, agreed: bool) -> None:
    """Tells what will be done, and wants a yes. Raises ConfigError without one."""
    where = address_of(unit.inverter.connection)
    told = (
        f"{unit.inverter.profile} at {where}, the inverter of {unit.name}, will keep its own rule "
        "from now on. Power may flow at once, and Holdfast watches nothing of it.\n"
    )
    sys.stderr.write(told)
    if agreed:
        return
    sys.stderr.write(f"Type the site's name, {site.name}, to go on: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != site.name:
        raise ConfigError("devices release: nothing was written; --yes agrees beforehand")
