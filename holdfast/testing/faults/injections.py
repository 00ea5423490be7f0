"""What can go wrong, in the words of failure injectors: off, stuck, wrong, late, now and then."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from holdfast.core.commands import Command, Point
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import ns_from_s
from holdfast.testing.faults.bench import Change, FaultBench


class How(Protocol):
    """A way to tell a value wrongly; a new one of each for each run."""

    def start(self) -> Change:
        """Gives what changes the values of one run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Off:
    """The value is not told any more."""

    def start(self) -> Change:
        return lambda _, __: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """The last value is told for ever."""

    def start(self) -> Change:
        first: list[float] = []

        def change(value: float, _: float) -> float:
            first.append(value)
            return first[0]

        return change


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """This value is told, whatever is true."""

    value: float

    def start(self) -> Change:
        return lambda _, __: self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """The value times ``by``, and ``plus`` more, growing by ``per_s``."""

    by: float = 1.0
    plus: float = 0.0
    per_s: float = 0.0

    def start(self) -> Change:
        return lambda value, since_s: value * self.by + self.plus + self.per_s * since_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Sometimes:
    """Of each ``n`` values the last is told so, the others are right."""

    how: How
    n: int

    def start(self) -> Change:
        change, count = self.how.start(), itertools.count(1)

        def sometimes(value: float, since_s: float) -> float | None:
            return value if next(count) % self.n else change(value, since_s)

        return sometimes


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldWrongly:
    """A device tells a signal wrongly."""

    signal: Signal
    how: How

    def begin(self, bench: FaultBench) -> None:
        bench.changes[self.signal] = (bench.now_ns, self.how.start())

    def end(self, bench: FaultBench) -> None:
        bench.changes.pop(self.signal, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A device tells nothing, and nothing reaches it."""

    role: Role

    def begin(self, bench: FaultBench) -> None:
        bench.box(self.role).silent = True

    def end(self, bench: FaultBench) -> None:
        bench.box(self.role).silent = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaks:
    """A device that was silent is back."""

    role: Role

    def begin(self, bench: FaultBench) -> None:
        bench.box(self.role).silent = False

    def end(self, bench: FaultBench) -> None:
        """Nothing has to be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loses:
    """Of ``every`` requests to a device the last gets no answer, or a refusal."""

    role: Role
    every: int

    def begin(self, bench: FaultBench) -> None:
        bench.box(self.role).loses_every = self.every

    def end(self, bench: FaultBench) -> None:
        bench.box(self.role).loses_every = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A device repeats all of its last values, with a fresh time."""

    role: Role

    def begin(self, bench: FaultBench) -> None:
        bench.box(self.role).frozen = True

    def end(self, bench: FaultBench) -> None:
        bench.box(self.role).frozen = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """What a device tells carries a time so far ahead; behind, if negative."""

    role: Role
    ahead_s: float

    def begin(self, bench: FaultBench) -> None:
        bench.box(self.role).ahead_ns = ns_from_s(self.ahead_s)

    def end(self, bench: FaultBench) -> None:
        bench.box(self.role).ahead_ns = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deaf:
    """Writes to a point are acknowledged, and not done."""

    point: Point

    def begin(self, bench: FaultBench) -> None:
        bench.deaf.add(self.point)

    def end(self, bench: FaultBench) -> None:
        bench.deaf.discard(self.point)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hears:
    """They are done again."""

    point: Point

    def begin(self, bench: FaultBench) -> None:
        bench.deaf.discard(self.point)

    def end(self, bench: FaultBench) -> None:
        """Nothing has to be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Writes to a point are done so much later."""

    point: Point
    s: float

    def begin(self, bench: FaultBench) -> None:
        bench.delays_ns[self.point] = ns_from_s(self.s)

    def end(self, bench: FaultBench) -> None:
        bench.delays_ns.pop(self.point, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The house draws something else."""

    power_w: float

    def begin(self, bench: FaultBench) -> None:
        bench.house(self.power_w)

    def end(self, bench: FaultBench) -> None:
        """Nothing has to be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseTimes:
    """The house draws, or feeds, so many times what it did."""

    by: float

    def begin(self, bench: FaultBench) -> None:
        bench.house(bench.house_w * self.by)

    def end(self, bench: FaultBench) -> None:
        """Nothing has to be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivers:
    """The inverter gives so many times what it was told, until it is switched off."""

    by: float

    def begin(self, bench: FaultBench) -> None:
        bench.delivers = self.by

    def end(self, bench: FaultBench) -> None:
        bench.delivers = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An operator says something."""

    command: Command

    def begin(self, bench: FaultBench) -> None:
        bench.step(self.command)

    def end(self, bench: FaultBench) -> None:
        """Nothing has to be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happens:
    """Something happens to the plant itself."""

    what: Callable[[FaultBench], None]
    repair: Callable[[FaultBench], None] | None = None
    """What a technician does about it; None: it passes by itself."""

    def begin(self, bench: FaultBench) -> None:
        self.what(bench)

    def end(self, bench: FaultBench) -> None:
        if self.repair is not None:
            self.repair(bench)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adds:
    """The inverter gives so much beside what it was told, until it is switched off."""

    power_w: float

    def begin(self, bench: FaultBench) -> None:
        bench.adds_w = self.power_w

    def end(self, bench: FaultBench) -> None:
        bench.adds_w = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSet:
    """Somebody sets the wall clock."""

    ahead_s: float

    def begin(self, bench: FaultBench) -> None:
        bench.start_s += self.ahead_s

    def end(self, bench: FaultBench) -> None:
        bench.start_s -= self.ahead_s


@dataclass(frozen=True, slots=True, kw_only=True)
class StandsStill:
    """For so long no cycle runs; the world goes on."""

    for_s: float

    def begin(self, bench: FaultBench) -> None:
        bench.stand_still(self.for_s)

    def end(self, bench: FaultBench) -> None:
        """Nothing has to be undone."""
