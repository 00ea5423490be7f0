"""Collects the frames that belong together, so that limits and measurements match."""

from dataclasses import dataclass

from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS
from holdfast.devices.profile import CanProfile

GAP_NS = 50 * NS_PER_MS
"""Silence that ends a burst."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Values of one burst."""

    time_ns: int
    """Monotonic time of its first frame: no value in it is older."""
    values: dict[Signal, float]


class BurstCollector:
    """Puts frames together until one repeats or none came for 50 ms.

    Where two frames of the profile carry the same signal, the later row of the table
    counts, in whatever order they arrive. Once that frame has been seen, the earlier row
    is no substitute: a mean temperature must not hide the hottest cell because one frame
    was lost. The signal then ages.
    """

    def __init__(self, profile: CanProfile) -> None:
        self._frames = {frame.id: frame for frame in profile.frames}
        self._rows = {frame.id: row for row, frame in enumerate(profile.frames)}
        self._source: dict[Signal, int] = {}
        self._parts: dict[int, dict[Signal, float]] = {}
        self._first_ns = 0
        self._last_ns = 0

    def add(self, frame_id: int, data: bytes, time_ns: int) -> Burst | None:
        """Take a frame; returns the former burst if this frame starts a new one.

        Raises ValueError for a frame that is shorter than its table; the burst stays.
        """
        values = self._frames[frame_id].decode(data)
        ended = None
        if frame_id in self._parts or time_ns - self._last_ns > GAP_NS:
            ended = self.take()
        if not self._parts:
            self._first_ns = time_ns
        self._last_ns = time_ns
        self._parts[frame_id] = values
        return ended

    def take(self) -> Burst | None:
        """End the present burst and return it; None if there is none."""
        if not self._parts:
            return None
        values: dict[Signal, float] = {}
        for frame_id, part in self._parts.items():
            row = self._rows[frame_id]
            for signal, value in part.items():
                if row >= self._source.get(signal, 0):
                    self._source[signal] = row
                    values[signal] = value
        self._parts = {}
        return Burst(time_ns=self._first_ns, values=values)
