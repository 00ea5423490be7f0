"""What a plant is like becomes the registers of a device, by the rows that read them."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from holdfast.core.signals import Signal
from holdfast.devices.register_image import Place, RawImage
from holdfast.devices.registers import Part, RegisterRead

_NOTHING: RawImage = {}


def coded(
    rows: Collection[RegisterRead], values: Mapping[Signal, float], beside: RawImage = _NOTHING
) -> dict[Place, int]:
    """Returns the words of every register in ``rows``, which then read as ``values``.

    A power of ten that a device tells stands in ``beside``.
    """
    words: dict[Place, int] = {}
    # A quotient, and a sum, may be told by registers that tell something else as well.
    for row in sorted(rows, key=lambda row: (row.per is not None, len(row.also))):
        if not all(place in words for part in row.parts for place in part.places):
            # A power of ten that nobody tells is none.
            words |= _words(row, values[row.signal], words, defaultdict(int, beside))
    between = (place for row in rows for part in row.parts for place in part.run)
    return {place: 0 for place in between if place not in beside} | words


def _words(row: RegisterRead, value: float, told: RawImage, powers: RawImage) -> dict[Place, int]:
    if row.equals is not None or row.mask is not None:
        return _put(row, [_flag(row, is_set=value != 0.0)])
    words: dict[Place, int] = {}
    of_others = [part for part in row.also if all(place in told for place in part.places)]
    rest = value - sum(part.decode(part.words_in(told)) for part in of_others)
    for part in (row, *(part for part in row.also if part not in of_others)):
        factor = part.power_of_ten(powers)
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
    raw = round((value - part.plus) / part.scale)
    return max(low, min(high, raw)) * part.scale + part.plus


def _put(part: Part, words: list[int]) -> dict[Place, int]:
    return dict(zip(part.places, words, strict=True))
