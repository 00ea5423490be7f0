"""Discovery finds the models of a SunSpec device: each begins with its number and its length.

It asks for registers and is told them, and does not know by whom.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

BASES = (40000, 0, 50000)
"""There, and nowhere else, the mark may be."""
MARK = (0x5375, 0x6E53)
"""These are the letters SunS."""
END = 0xFFFF
COMMON = 1
MOST_MODELS = 100
LONGEST = 125
"""A request reads so many registers at most."""
_LAST = 0x1_0000


class NoSunSpec(ValueError):
    """A device does not tell its models as SunSpec says; the text says what it does instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Asks for ``count`` registers from ``address`` on."""

    address: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundModel:
    """Tells where a model is."""

    id: int
    address: int
    """Of the register with its number."""
    length: int
    """Counts its registers without number and length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelMap:
    """Holds what a device said of itself."""

    base: int
    models: tuple[FoundModel, ...]
    identity: tuple[int, ...]
    """The words of the common model: maker, version, serial number."""

    def first(self, model_id: int) -> FoundModel | None:
        """Returns the first model of that number."""
        return next((model for model in self.models if model.id == model_id), None)

    @property
    def identity_at(self) -> Ask:
        """Returns where its identity stands; nothing is asked where it has none."""
        common = self.first(COMMON)
        if common is None:
            return Ask(address=0, count=0)
        return Ask(address=common.address + 2, count=min(common.length, LONGEST))


Words = Sequence[int] | None
"""None: the device refuses to tell."""
Survey = Generator[Ask, Words, ModelMap]


def survey() -> Survey:
    """Asks for one range after the other, and returns the map. Raises NoSunSpec."""
    base = yield from _base()
    models: list[FoundModel] = []
    address = base + len(MARK)
    while True:
        model = yield from _model(address)
        if model is None:
            break
        models.append(model)
        if len(models) > MOST_MODELS:
            raise NoSunSpec(f"it tells more than {MOST_MODELS} models, one after the other")
        address += 2 + model.length
    found = ModelMap(base=base, models=tuple(models), identity=())
    if found.identity_at.count == 0:
        return found
    identity = yield found.identity_at
    if identity is None:
        raise NoSunSpec("it refuses to tell its maker and serial number (model 1)")
    return ModelMap(base=base, models=found.models, identity=tuple(identity))


def discover(read: Callable[[int, int], Words]) -> ModelMap:
    """Returns the map of a device whose registers ``read(address, count)`` gives; None if it
    refuses. Raises NoSunSpec, and what ``read`` raises."""
    asking = survey()
    ask = next(asking)
    while True:
        try:
            ask = asking.send(read(ask.address, ask.count))
        except StopIteration as end:
            found: ModelMap = end.value
            return found


def _base() -> Generator[Ask, Words, int]:
    for base in BASES:
        words = yield Ask(address=base, count=len(MARK))
        if words is not None and tuple(words) == MARK:
            return base
    places = ", ".join(map(str, BASES))
    raise NoSunSpec(f"it does not speak SunSpec: no SunS at any of {places}")


def _model(address: int) -> Generator[Ask, Words, FoundModel | None]:
    if address + 2 > _LAST:
        raise NoSunSpec("its models have no end before the last register")
    words = yield Ask(address=address, count=2)
    if words is None:
        raise NoSunSpec(f"it refuses to tell which model is at {address}")
    number, length = words
    if number == END:
        return None
    if number == 0 or length == 0:
        raise NoSunSpec(f"at {address} there is no model: number {number}, length {length}")
    return FoundModel(id=number, address=address, length=length)
