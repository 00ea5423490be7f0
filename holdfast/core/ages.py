"""Ages tell from when on a reading is old, and when it is lost, where a device is not as others."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.core.signals import SIGNALS, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """Holds the ages of all signals of one owner, in nanoseconds."""

    old_ns: Mapping[Signal, int]
    """A reading older than this derates."""
    lost_ns: Mapping[Signal, int]
    """A reading older than this is none."""

    def of(self, signals: Mapping[Signal, tuple[int, int]]) -> "Ages":
        """Returns the same with other ages, old and lost, for some signals."""
        return Ages(
            old_ns={**self.old_ns, **{signal: old for signal, (old, _) in signals.items()}},
            lost_ns={**self.lost_ns, **{signal: lost for signal, (_, lost) in signals.items()}},
        )


USUAL = Ages(
    old_ns={signal: row.max_age_ns // 2 for signal, row in SIGNALS.items()},
    lost_ns={signal: row.max_age_ns for signal, row in SIGNALS.items()},
)

SiteAges = Mapping[str, Ages]
"""Maps owners to the ages of their signals; who is not in it has the usual ones."""
ALL_USUAL: SiteAges = {}
