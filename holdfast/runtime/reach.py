"""A device is reached if it has answered within a window: one refused answer is a missed poll."""

from holdfast.core.config.device import Modbus, ModbusTcp
from holdfast.core.units import NS_PER_S, ns_from_s

TIMEOUT_S = 0.2
"""A device answers the watchdog within this, unless it is known to be slow."""
LOOK_EVERY_S = 0.25
AGAIN_S = 0.05
"""What was not answered is asked again this soon: a device that is busy is so for a moment."""
WITHIN_NS = 1 * NS_PER_S
"""A device that is well answers at least once in this; inverters refuse one read in twenty."""

_USUAL_S: float = ModbusTcp.model_fields["timeout_s"].default


def timeout_s(connection: Modbus) -> float:
    """Returns how long to wait for an answer: a device that site.yaml gives more time gets it, and
    so does one on a serial line, where the bytes themselves take time."""
    if isinstance(connection, ModbusTcp) and connection.timeout_s <= _USUAL_S:
        return TIMEOUT_S
    return connection.timeout_s


class Reach:
    """Judges whether one device is reached."""

    def __init__(self, timeout_s: float) -> None:
        # A slow device may leave one request unanswered as well.
        self._within_ns = max(WITHIN_NS, ns_from_s(3 * timeout_s))
        self._answered_ns: int | None = None
        self.pause_s = AGAIN_S
        """Tells after which time it is to be asked again."""

    def judge(self, answered: bool, now_ns: int) -> bool:  # noqa: FBT001 - it is what is judged
        """Takes in whether it ``answered`` just now; returns whether it is reached."""
        self.pause_s = LOOK_EVERY_S if answered else AGAIN_S
        if answered:
            self._answered_ns = now_ns
        return self._answered_ns is not None and now_ns - self._answered_ns <= self._within_ns
