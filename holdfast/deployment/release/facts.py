"""The facts of a release are signed with it: what it is, for which computer, and after what."""

import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from packaging.version import InvalidVersion, Version
from pydantic import TypeAdapter, ValidationError

from holdfast.core.errors import HoldfastError

FACTS_NAME: Final = "release.json"
LOCK_NAME: Final = "requirements.lock"


class ReleaseError(HoldfastError):
    """A release cannot be made, or cannot be used; the text says why. Nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """Tells what is in a release."""

    version: str
    min_version: str
    """From an older release there is no way to this one but over another."""
    platform: str
    config_version: int
    """Is the version of site.yaml that it writes, and reads all before."""
    history_layout: int
    history_since: int
    """Is the oldest layout of the history whose release works with that of this one."""

    @property
    def name(self) -> str:
        """Returns the name of its file."""
        return f"holdfast-{self.version}-{self.platform}.zip"

    def why_no_way_back(self, before: "ReleaseFacts | None", layout: int) -> str:
        """Tells why the release of ``layout`` could not work on after this one; empty: it could."""
        if self.history_since > layout:
            return (
                f"{self.version} changes the history so that the release before "
                f"(layout {layout}) could not go on with it: there would be no way back"
            )
        if before is not None and self.config_version > before.config_version + 1:
            return f"{self.version} leaves out a version of site.yaml"
        return ""


_FACTS: Final = TypeAdapter(ReleaseFacts)


def here() -> str:
    """Returns the platform of this Python, such as cp311-linux-x86_64."""
    return f"cp{sys.version_info.major}{sys.version_info.minor}-{sysconfig.get_platform()}"


def encode_facts(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns them as they are signed."""
    return dict(_FACTS.dump_python(facts, mode="json"))


def decode_facts(content: Mapping[str, Any] | None) -> ReleaseFacts:
    """Reverses it. Raises ReleaseError."""
    try:
        facts = _FACTS.validate_python(content)
        for text in (facts.version, facts.min_version):
            if str(Version(text)) != text:
                raise ReleaseError(f"{text!r} is no version")
    except (ValidationError, InvalidVersion) as error:
        raise ReleaseError("it does not say what it is, as a release of Holdfast does") from error
    return facts
