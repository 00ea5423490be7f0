"""``holdfast devices release`` gives an inverter back to its own rule."""

import argparse

from holdfast.cli.consent import ask
from holdfast.core.config import StorageUnit
from holdfast.site.devices import address_of
from holdfast.site.site_file import load_site

_WHAT = "devices release"


def release_unit(options: argparse.Namespace) -> int:
    """Gives the inverter of a storage unit back; raises DeviceError if it does not take that."""
    from holdfast.runtime.commissioning.preconditions import holding, unit_meant
    from holdfast.runtime.commissioning.release import releaser

    site = load_site(options.config)
    unit = unit_meant(site, options.device, _WHAT)
    release = releaser(site, unit)
    with holding(site, _WHAT):
        ask(site, _WHAT, _what_is_done(unit), agreed=options.yes)
        release()
    print(f"{unit.name}: {unit.inverter.profile} keeps its own rule")
    return 0


def _what_is_done(unit: StorageUnit) -> str:
    where = address_of(unit.inverter.connection)
    return (
        f"{unit.inverter.profile} at {where}, the inverter of {unit.name}, will keep its own rule "
        "from now on. Power may flow at once, and Holdfast watches nothing of it."
    )
