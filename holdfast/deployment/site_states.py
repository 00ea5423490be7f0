"""How the sites of a computer are, before an update and after it: afterwards no worse."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from holdfast.client.status_reader import StatusReader
from holdfast.core.state_machine import State
from holdfast.monitoring.status.comms import silence
from holdfast.monitoring.status.schema import Status
from holdfast.site.files import SiteFiles
from holdfast.site.state_dir import state_dir_of

_MISSED = 0.05
"""So large a part of all cycles may be late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBefore:
    """Tells how a site was that ran."""

    config: str
    latched: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    """Names the devices that did not answer."""


BEFORE = TypeAdapter(tuple[SiteBefore, ...])


def site_configs(folder: Path) -> tuple[Path, ...]:
    """Returns each site.yaml of this computer."""
    return tuple(sorted(folder.glob("*/site.yaml")))


class SiteWatch:
    """Looks at one site, again and again."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self._reader = StatusReader(SiteFiles(state_dir=state_dir_of(config)))
        self._first: Status | None = None

    def status(self) -> Status | None:
        """Returns the status of a site that runs; None if it does not."""
        return self._reader.fresh()

    def before(self) -> SiteBefore | None:
        """Tells how it is now; None if it does not run."""
        status = self.status()
        if status is None:
            return None
        return SiteBefore(
            config=str(self.config), latched=status.latched_faults, silent=_silent(status)
        )

    def why_not_well(self, before: SiteBefore) -> str:
        """Tells what is worse than it was; empty: it is well."""
        status = self.status()
        if status is None:
            self._first = None
            return "its controller does not run"
        return "; ".join(self._complaints(status, before))

    def _complaints(self, status: Status, before: SiteBefore) -> Iterator[str]:
        new = set(status.latched_faults) - set(before.latched)
        if new:
            yield f"{', '.join(sorted(new))} is latched"
        if status.state is State.BOOT:
            yield f"it waits in BOOT: {', '.join(status.waits_for)}"
        silent = set(_silent(status)) - set(before.silent)
        if silent:
            yield f"{', '.join(sorted(silent))} does not answer"
        if self._first is None or status.loop.cycles < self._first.loop.cycles:
            self._first = status  # the first cycles of a process are late
        cycles = status.loop.cycles - self._first.loop.cycles
        missed = status.loop.missed - self._first.loop.missed
        if missed > max(1.0, _MISSED * cycles):
            yield f"{missed} of {cycles} cycles were late"


def _silent(status: Status) -> tuple[str, ...]:
    return tuple(name for name, comms in status.comms.items() if silence(name, comms))
