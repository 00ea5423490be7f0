"""What a supervisor knows of its site: no more than it needs, so that it stays small."""

from dataclasses import dataclass
from pathlib import Path

SUPERVISOR = "supervisor"
ONE_EACH = ("controller", "watchdog")
"""They may have been started by somebody else, or be the last of a supervisor that was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BegunSite:
    """Tells what a supervisor has to know of a site that can be run."""

    site: bytes
    """Holds the whole site as it was read then, packed; whoever gives it back unpacks it."""
    state_dir: Path
    timezone: str
    observes: bool
    """Says whether nothing is written to its devices."""
    lines: tuple[str, ...]
    """Tell where the pages are, and how the first person gets in."""
