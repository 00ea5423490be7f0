"""A proof is the report of what a device of this site was seen to do when it was told to.

It is a sealed file in ``state_dir``. Why it is so: docs/decisions/0024-proven-on-the-device.md.
"""

import hashlib
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from holdfast.core.config import Site, StorageUnit
from holdfast.core.config.device import Device
from holdfast.core.config.section import Finite, NotNegative
from holdfast.core.sealed import seal, unseal
from holdfast.devices.profile import load_profile
from holdfast.site.files import SiteFiles


class TimerFound(StrEnum):
    """Names what became of a command after which the device heard nothing more."""

    NONE = "none"
    """The table says that it has no timer, and nobody waited for one."""
    ENDS = "ends"
    """The power left in time."""
    LATE = "late"
    """It did not: nobody may rely on this timer."""


class OutageFound(StrEnum):
    """Names what the house had while the grid was away and the battery was told 0 W."""

    SERVED = "served"
    DARK = "dark"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProofStep(_Part):
    """Holds what came of one step."""

    name: str
    passed: bool
    told: str
    """Tells it to people."""
    figures: dict[str, Finite] = {}
    """Holds what was measured, by names that carry their units."""


class Proof(_Part):
    """Holds what was found, and for which table and connection it was."""

    version: int = Field(default=1, ge=1, le=1)
    unit: str
    table: str
    device: str
    """Is the digest of the table's content and of the connection."""
    firmware: str = ""
    """Is what the device says of its version, if it says anything."""
    utc: datetime
    power_w: NotNegative
    """So much was tried."""
    reason: str
    """Tells why it failed; empty: the device is proven."""
    at_zero: bool
    """Says whether the device was seen at 0 W in the end."""
    steps: tuple[ProofStep, ...]
    response_s: NotNegative | None = None
    """From the command to the power that follows it, at the slowest."""
    timer: TimerFound | None = None
    """None: it did not come to that."""
    timer_set_s: NotNegative | None = None
    timer_s: NotNegative | None = None
    """From the last command to the power that has left; None: it never did."""

    outage: OutageFound | None = None
    """None: it was not tried."""

    @property
    def proven(self) -> bool:
        """Says whether the device did what its table says."""
        return not self.reason

    @property
    def date(self) -> str:
        """Returns the day on which it was made."""
        return f"{self.utc:%Y-%m-%d}"

    @property
    def in_words(self) -> str:
        """Returns what a guard rests on."""
        response = "" if self.response_s is None else f": response {self.response_s:.1f} s"
        return f"proven on {self.date}{response}"

    def is_of(self, device: Device) -> bool:
        """Says whether table and connection are still those that it is about."""
        return self.device == device_digest(device)


def device_digest(device: Device) -> str:
    """Returns a digest of what a device's table says, and of how it is reached."""
    content = f"{load_profile(device.profile)!r}\n{device.connection.model_dump_json()}"
    return hashlib.sha256(content.encode()).hexdigest()


def encode_proof(proof: Proof) -> bytes:
    """Returns the content of its file."""
    return seal(proof.model_dump_json())


def proof_path(site: Site, unit: str) -> Path:
    """Returns the file of the last proof of a storage unit."""
    return SiteFiles.of(site).proofs / f"{unit}.json"


def read_proof(path: Path) -> Proof | None:
    """Returns the proof in a file; None without one, and for what nobody can trust."""
    try:
        return Proof.model_validate_json(unseal(path.read_bytes()))
    except (OSError, ValueError):
        return None


def valid_proof(site: Site, unit: StorageUnit) -> Proof | None:
    """Returns the proof of a unit's inverter as it is now, unless it failed or there is none."""
    proof = read_proof(proof_path(site, unit.name))
    return proof if proof is not None and proof.proven and proof.is_of(unit.inverter) else None
