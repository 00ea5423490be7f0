"""What an inverter held before Holdfast first wrote to it lies in ``state_dir`` until it is given
back: a kill, or a restart, forgets nothing of it.

Controller and watchdog may both be the first to write. Each has read before it keeps, and keeps
before it writes, so whoever keeps first has seen what was there; the other's is left out.
"""

import hashlib
import logging
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from holdfast.core.config import Site, StorageUnit
from holdfast.core.role import Role
from holdfast.core.sealed import seal, unseal
from holdfast.devices.register_image import Table
from holdfast.devices.taking_over import TakenOver
from holdfast.site.files import SiteFiles, keep_corrupt, write_atomically

_log = logging.getLogger(__name__)

SAVED_WITHIN_S = 1.0
"""A disk that takes longer keeps no 0 W from going out."""

_Word = Annotated[int, Field(ge=0, le=0xFFFF)]


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    device: str
    """Is the digest of the table's name and of the connection."""
    commanded: bool
    words: tuple[tuple[int | None, Table, _Word, _Word], ...]
    """Device id, table, address, and what was there."""


class TakenOverFile:
    """Keeps what one unit's inverter held."""

    def __init__(self, path: Path, device: str) -> None:
        self._path, self._device = path, device
        self._is_needed = self.read() is None
        if self._is_needed and path.exists():  # of another device, or of no use
            keep_corrupt(path)
            path.unlink(missing_ok=True)

    @classmethod
    def of(cls, site: Site, unit: StorageUnit) -> Self:
        """Returns the file of ``unit``."""
        name = f"{unit.inverter.profile}\n{unit.inverter.connection.model_dump_json()}"
        path = SiteFiles.of(site).taken_over / f"{unit.name}.json"
        return cls(path, hashlib.sha256(name.encode()).hexdigest())

    @property
    def is_needed(self) -> bool:
        """Says whether nothing is kept yet, as far as this process knows."""
        return self._is_needed

    def read(self) -> TakenOver | None:
        """Returns what is kept of this device; None for nothing, and for what nobody can trust."""
        try:
            content = _Content.model_validate_json(unseal(self._path.read_bytes()))
        except (OSError, ValueError):
            return None
        if content.device != self._device:
            return None
        words = {(one, table, address): word for one, table, address, word in content.words}
        return TakenOver(words=words, commanded=content.commanded)

    def keep(self, found: TakenOver) -> None:
        """Keeps it, if nothing is kept yet. A disk that does not take it is told of."""
        self._is_needed = False
        saving = threading.Thread(target=self._save, args=(found,), daemon=True)
        saving.start()
        saving.join(SAVED_WITHIN_S)
        if saving.is_alive():
            _log.error("%s: the disk takes long; nobody waits for it", self._path)

    def give_up(self, why: str) -> None:
        """Goes on without: nothing but its own rule can be restored."""
        self._is_needed = False
        _log.error("%s: what it held before cannot be read: %s", self._path.stem, why)

    def forget(self) -> None:
        """Forgets it: the device was given back."""
        self._path.unlink(missing_ok=True)
        self._is_needed = True

    def _save(self, found: TakenOver) -> None:
        content = _Content(
            device=self._device,
            commanded=found.commanded,
            words=tuple((*place, word) for place, word in found.words.items()),
        )
        mine = self._path.with_suffix(f".{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(mine, seal(content.model_dump_json()))
            with suppress(FileExistsError):
                os.link(mine, self._path)
            mine.unlink()
        except OSError as error:
            _log.error("%s is not on disk: %s", self._path, error)


def taken_over_file(site: Site, owners: Mapping[Role, str]) -> TakenOverFile | None:
    """Returns the file of the device that serves ``owners``, if it is a unit's inverter."""
    unit = site.unit_named(owners.get(Role.INVERTER, ""))
    return None if unit is None else TakenOverFile.of(site, unit)
