"""The process image: devices write the next one, a cycle freezes it and reads only that."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from holdfast.core.ages import ALL_USUAL, USUAL, Ages, SiteAges
from holdfast.core.reading import MISSING, Bad, Good, Reading, Sample, Stale
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, SITE, Producer, Signal

Image = Mapping[str, Mapping[Signal, Sample]]
"""Holds the last sample of each signal, by owner (the site, a storage unit, or a load)."""

Listener = Callable[[str, Signal, Sample], None]

DOUBTED, OF_POLLS = 2, 3
"""So many of the last polls of a device must tell what cannot be true before that is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A device told a value."""

    signal: Signal
    value: float
    time_ns: int
    """Tells the monotonic time at which it was asked, or sent it: the value is no older."""
    hint: str = ""
    """Tells what may be the matter if the value is not plausible."""

    @property
    def is_plausible(self) -> bool:
        """Says whether the value can be true."""
        return SIGNALS[self.signal].is_plausible(self.value)

    @property
    def sample(self) -> Sample:
        """Returns the value as a good sample, or as a bad one if it is not plausible."""
        if self.is_plausible:
            return Good(value=self.value, time_ns=self.time_ns)
        return Bad(reason=self.doubt, time_ns=self.time_ns)

    @property
    def doubt(self) -> str:
        """Tells why the value cannot be true."""
        hint = f"; {self.hint}" if self.hint else ""
        if math.isnan(self.value):
            return f"the device says that it is not available{hint}"
        row = SIGNALS[self.signal]
        return f"{self.value:g} {row.unit} is not within {row.low:g} to {row.high:g}{hint}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Holds one frozen process image: everything in a cycle reads this and nothing else."""

    time_ns: int
    readings: Mapping[str, Mapping[Signal, Reading]]

    def read(self, owner: str, signal: Signal) -> Reading:
        """Returns the reading of ``signal`` at ``owner``; Missing where none was ever written."""
        return self.readings[owner].get(signal, MISSING)

    def good(self, owner: str, signal: Signal) -> float | None:
        """Returns the value of a good reading; None for one that is stale, bad or missing."""
        reading = self.readings[owner].get(signal)
        return reading.value if isinstance(reading, Good) else None


def freeze(image: Image, now_ns: int, ages: SiteAges = ALL_USUAL) -> Snapshot:
    """Judges every sample of ``image`` at ``now_ns`` (monotonic) by the ``ages`` of its owner."""
    return Snapshot(
        time_ns=now_ns,
        readings={
            owner: _judge(samples, now_ns, ages.get(owner, USUAL))
            for owner, samples in image.items()
        },
    )


def _judge(samples: Mapping[Signal, Sample], now_ns: int, ages: Ages) -> dict[Signal, Reading]:
    lost_ns = ages.lost_ns
    readings: dict[Signal, Reading] = dict(samples)
    for signal, sample in samples.items():
        if 0 <= now_ns - sample.time_ns <= lost_ns[signal]:
            continue
        if now_ns < sample.time_ns:
            readings[signal] = Bad(reason="comes from the future", time_ns=sample.time_ns)
        elif isinstance(sample, Good):
            readings[signal] = Stale(value=sample.value, time_ns=sample.time_ns)
    return readings


class DataStore:
    """Holds the next process image. One producer per signal; no clock, no lock."""

    def __init__(self, units: tuple[str, ...], loads: tuple[str, ...] = ()) -> None:
        """Takes the names of the ``loads`` and rooms that are switched."""
        owners = (SITE, *units, *loads)
        self._image: dict[str, dict[Signal, Sample]] = {owner: {} for owner in owners}
        self._loads = frozenset(loads)
        self._listeners: list[Listener] = []
        self._doubted: dict[frozenset[tuple[Role, str]], tuple[bool, ...]] = {}
        """Tells of the last polls of each device whether they were doubtful, the oldest first."""

    def put_poll(self, owners: Mapping[Role, str], poll: Collection[Told]) -> str | None:
        """Writes what one poll or burst of a device told together, to the owner of each role.

        A frame that a gateway cut wrongly spoils all of its values, and seldom looks as if: so one
        value that cannot be true, where a good one was, makes the whole poll doubtful. It is left
        out, its device's data age, and the answer tells why. Repeated, it is no accident but what
        the device says, and is written. An emergency stop does not wait for that.
        """
        owned = [(told, _owner(owners, told.signal)) for told in poll]
        new = [
            told for told, owner in owned if not told.is_plausible and self._was_good(owner, told)
        ]
        device = frozenset(owners.items())
        past = self._doubted.get(device, ())[1 - OF_POLLS :]
        self._doubted[device] = (*past, bool(new))
        if new and Role.EMERGENCY_INPUT not in owners and sum(past) + 1 < DOUBTED:
            return "; ".join(f"{told.signal}: {told.doubt}" for told in new)
        for told, owner in owned:
            self._keep(SIGNALS[told.signal].producer, owner, told.signal, told.sample)
        return None

    def put(
        self, producer: Producer, owner: str, signal: Signal, value: float, time_ns: int
    ) -> None:
        """Writes a sample, taken at ``time_ns`` (monotonic).

        A value that is not finite or not plausible is kept as Bad. A sample older than
        the present one is dropped: a late answer never replaces a fresh one.

        Raises ValueError if ``producer`` may not write this signal at this owner.
        """
        told = Told(signal=signal, value=value, time_ns=time_ns)
        self._keep(producer, owner, signal, told.sample)

    def put_bad(
        self, producer: Producer, owner: str, signal: Signal, reason: str, time_ns: int
    ) -> None:
        """Writes a sample whose value, whatever it is, is not to be believed; otherwise as
        :meth:`put`."""
        self._keep(producer, owner, signal, Bad(reason=reason, time_ns=time_ns))

    def _was_good(self, owner: str, told: Told) -> bool:
        return isinstance(self._image[owner].get(told.signal), Good)

    def _keep(self, producer: Producer, owner: str, signal: Signal, sample: Sample) -> None:
        row = SIGNALS[signal]
        if row.producer is not producer:
            raise ValueError(f"{signal} is produced by {row.producer}, not by {producer}")
        if row.of_site != (owner == SITE) or row.of_load != (owner in self._loads):
            raise ValueError(f"{signal} does not belong to {owner!r}")
        samples = self._image[owner]
        previous = samples.get(signal)
        if previous is not None and sample.time_ns < previous.time_ns:
            return
        samples[signal] = sample
        if _differs(previous, sample):
            for listener in self._listeners:
                listener(owner, signal, sample)

    def on_change(self, listener: Listener) -> None:
        """Calls ``listener(owner, signal, sample)`` whenever a value or its quality changes."""
        self._listeners.append(listener)

    def image(self) -> Image:
        """Returns a copy of the image that later writes do not touch."""
        return {owner: samples.copy() for owner, samples in self._image.items()}


def _owner(owners: Mapping[Role, str], signal: Signal) -> str:
    """Returns whose signal it is. Raises ValueError if none of these roles produces it."""
    producer = SIGNALS[signal].producer
    for role, owner in owners.items():
        if role is producer:
            return owner
    raise ValueError(f"{signal} is produced by {producer}, not by {' or '.join(owners)}")


def _differs(before: Sample | None, after: Sample) -> bool:
    match before, after:
        case Good(value=old), Good(value=new):
            return old != new
        case Bad(), Bad():
            return False
        case _:
            return True
