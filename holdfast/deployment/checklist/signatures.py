"""What people have seen at a site stands in a sealed file, each with a name and a time.

A signature is about the devices that were there: with others it counts for nothing.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from holdfast.core.sealed import seal, unseal
from holdfast.core.texts import MAX_NAME, MAX_REASON
from holdfast.site.files import keep_corrupt, write_atomically


class Signature(BaseModel):
    """Says who has seen what is to be seen, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    utc: AwareDatetime
    hardware: str
    """Is the digest of the devices that were there."""
    note: Annotated[str, Field(max_length=MAX_REASON)] = ""

    @property
    def in_words(self) -> str:
        """Tells it in a line."""
        note = f": {self.note}" if self.note else ""
        return f"signed by {self.by} on {self.utc:%Y-%m-%d}{note}"


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(default=1, ge=1, le=1)
    signed: dict[str, Signature] = Field(default_factory=dict)


class Signatures:
    """Keeps the signatures of one site, by item."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Signature]:
        """Returns them; none of a file that nobody can trust."""
        try:
            return _Content.model_validate_json(unseal(self._path.read_bytes())).signed
        except (OSError, ValueError):
            return {}

    def add(self, item: str, signature: Signature) -> None:
        """Signs an item, in the place of who did so before. Raises OSError."""
        self._write(self.read() | {item: signature})

    def remove(self, item: str) -> None:
        """Takes a signature back. Raises OSError."""
        self._write({key: one for key, one in self.read().items() if key != item})

    def _write(self, signed: dict[str, Signature]) -> None:
        if self._path.exists() and not self.read():
            keep_corrupt(self._path)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(self._path, seal(_Content(signed=signed).model_dump_json()))
