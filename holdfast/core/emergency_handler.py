"""The emergency stop: who asks for it, and what a release takes."""

from collections.abc import Collection

from holdfast.core.commands import Command
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import SITE, Signal


def emergency_cause(snapshot: Snapshot, commands: Collection[Command]) -> str | None:
    """Why to stop now, or None.

    The input is normally closed: an open loop and a broken wire look the same. An input that
    cannot be read is no emergency stop but lost data, which takes the power to 0 W.
    """
    if Command.EMERGENCY_STOP in commands:
        return "emergency stop by command"
    loop = snapshot.read(SITE, Signal.EMERGENCY_LOOP_CLOSED)
    # Anything but a clean 1 counts as open.
    if isinstance(loop, Good) and not loop.value >= 1.0:
        return "the emergency-stop loop is open"
    return None


def is_released(snapshot: Snapshot) -> bool:
    """True if the input is known to be closed."""
    return snapshot.good(SITE, Signal.EMERGENCY_LOOP_CLOSED) == 1.0
