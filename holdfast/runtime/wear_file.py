"""This module keeps the wear of the contactors on disk: it counts for life, over all restarts.

It stops nobody: what is lost of it is told, and counted anew.
"""

import asyncio
import json
import logging
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from holdfast.control.storage.unit import UnitMemory
from holdfast.core.sealed import seal, unseal
from holdfast.core.units import NS_PER_S
from holdfast.devices.contactor.memory import Wear
from holdfast.site.files import keep_corrupt, write_atomically

_log = logging.getLogger(__name__)

SAVE_EVERY_NS = 60 * NS_PER_S
"""A flash memory wears out too."""
SAVE_AT_THE_END_S = 2.0
_VERSION = 1

WearByUnit = Mapping[str, Wear]


def encode(wear: WearByUnit) -> bytes:
    """Returns the content of a wear file."""
    units = {
        name: {
            "closings": unit.closings,
            "openings_under_load": unit.openings_under_load,
            "complete": unit.complete,
        }
        for name, unit in wear.items()
    }
    return seal(json.dumps({"version": _VERSION, "units": units}))


def decode(content: bytes) -> dict[str, Wear]:
    """Returns what was encoded. Raises ValueError for anything else."""
    try:
        fields = json.loads(unseal(content))
        if fields["version"] != _VERSION:
            raise ValueError(f"version {fields['version']} is not known")
        return {
            str(name): Wear(
                closings=_count(unit["closings"]),
                openings_under_load=_count(unit["openings_under_load"]),
                complete=unit["complete"] is True,
            )
            for name, unit in fields["units"].items()
        }
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"is no wear file: {error!r}") from error


def load_wear(path: Path, units: Collection[str]) -> tuple[dict[str, Wear], WearByUnit | None]:
    """Returns the wear of ``units``, and of all on the disk; None if the file is of no use.

    A contactor that is not in the file is new. A file that cannot be trusted is copied to
    ``.corrupt``, and the wear of all is incomplete from then on.
    """
    lost = Wear(complete=False)
    try:
        found = decode(path.read_bytes())
    except FileNotFoundError:
        return {unit: Wear() for unit in units}, None
    except (OSError, ValueError) as error:
        _log.error("%s: %s; the contactors' wear is counted anew", path, error)
        keep_corrupt(path)
        return dict.fromkeys(units, lost), None
    return {unit: found.get(unit, Wear()) for unit in units}, found


class WearKeeper:
    """Brings the wear to disk when it has changed, once a minute at most and at the end."""

    def __init__(self, path: Path, units: Collection[str]) -> None:
        self._path = path
        self.at_start, self._on_disk = load_wear(path, units)
        self._others = {
            name: wear for name, wear in (self._on_disk or {}).items() if name not in units
        }
        """Holds the units that site.yaml does not know at present."""
        self._due_ns = 0
        self._saving: asyncio.Task[None] | None = None

    def note(self, units: Mapping[str, UnitMemory], now_ns: int) -> None:
        """Saves the wear of ``units`` if its time has come. Never waits."""
        if now_ns >= self._due_ns and self._saving is None:
            self._begin(units, now_ns)

    async def save(self, units: Mapping[str, UnitMemory]) -> None:
        """Saves it now, as far as the disk lets us in time."""
        end_s = time.monotonic() + SAVE_AT_THE_END_S
        await self._wait(end_s)
        self._begin(units, time.monotonic_ns())
        await self._wait(end_s)

    def _begin(self, units: Mapping[str, UnitMemory], now_ns: int) -> None:
        wear = self._others | {name: unit.relays.wear for name, unit in units.items()}
        if wear != self._on_disk and self._saving is None:
            self._due_ns = now_ns + SAVE_EVERY_NS
            self._saving = asyncio.get_running_loop().create_task(self._save(wear))

    async def _save(self, wear: WearByUnit) -> None:
        try:
            await asyncio.to_thread(write_atomically, self._path, encode(wear))
        except OSError as error:
            _log.error("the contactors' wear is not on disk: %s", error)
        else:
            self._on_disk = wear
        finally:
            self._saving = None

    async def _wait(self, end_s: float) -> None:
        if self._saving is not None:
            await asyncio.wait({self._saving}, timeout=max(end_s - time.monotonic(), 0.0))


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value
