"""The campaign can fail: with a layer taken out it shows what is damaged then, and by what."""

from collections.abc import Sequence
from dataclasses import dataclass

from holdfast.core.errors import ConfigError
from holdfast.testing.faults.fault import Fault
from holdfast.testing.faults.layers import LAYERS
from holdfast.testing.faults.run import run

TOGETHER: tuple[tuple[str, ...], ...] = (
    ("limit_monitor", "battery_limits"),
    ("ramp", "device_check"),
)
"""Of these each stands for the other: only without both it shows what they are good for."""
WITHOUT: tuple[tuple[str, ...], ...] = (*((name,) for name in LAYERS), *TOGETHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerResult:
    """What comes of the faults without some layers."""

    layers: tuple[str, ...]
    runs: int
    damage: dict[str, tuple[str, ...]]
    """By its kind the faults that then do it."""
    missed: tuple[str, ...]
    """The faults that then do not end as they have to, or not in time."""
    outside: tuple[str, ...]
    """The faults at which then something outside of what the battery bears is commanded."""

    @property
    def says(self) -> str:
        """What the layer is good for, in a word."""
        if self.damage:
            return "damage"
        if self.outside:
            return "commands outside"
        return "reactions missed" if self.missed else "nothing: others stand for it"


def layers_named(names: Sequence[str]) -> tuple[str, ...]:
    """Returns ``names`` if each is a layer's. Raises ConfigError."""
    for name in names:
        if name not in LAYERS:
            raise ConfigError(f"no layer is called {name!r}; there are: {', '.join(LAYERS)}")
    return tuple(names)


def run_without(layers: tuple[str, ...], faults: Sequence[Fault]) -> LayerResult:
    """Runs ``faults`` in all their scenes without ``layers``."""
    damage: dict[str, list[str]] = {}
    missed: list[str] = []
    outside: list[str] = []
    runs = 0
    for fault in faults:
        for scene in fault.scenes:
            runs += 1
            verdict = run(fault, scene, without=layers, recovers=True)
            name = f"{fault.name} ({scene})"
            for kind in verdict.damage:
                damage.setdefault(kind, []).append(name)
            if verdict.outside:
                outside.append(name)
            if len(verdict.wrong) > len(verdict.damage) + len(verdict.outside):
                missed.append(name)
    return LayerResult(
        layers=layers,
        runs=runs,
        damage={kind: tuple(names) for kind, names in sorted(damage.items())},
        missed=tuple(missed),
        outside=tuple(outside),
    )
