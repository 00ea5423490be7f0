"""Island rules: where the inverter carries the site alone, 0 W of discharge drops its loads.

So on an island only the battery's own protection and the emergency stop may end a discharge.
Whatever else would, blocks charging instead, and is told and logged as ever. See
docs/decisions/0010-island-operation.md.
"""

from collections.abc import Mapping
from dataclasses import replace

from holdfast.core.data_store import Snapshot
from holdfast.core.signals import Signal
from holdfast.safety.finding import Finding, Reaction

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
"""What becomes of the reaction of a finding that does not protect the battery."""
assert ON_ISLAND.keys() == set(Reaction), "every reaction has its place on an island"


def is_islanded(unit: str, snapshot: Snapshot) -> bool:
    """True if the unit's inverter is known to feed the site without the grid.

    What is not known counts as no island: the strict rules.
    """
    return snapshot.good(unit, Signal.ISLANDED) == 1.0


def on_island(found: Finding) -> Finding:
    """``found`` as it counts for an islanded unit."""
    reaction = found.reaction if found.holds_on_island else ON_ISLAND[found.reaction]
    if reaction is found.reaction:
        return found
    return replace(
        found, reaction=reaction, text=f"{found.text}; on an island this ends no discharge"
    )
