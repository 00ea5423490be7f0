"""An examination of a site finds what is wrong, doubtful or missing before anything starts."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from holdfast.core.config import Site
from holdfast.core.config.prices import FileSource, Prices
from holdfast.core.errors import ConfigError
from holdfast.core.role import Role
from holdfast.markets.price_doubts import price_doubts
from holdfast.markets.sources.catalogue import check_source
from holdfast.safety.goals import Assurance
from holdfast.site.assurance import assurance, hangs_on_lines, unwatched
from holdfast.site.check import check_site
from holdfast.site.devices import devices, left_out
from holdfast.site.doubts import doubts
from holdfast.site.guards import guard_content
from holdfast.site.schedule_check import check_schedule

_WITHOUT = {
    Role.RELAYS: "a trip takes the power stage away and opens nothing",
    Role.EMERGENCY_INPUT: "`holdfast estop` is the only stop that Holdfast hears",
    Role.PV_METER: "there is no PV, and never will be",
}
"""Tells what it means that a site does without a device."""
_PACKAGES = {
    "mqtt": ("aiomqtt", "mqtt"),
    "modbus_mqtt": ("aiomqtt", "mqtt"),
    "gpio": ("gpiod", "gpio"),
}
"""Names what each kind of connection needs beside Holdfast, and the extra that brings it."""
_ON_LINES = (
    "a controller that hangs keeps its lines until it is killed, 5 s later, and only then does the "
    "watchdog open; if this computer stops, nothing of Holdfast opens: take a relay that is off "
    "without a signal, and an inverter with a timer of its own"
)
"""Tells what it means that relays hang on GPIO lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Tells what was found of a site that can be run."""

    site: Site
    doubts: tuple[str, ...]
    """They are possible, and hardly meant: a kW for a W, cents for euros."""
    warnings: tuple[str, ...]
    """They tell what the site does without."""
    idle_limits: tuple[str, ...]
    """They are the limits that no device feeds, each in a sentence."""
    guards: tuple[Assurance, ...]

    def content(self) -> dict[str, object]:
        """Returns it for programs, as ``holdfast check --json`` prints it."""
        return {
            "site": self.site.name,
            "ok": True,
            "doubts": self.doubts,
            "warnings": [*self.warnings, *self.idle_limits],
            "guards": guard_content(self.guards),
        }


def examine(site: Site) -> Examination:
    """Returns what is to be told of ``site``. Raises ConfigError if it cannot be run."""
    check_site(site)
    _check_packages(site)
    check_schedule(site)
    for tariff in () if site.prices is None else (site.prices.purchase, site.prices.feed_in):
        check_source(tariff.source)
    return Examination(
        site=site,
        doubts=(*doubts(site), *price_doubts(site)),
        warnings=tuple(_warnings(site)),
        idle_limits=tuple(_idle_limits(site)),
        guards=assurance(site),
    )


def _check_packages(site: Site) -> None:
    """Raises ConfigError where the site would not start for want of a package."""
    for path, device in devices(site).values():
        package, extra = _PACKAGES.get(device.connection.kind, ("", ""))
        if package and find_spec(package) is None:
            raise ConfigError(
                f"{path}: {device.connection.kind} needs another package: "
                f"pip install 'holdfast[{extra}]'"
            )


def _missing_files(prices: Prices) -> list[str]:
    sources = {"purchase": prices.purchase.source, "feed_in": prices.feed_in.source}
    return [
        f"prices.{direction}.source.path: {source.path} does not exist yet"
        for direction, source in sources.items()
        if isinstance(source, FileSource) and not Path(source.path).exists()
    ]


def _warnings(site: Site) -> list[str]:
    warnings = []
    if site.prices is None:
        warnings.append("no prices: the site will run on self-consumption")
    else:
        warnings += _missing_files(site.prices)
    if site.authority == "observe":
        warnings.append("authority is observe: nothing will be written to any device")
    elif site.commissioning is not None:
        why = site.commissioning.none
        warnings.append(f"nobody has to release this site before it acts ({why})")
    warnings += [
        f"{path} is left out: {_WITHOUT[role]} ({reason})"
        for path, (role, reason) in left_out(site).items()
    ]
    warnings += [
        f"storage[{index}].relays: {_ON_LINES}"
        for index, unit in enumerate(site.storage)
        if hangs_on_lines(unit)
    ]
    return warnings


def _idle_limits(site: Site) -> Iterator[str]:
    return (
        f"limit {key} is not watched: no device of this site provides {' and '.join(lacks)}"
        for key, lacks in unwatched(site).items()
    )
