"""What a device held before Holdfast first wrote to it is known again when it is given back.

A device that was commanded by somebody has nothing to go back to but its own rule: a command of
another master, or of ours, is not restored.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from holdfast.core.commands import Point
from holdfast.core.device_mode import NO_MODE
from holdfast.devices.block_plan import RegisterBlock
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.modbus_rows import PointWrite
from holdfast.devices.register_image import Place, RawImage, WriteRequest
from holdfast.devices.registers import Register, RegisterWrite
from holdfast.devices.verb_step import Verb, VerbStep
from holdfast.devices.verbs import VerbWrite

_LEADS = frozenset({Point.SETPOINT_W, Point.DEVICE_MODE})
"""By these a device is told what to do; of one that was commanded they are left to its release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """Holds the words of all registers that a table writes and a device shows."""

    words: RawImage
    commanded: bool
    """It followed a command then, whoever gave it."""


class Remembers(Protocol):
    """Keeps what a device held, once; it is asked before each write and never stops one."""

    @property
    def is_needed(self) -> bool:
        """Says whether nothing is kept yet."""

    def keep(self, found: TakenOver) -> None:
        """Keeps it."""

    def give_up(self, why: str) -> None:
        """Goes on without: what the device holds cannot be read."""


def setpoint_of(profile: ModbusProfile) -> VerbWrite | None:
    """Returns how the device is told its setpoint, if it can be given back."""
    row = profile.points.get(Point.SETPOINT_W)
    return row if isinstance(row, VerbWrite) and Verb.RELEASE in row.verbs else None


def owned_blocks(profile: ModbusProfile) -> tuple[RegisterBlock, ...]:
    """Returns what has to be read to know all that the table writes; nothing for a device that
    cannot be given back."""
    if setpoint_of(profile) is None:
        return ()
    return profile.planned(part.run for write in profile.writes for part in _shown(write))


def taken_over(profile: ModbusProfile, image: RawImage) -> TakenOver:
    """Returns what a device holds that shows ``image``."""
    setpoint = setpoint_of(profile)
    places = {place for write in profile.writes for part in _shown(write) for place in part.places}
    is_led = any(
        write.value(image) != NO_MODE
        for write in profile.writes
        if write.point is Point.DEVICE_MODE and not isinstance(write, RegisterWrite)
    )
    power_w = math.nan if setpoint is None else setpoint.value(image)
    return TakenOver(
        words={place: word for place, word in image.items() if place in places},
        commanded=not is_led and not math.isnan(power_w),
    )


def restoring(profile: ModbusProfile, before: TakenOver, now: RawImage) -> tuple[WriteRequest, ...]:
    """Returns what brings back what was there before on a device that keeps its own rule and shows
    ``now``; nothing is written that is there already.

    What puts the rest in force was written last, and is put back first.
    """
    shown = dict(now)
    found: list[WriteRequest] = []
    for group in _restored(profile, before):
        words = [before.words[place] for part in group for place in part.places]
        places = [place for part in group for place in part.places]
        if any(shown.get(place) != word for place, word in zip(places, words, strict=True)):
            found.append(_request(group[0], words))
            shown |= dict(zip(places, words, strict=True))
    return tuple(found)


def differing(profile: ModbusProfile, before: TakenOver, now: RawImage) -> tuple[int, ...]:
    """Returns the addresses of registers that do not hold what they held before."""
    parts = (part for group in _restored(profile, before) for part in group)
    places = dict.fromkeys(place for part in parts for place in part.places)
    return tuple(place[2] for place in places if now.get(place) != before.words[place])


_Group = tuple[Register, ...]
"""They go out in one request."""


def _restored(profile: ModbusProfile, before: TakenOver) -> Iterator[_Group]:
    """Yields what can be put back, in the order in which it is."""
    seen: dict[tuple[Place, ...], _Group] = {}
    for write in profile.writes:
        if not (before.commanded and write.point in _LEADS):
            for group in _groups(write):
                places = tuple(place for part in group for place in part.places)
                seen.setdefault(places, group)
    for places, group in reversed(seen.items()):
        if before.words.keys() >= set(places):
            yield group


def _groups(write: PointWrite) -> Iterator[_Group]:
    if isinstance(write, RegisterWrite):
        yield (write,)
        return
    for steps in write.lists:
        together: list[VerbStep] = []
        for step in steps:
            if together and not step.joined:
                yield tuple(together)
                together = []
            together.append(step)
        yield tuple(together)


def _shown(write: PointWrite) -> Iterable[Register]:
    if isinstance(write, RegisterWrite):
        return (write,)
    return (step for steps in write.lists for step in steps if step.shown)


def _request(first: Register, words: Iterable[int]) -> WriteRequest:
    assert isinstance(first, RegisterWrite | VerbStep), "each is written"
    return WriteRequest(
        device_id=first.device_id,
        table=first.table,
        address=first.address,
        words=tuple(words),
        function=first.function,
    )
