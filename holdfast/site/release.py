"""A site is released for a stage of authority once what has to be seen there was seen and signed.

The release is a sealed file in ``state_dir``, about the devices that were there; whoever has others
since begins again. Why it is so: docs/decisions/0040-released-for-a-stage.md.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.sealed import seal, unseal
from holdfast.core.texts import MAX_NAME
from holdfast.safety.goals import Authority
from holdfast.site.devices import physical_devices
from holdfast.site.files import SiteFiles


class Release(BaseModel):
    """Says up to which authority a site may go, and who has taken that on himself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(default=1, ge=1, le=1)
    stage: Literal["limited", "full"]
    hardware: str
    """Is the digest of the devices and data sheets that it is about."""
    utc: AwareDatetime
    by: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]

    @property
    def permits(self) -> Authority:
        """Returns the highest authority that it is for."""
        return Authority[self.stage.upper()]


def hardware_digest(site: Site) -> str:
    """Returns a digest of the devices of a site, how they are reached, and their data sheets.

    A table's content is no part of it: that a newer release knows a device better is no reason to
    begin again (a proof of a device knows what it rests on). Nor are keys that nobody has written:
    a newer release may have more of them.
    """
    parts = [_written(site.grid)]
    parts += [
        f"{_written(unit.battery)} {_written(unit.inverter_hardware)}" for unit in site.storage
    ]
    parts += sorted(
        f"{one.device.profile} {_written(one.device.connection)} {sorted(one.owners)}"
        for one in physical_devices(site)
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _written(section: BaseModel) -> str:
    return section.model_dump_json(exclude_defaults=True)


def release_path(site: Site) -> Path:
    """Returns the file of the release of a site."""
    return SiteFiles.of(site).release


def encode_release(release: Release) -> bytes:
    """Returns the content of its file."""
    return seal(release.model_dump_json())


def read_release(path: Path) -> Release | None:
    """Returns the release in a file; None without one, and for what nobody can trust."""
    try:
        return Release.model_validate_json(unseal(path.read_bytes()))
    except (OSError, ValueError):
        return None


def check_release(site: Site) -> None:
    """Raises ConfigError if site.yaml asks for more authority than the site is released for."""
    wanted = Authority[site.authority.upper()]
    if wanted is Authority.OBSERVE or site.commissioning is not None:
        return
    release = read_release(release_path(site))
    if release is None or release.permits < wanted:
        has = "nothing" if release is None else f"authority: {release.stage}"
        raise ConfigError(
            f"authority: {wanted.key} is more than this site is released for, which is {has}: "
            "`holdfast checklist` tells what is missing, and releases it "
            "(or commissioning: {none: why that is right})"
        )
    if release.hardware != hardware_digest(site):
        raise ConfigError(
            f"authority: {wanted.key}: the devices, their data or the grid connection are not "
            f"those that were released on {release.utc:%Y-%m-%d} by {release.by}; "
            "`holdfast checklist` tells what has to be seen again"
        )
