"""An asker asks something of the batteries: people by hand, a rule, a schedule."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from holdfast.core.asked_slot import AskedSlot


class Asker(Protocol):
    """Is asked every second, so what it answers is to be at hand."""

    def asked(self, now_utc: datetime, until: datetime) -> Sequence[AskedSlot]:
        """Returns what is asked for, as far as it ends after ``now_utc`` and begins before
        ``until`` (aware, UTC).

        It is the same from one second to the next while nothing changes: whenever it is not, the
        plan is handed over anew. Raises nothing.
        """
        ...

    @property
    def problem(self) -> str:
        """Tells why something that was asked for does not count; empty if all does."""
        ...
