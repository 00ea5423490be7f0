"""What a plant is like becomes the registers of a device, by the rows that read them."""

from collections.abc import Iterable, Mapping

from holdfast.core.signals import Signal
from holdfast.devices.registers import Part, Place, RawImage, RegisterRead

_NOTHING: RawImage = {}


def coded(
    rows: Iterable[RegisterRead], values: Mapping[Signal, float], beside: RawImage = _NOTHING
) -> dict[Place, int]:
    """Returns the words of every register in ``rows``, which then read as ``values``.

    A power of ten that a device tells stands in ``beside``.
    """
    words: dict[Place, int] = {}
    # A quotient is told by registers that tell something else as well.
    for row in sorted(rows, key=lambda row: row.per is not None):
        if not all(place in words for part in row.parts for place in part.places):
            words |= _words(row, values[row.signal], beside)
    return words


def _words(row: RegisterRead, value: float, beside: RawImage) -> dict[Place, int]:
    if row.equals is not None or row.mask is not None:
        return _put(row, [_flag(row, is_set=value != 0.0)])
    words: dict[Place, int] = {}
    rest = value
    for part in (row, *row.also):
        factor = part.power_of_ten(beside)
        part_words = _encode(part, rest / factor)
        rest -= part.decode(part_words) * factor
        words |= _put(part, part_words)
    return words


def _flag(row: RegisterRead, *, is_set: bool) -> int:
    if row.mask is not None:
        return row.mask if is_set else 0
    set_by = row.equals or ()
    return set_by[0] if is_set else next(raw for raw in range(1 << 16) if raw not in set_by)


def _encode(part: Part, value: float) -> list[int]:
    """Returns the words of ``value``; beyond the register, those of the nearest it can hold."""
    try:
        return part.encode(value)
    except ValueError:
        return part.encode(_nearest(part, value))


def _nearest(part: Part, value: float) -> float:
    bits = 16 * part.count
    low = 0 if part.type.startswith("u") else -(1 << (bits - 1))
    high = low + (1 << bits) - 1
    return max(low, min(high, round(value / part.scale))) * part.scale


def _put(part: Part, words: list[int]) -> dict[Place, int]:
    return dict(zip(part.places, words, strict=True))
