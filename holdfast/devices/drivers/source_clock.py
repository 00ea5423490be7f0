"""A source clock tells how old a value is by the time that its device says, whatever its clock is.

A device's clock may be an hour off, and a message may be an old one that somebody repeats: a
gateway that answers for a meter it has lost, a bridge that sends late what it has kept. So what
counts is how much later a message comes than the quickest one lately.
"""

from collections import deque

from holdfast.core.units import NS_PER_S

LATELY_NS = 300 * NS_PER_S
"""After a device has set its clock back its values are old for so long."""
_MOST = 600
"""So many messages are remembered at most: two a second."""


class SourceClock:
    """Follows the clock of one document."""

    def __init__(self) -> None:
        self._delays_ns: deque[tuple[int, int]] = deque(maxlen=_MOST)
        """Holds when a stamp came first, and by how much it was later than that by its clock."""
        self._stamp_ns: int | None = None
        self._moved = False

    def sampled_ns(self, stamp_s: float, came_ns: int) -> int | None:
        """Returns the monotonic time at which a value was taken that came at ``came_ns``.

        None: nobody knows, for no other stamp has come yet.
        """
        stamp_ns = round(stamp_s * NS_PER_S)
        if self._stamp_ns != stamp_ns:
            self._moved = self._stamp_ns is not None
            self._stamp_ns = stamp_ns
            self._note(came_ns, came_ns - stamp_ns)
        if not self._moved:
            return None
        quickest_ns = min(delay_ns for _, delay_ns in self._delays_ns)
        return min(came_ns, stamp_ns + quickest_ns)

    def _note(self, came_ns: int, delay_ns: int) -> None:
        while self._delays_ns and came_ns - self._delays_ns[0][0] > LATELY_NS:
            self._delays_ns.popleft()
        self._delays_ns.append((came_ns, delay_ns))
