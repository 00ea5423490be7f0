"""The twenty worst faults two by two, beginning together."""

from dataclasses import dataclass
from itertools import combinations

from holdfast.testing.campaign.company import InCompany, costs_of, due_of
from holdfast.testing.faults.bench import UNIT, bench_in
from holdfast.testing.faults.fault import Fault
from holdfast.testing.faults.scenes import RUNNING, SiteScene
from holdfast.testing.faults.table import FAULTS

BY_NAME = {fault.name: fault for fault in FAULTS}
_WORST = (
    "cell voltage is not a number",
    "cell voltage beyond protection",
    "cell voltage below protection",
    "cell too hot",
    "battery current with the wrong sign",
    "inverter's power with the wrong sign",
    "insulation failed",
    "BMS silent",
    "inverter silent",
    "meter silent",
    "relay board silent",
    "emergency input silent for long",
    "BMS repeats its last set while the power grows",
    "meter repeats its last value",
    "inverter acknowledges and does not store",
    "power flows the wrong way",
    "inverter gives a tenth more than asked",
    "inverter keeps its power at 0 W",
    "contactor falls out under load",
    "emergency loop opened",
)
"""What is closest to harm, and what takes away the sight of it. Each shows under power."""
WORST: tuple[Fault, ...] = tuple(BY_NAME[name] for name in _WORST)
assert len(set(_WORST)) == 20
assert all(set(RUNNING) <= set(fault.scenes) for fault in WORST), "each shows under power"


@dataclass(frozen=True, slots=True, kw_only=True)
class PairVerdict:
    """What was seen of two faults."""

    reached_s: tuple[float | None, float | None]
    wrong: tuple[str, ...]
    damage: tuple[str, ...]
    outside: tuple[str, ...]


PAIRS: tuple[tuple[Fault, Fault], ...] = tuple(combinations(WORST, 2))


def run_pair(
    first: Fault, second: Fault, scene: SiteScene, without: tuple[str, ...] = ()
) -> PairVerdict:
    """Runs two faults that begin together."""
    bench = bench_in(scene, without)
    both = (
        InCompany(bench, first, due_of(first, second)),
        InCompany(bench, second, due_of(second, first)),
    )
    while not all(one.is_settled for one in both):
        for one in both:
            one.progress.inject()
        bench.step()
        for one in both:
            one.look()
    damage = set(bench.plant.damage_counts.get(UNIT, {})) - costs_of(first, second)
    wrong = [one.told for one in both if one.is_missed or one.is_late]
    wrong += [f"damage: {kind}" for kind in sorted(damage)]
    first_s, second_s = (one.reached_s for one in both)
    return PairVerdict(
        reached_s=(first_s, second_s),
        wrong=(*wrong, *bench.watch.outside),
        damage=tuple(sorted(damage)),
        outside=tuple(bench.watch.outside),
    )
