"""A target is one decoder of what comes from outside, and what must hold whatever comes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Holds one decoder, and how to try it."""

    name: str
    eats: str
    """Says what it is given, in words."""
    seeds: Callable[[], Iterable[bytes]]
    """Returns good inputs, as those make them that are meant to; others are made of them."""
    run: Callable[[bytes], bool]
    """Tries one input, and says whether any of it was accepted.

    Raises what is a defect: AssertionError where something was accepted that may not be, anything
    else where the decoder raised what its callers do not expect.
    """
    longest: int = 4096
    """No input has more bytes."""


class Choices:
    """Reads an input as choices, one after the other; what is not there is 0."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def __bool__(self) -> bool:
        """Says whether there is anything left."""
        return self._at < len(self._data)

    def number(self, count: int) -> int:
        """Returns a number below ``count``, which is 256 at most."""
        return int.from_bytes(self.take(1)) % count

    def take(self, count: int) -> bytes:
        """Returns the next bytes, as far as there are any."""
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> bytes:
        """Returns all that is left."""
        return self.take(len(self._data))

    def words(self) -> list[int]:
        """Returns all that is left as numbers of 16 bits."""
        rest = self.rest()
        return [int.from_bytes(rest[at : at + 2]) for at in range(0, len(rest), 2)]


def of_words(words: Iterable[int]) -> bytes:
    """Reverses :meth:`Choices.words`."""
    return b"".join(word.to_bytes(2) for word in words)
