"""Latches must still hold after a restart. They have a checksum; files are not our business.

The file is one sealed JSON object: whoever finds a site that will not start can read it.
"""

import json
from dataclasses import dataclass, replace

from holdfast.core.errors import LatchCorrupt
from holdfast.core.sealed import seal, unseal

LATCH_FILE_CORRUPT = "site/latch_file_corrupt"
_VERSION = 1
CRASH_LOOP = "site/crash_loop"
CONTROL_EXCEPTION = "site/control_exception"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latches:
    """Holds the latched emergency stop and the latched faults."""

    emergency_stop: bool = False
    faults: tuple[str, ...] = ()
    """Lists them as ``owner/row``, in the order in which they came."""

    def with_faults(self, *faults: str) -> "Latches":
        """Returns the same with ``faults`` added; itself if they are all there already."""
        new = tuple(dict.fromkeys(fault for fault in faults if fault not in self.faults))
        return replace(self, faults=self.faults + new) if new else self


def encode(latches: Latches) -> bytes:
    """Returns the content of a latch file."""
    body = json.dumps(
        {"version": _VERSION, "emergency_stop": latches.emergency_stop, "faults": latches.faults}
    )
    return seal(body)


def decode(content: bytes) -> Latches:
    """Reads the content of a latch file. Raises LatchCorrupt for anything but what was encoded."""
    try:
        fields = json.loads(unseal(content))
        if fields["version"] != _VERSION:
            raise LatchCorrupt(f"a latch file of version {fields['version']} is not known")
        return Latches(
            emergency_stop=fields["emergency_stop"] is not False,
            faults=tuple(str(fault) for fault in fields["faults"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise LatchCorrupt(f"the latch file cannot be read: {error}") from error
