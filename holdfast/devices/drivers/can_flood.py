"""A node that floods the bus costs no more than this: frames are left out, and it is told."""

from collections import Counter

from holdfast.core.units import NS_PER_MS, NS_PER_S

MOST_OF_ONE_ID = 50
"""So many frames with one identifier are taken in a second; packs send one, seldom ten."""
_WINDOW_NS = 50 * NS_PER_MS
_MOST_IN_WINDOW = 100
"""Of more frames in a window the rest waits for the next: 2,000 a second are read at most."""


class FloodGuard:
    """Counts frames by identifier, and says when to rest."""

    def __init__(self) -> None:
        self._second_ns = self._window_ns = 0
        self._in_window = 0
        self._seen: Counter[int] = Counter()

    def takes(self, id_: int) -> bool:
        """Says whether one more frame with this identifier is taken in this second."""
        self._seen[id_] += 1
        return self._seen[id_] <= MOST_OF_ONE_ID

    def rest_ns(self, now_ns: int) -> int:
        """Counts a frame that was read. Returns how long the next one is to wait."""
        if now_ns - self._window_ns >= _WINDOW_NS:
            self._window_ns, self._in_window = now_ns, 0
        self._in_window += 1
        if self._in_window < _MOST_IN_WINDOW:
            return 0
        return self._window_ns + _WINDOW_NS - now_ns

    def told(self, now_ns: int) -> str | None:
        """Begins another second if the last one is over. Returns what was too much in it."""
        if now_ns - self._second_ns < NS_PER_S:
            return None
        self._second_ns = now_ns
        flood = [(count, id_) for id_, count in self._seen.items() if count > MOST_OF_ONE_ID]
        self._seen.clear()
        if not flood:
            return None
        _, id_ = max(flood)
        return (
            f"a node floods the bus: frame 0x{id_:03X} comes more than {MOST_OF_ONE_ID} times a "
            "second, and no more of them are taken"
        )
