"""A document reader makes of what came in what a device told, and of what instant that is."""

from holdfast.core.data_store import Told
from holdfast.core.errors import DeviceRefused
from holdfast.core.units import ns_from_s, s_from_ns
from holdfast.devices.drivers.source_clock import SourceClock
from holdfast.devices.json_path import Unreadable, parse_document
from holdfast.devices.json_rows import JsonDocument, Unfit


class DocumentReader:
    """Reads one document of a device, again and again."""

    def __init__(self, document: JsonDocument, *, lost_s: float, or_text: bool = False) -> None:
        """Its values are lost after ``lost_s``; where it is no JSON it may be a text."""
        self._document = document
        self._lost_ns = ns_from_s(lost_s)
        self._or_text = or_text
        self._clock = SourceClock()

    def read(self, payload: bytes, came_ns: int) -> tuple[Told, ...]:
        """Returns what ``payload`` tells, which is no younger than ``came_ns`` (monotonic).

        Raises DeviceRefused, which says why nothing of it counts.
        """
        parsed = parse_document(payload, or_text=self._or_text)
        if isinstance(parsed, Unreadable):
            raise DeviceRefused(f"what came {parsed.why}")
        message = self._document.read(parsed)
        if isinstance(message, Unfit):
            raise DeviceRefused(message.why)
        if message.stamp_s is None:
            return message.told(came_ns)
        sampled_ns = self._clock.sampled_ns(message.stamp_s, came_ns)
        if sampled_ns is None:
            raise DeviceRefused(f"{self._document.time} has not moved yet")
        if came_ns - sampled_ns > self._lost_ns:
            raise DeviceRefused(f"it tells what was {s_from_ns(came_ns - sampled_ns):.1f} s ago")
        return message.told(sampled_ns)
