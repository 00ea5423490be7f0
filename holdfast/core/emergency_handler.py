"""The emergency handler says who asks for an emergency stop, and what a release takes."""

from collections.abc import Collection

from holdfast.core.commands import Command
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import SITE, Signal
from holdfast.core.units import NS_PER_S, s_from_ns

LOST_NS = 3 * NS_PER_S
"""An input that was known once and is not for longer than that is a stop."""


def loop_known_ns(snapshot: Snapshot, before_ns: int | None) -> int | None:
    """Tells when the emergency input was last known: now, or ``before_ns``."""
    loop = snapshot.read(SITE, Signal.EMERGENCY_LOOP_CLOSED)
    return loop.time_ns if isinstance(loop, Good) else before_ns


def emergency_cause(
    snapshot: Snapshot, commands: Collection[Command], known_ns: int | None = None
) -> str | None:
    """Tells why to stop now, or None. ``known_ns`` is when the input was last known.

    The input is normally closed: an open loop and a broken wire look the same. An input that
    cannot be read is lost data at first, which takes the power to 0 W; then it is a stop: power
    that comes back by itself comes back while nobody's button is heard.
    """
    if Command.EMERGENCY_STOP in commands:
        return "emergency stop by command"
    loop = snapshot.read(SITE, Signal.EMERGENCY_LOOP_CLOSED)
    # Anything but a clean 1 counts as open.
    if isinstance(loop, Good) and not loop.value >= 1.0:
        return "the emergency-stop loop is open"
    if known_ns is not None and snapshot.time_ns - known_ns > LOST_NS:
        return f"the emergency-stop loop is not known for {s_from_ns(LOST_NS):g} s"
    return None


def is_released(snapshot: Snapshot) -> bool:
    """Says whether the input is known to be closed."""
    return snapshot.good(SITE, Signal.EMERGENCY_LOOP_CLOSED) == 1.0
