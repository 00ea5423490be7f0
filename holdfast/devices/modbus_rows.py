"""The rows of a Modbus table are of several kinds; which one a row is shows in its keys."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Discriminator, Tag

from holdfast.core.signals import SIGNALS
from holdfast.devices.limit_write import LimitWrite
from holdfast.devices.mode_write import ModeWrite
from holdfast.devices.register_image import RawImage
from holdfast.devices.registers import RegisterRead, RegisterWrite
from holdfast.devices.scaled import ScaledRead
from holdfast.devices.stepped_write import SteppedWrite
from holdfast.devices.verbs import VerbWrite

_LISTS: Mapping[str, tuple[type[SteppedWrite], str]] = {
    "verb_list": (VerbWrite, "verbs"),
    "mode_list": (ModeWrite, "modes"),
    "limit_list": (LimitWrite, "limit"),
}
"""Such a row is known by its key."""


def _kind_of_write(content: object) -> str:
    for kind, (row, key) in _LISTS.items():
        if isinstance(content, row) or _has(content, key):
            return kind
    return "register"


def _kind_of_read(content: object) -> str:
    return "scaled" if isinstance(content, ScaledRead) or _has(content, "scale_from") else "plain"


def _has(content: object, key: str) -> bool:
    return isinstance(content, dict) and key in content


ListWrite = VerbWrite | ModeWrite | LimitWrite
"""Such a point is told in a list of writes, or several."""
PointWrite = RegisterWrite | ListWrite
Teller = RegisterRead | ListWrite
"""By such a row a signal is read."""
WriteRow = Annotated[
    Annotated[RegisterWrite, Tag("register")]
    | Annotated[VerbWrite, Tag("verb_list")]
    | Annotated[ModeWrite, Tag("mode_list")]
    | Annotated[LimitWrite, Tag("limit_list")],
    Discriminator(_kind_of_write),
]
ReadRow = Annotated[
    Annotated[RegisterRead, Tag("plain")] | Annotated[ScaledRead, Tag("scaled")],
    Discriminator(_kind_of_read),
]


def hint_of(row: Teller, image: RawImage) -> str:
    """Returns what may be the matter if the value that ``image`` shows is not plausible."""
    if isinstance(row, SteppedWrite):
        return "what it holds is no command of ours"
    words = row.words_in(image)
    is_plain = len(row.parts) == 1 and row.run == row.places
    if not is_plain or SIGNALS[row.signal].is_plausible(row.value(image)):
        return ""
    swapped = row.decode(words[::-1])
    if not SIGNALS[row.signal].is_plausible(swapped):
        return ""
    return f"it would be {swapped:g} with its two words the other way round (words)"
