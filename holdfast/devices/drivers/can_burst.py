"""This module collects the frames that belong together, so that limits and measurements match."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.core.signals import Signal
from holdfast.core.units import ns_from_s
from holdfast.devices.can_frames import GAP_NS
from holdfast.devices.can_profile import CanProfile

_PERMISSIONS = frozenset({Signal.CHARGE_ALLOWED, Signal.DISCHARGE_ALLOWED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Holds the values of one burst."""

    time_ns: int
    """Tells the monotonic time of its first frame: no value in it is older."""
    values: dict[Signal, float]


class BurstCollector:
    """Puts frames together until one repeats or none came for 50 ms.

    Where two frames of the profile carry the same signal, the later row of the table
    counts, in whatever order they arrive. Once that frame has been seen, the earlier row
    is no substitute: a mean temperature must not hide the hottest cell because one frame
    was lost. The signal then ages. A flag is raised by any of the frames that carry it (a
    permission taken back by any). That it is not, all of them that ever told it have to say, in
    one burst or, where a pack sends them apart, in one set: the one that is lost may raise it.
    """

    def __init__(self, profile: CanProfile) -> None:
        self._frames = {frame.id: frame for frame in profile.frames}
        self._rows = {frame.id: row for row, frame in enumerate(profile.frames)}
        self._flags = {flag.signal for frame in profile.frames for flag in frame.flags}
        self._set_ns = ns_from_s(2 * profile.burst_period_s)
        self._told_by: dict[Signal, set[int]] = {}
        self._told: dict[Signal, dict[int, tuple[float, int]]] = {}
        self._source: dict[Signal, int] = {}
        self._counts: dict[int, int] = {}
        self._parts: dict[int, dict[Signal, float]] = {}
        self._first_ns = 0
        self._last_ns = 0

    def add(self, frame_id: int, data: bytes, time_ns: int) -> Burst | None:
        """Takes a frame; returns the former burst if this frame starts a new one.

        Raises ValueError for a frame that is shorter than its table, or an old one that is sent
        again; the burst stays.
        """
        values = self._frames[frame_id].decode(data)
        self._check_count(frame_id, data)
        ended = None
        if frame_id in self._parts or time_ns - self._last_ns > GAP_NS:
            ended = self.take()
        if not self._parts:
            self._first_ns = time_ns
        self._last_ns = time_ns
        self._parts[frame_id] = values
        return ended

    def take(self) -> Burst | None:
        """Ends the present burst and returns it; None if there is none."""
        if not self._parts:
            return None
        values: dict[Signal, float] = {}
        for frame_id, part in self._parts.items():
            row = self._rows[frame_id]
            for signal, value in part.items():
                if signal in self._flags:
                    self._told_by.setdefault(signal, set()).add(frame_id)
                    self._told.setdefault(signal, {})[frame_id] = value, self._first_ns
                elif row >= self._source.get(signal, 0):
                    self._source[signal] = row
                    values[signal] = value
        values.update(self._told_flags())
        self._parts = {}
        return Burst(time_ns=self._first_ns, values=values)

    def _check_count(self, frame_id: int, data: bytes) -> None:
        count = self._frames[frame_id].count_in(data)
        if count is None:
            return
        if self._counts.get(frame_id) == count:
            raise ValueError(
                f"frame 0x{frame_id:03X} is an old one, sent again: its counter stands at {count}"
            )
        self._counts[frame_id] = count

    def _told_flags(self) -> Iterator[tuple[Signal, float]]:
        for signal, told in self._told.items():
            of_set = [value for value, ns in told.values() if self._first_ns - ns <= self._set_ns]
            strict = 0.0 if signal in _PERMISSIONS else 1.0
            if strict in of_set or len(of_set) == len(self._told_by[signal]):
                told.clear()
                yield signal, strict if strict in of_set else max(of_set)
