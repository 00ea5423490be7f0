"""Island rules: where the inverter carries the site alone, 0 W of discharge drops its loads.

So on an island only the battery's own protection and the emergency stop may end a discharge.
Whatever else would, blocks charging instead, and is told and logged as ever. See
docs/decisions/0010-island-operation.md.

Since an island switches protections off, the inverter's word alone makes none: a meter that sees
a living grid contradicts it, and the strict rules hold.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import SITE, Signal
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding, Reaction

DEAD_BELOW_V = 50.0
"""A grid with less than this is dead: what may be touched (IEC 60364-4-41)."""
DEAD_BELOW_W = 50.0
"""A meter that tells no voltage sees a dead grid while less than this flows."""

ON_ISLAND: Mapping[Reaction, Reaction] = {
    Reaction.LOG: Reaction.LOG,
    Reaction.HOLD: Reaction.BLOCK_CHARGE,
    Reaction.DERATE: Reaction.BLOCK_CHARGE,
    Reaction.BLOCK_CHARGE: Reaction.BLOCK_CHARGE,
    Reaction.BLOCK_DISCHARGE: Reaction.LOG,
    Reaction.RAMP_TO_ZERO: Reaction.BLOCK_CHARGE,
    Reaction.TRIP: Reaction.BLOCK_CHARGE,
    Reaction.EMERGENCY_STOP: Reaction.EMERGENCY_STOP,
}
"""Tells what becomes of the reaction of a finding that does not protect the battery."""
assert ON_ISLAND.keys() == set(Reaction), "every reaction has its place on an island"


def is_islanded(unit: str, snapshot: Snapshot) -> bool:
    """Says whether the unit's inverter is known to feed the site without the grid.

    What is not known counts as no island: the strict rules hold. So does what the meter denies.
    """
    return snapshot.good(unit, Signal.ISLANDED) == 1.0 and not is_grid_alive(snapshot)


def any_islanded(units: Iterable[str], snapshot: Snapshot) -> bool:
    """Says whether one of ``units`` is known to feed the site without the grid."""
    return any(is_islanded(unit, snapshot) for unit in units)


def is_grid_alive(snapshot: Snapshot) -> bool:
    """Says whether the meter sees a living grid: a voltage, or a power where it tells no voltage.

    A meter that says nothing may have gone out with the grid.
    """
    grid_w = snapshot.good(SITE, Signal.GRID_POWER_W)
    if grid_w is None:
        return False
    voltage_v = snapshot.good(SITE, Signal.GRID_VOLTAGE_V)
    if voltage_v is None:
        return not abs(grid_w) < DEAD_BELOW_W
    return not voltage_v < DEAD_BELOW_V


def contradicted(units: Iterable[str], snapshot: Snapshot) -> tuple[Finding, ...]:
    """Returns a finding for each unit whose inverter tells of an island that the meter denies."""
    if not is_grid_alive(snapshot):
        return ()
    return tuple(
        finding("island_contradicted", unit, reading.time_ns, "the meter sees a living grid")
        for unit in units
        if isinstance(reading := snapshot.read(unit, Signal.ISLANDED), Good)
        and reading.value == 1.0
    )


def on_island(found: Finding) -> Finding:
    """Returns ``found`` as it counts for an islanded unit."""
    reaction = found.reaction if found.holds_on_island else ON_ISLAND[found.reaction]
    if reaction is found.reaction:
        return found
    return replace(
        found, reaction=reaction, text=f"{found.text}; on an island this ends no discharge"
    )
