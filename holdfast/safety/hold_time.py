"""Hold times: a fault that clears by itself stays for a while after its cause is gone.

The limit table holds its rows itself (:mod:`holdfast.safety.limit_monitor`); this does it for
the fault table, wherever its findings come from.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.core.role import Role
from holdfast.core.units import ns_from_s
from holdfast.safety.faults import FAULTS, FaultRow, names_of
from holdfast.safety.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Remembers a finding that is there, or was not long ago."""

    found: Finding
    seen_ns: int
    """Tells when its cause was last there."""


HoldMemory = Mapping[str, Held]
"""Maps the finding's key to what is held."""


def _hold_s(name: str, fault: FaultRow) -> float:
    if fault.bms_hold_s is not None and name.startswith(f"{Role.BMS}_"):
        return fault.bms_hold_s
    return fault.hold_s


HOLD_S: Mapping[str, float] = {
    name: hold_s
    for row, fault in FAULTS.items()
    for name in names_of(row)
    if (hold_s := _hold_s(name, fault)) > 0.0
}
"""Maps a finding's row, with its device or without, to its time. What is not in it is not held."""

_HOLD_NS = {name: ns_from_s(hold_s) for name, hold_s in HOLD_S.items()}


def hold(
    findings: tuple[Finding, ...], memory: HoldMemory, now_ns: int
) -> tuple[tuple[Finding, ...], HoldMemory]:
    """Returns ``findings`` and those whose cause is not gone for long enough, and the next memory.

    One that comes back meanwhile goes on from where it was: its ramp does not begin anew.
    """
    shown: list[Finding] = []
    after: dict[str, Held] = {}
    for new in findings:
        found = new
        if new.row in _HOLD_NS:
            before = memory.get(new.key)
            if before is not None:
                found = replace(new, since_ns=min(new.since_ns, before.found.since_ns))
            after[new.key] = Held(found=found, seen_ns=now_ns)
        shown.append(found)
    for key, held in memory.items():
        if key not in after and now_ns - held.seen_ns < _HOLD_NS[held.found.row]:
            after[key] = held
            text = f"{held.found.text}; over, not yet for long enough"
            shown.append(replace(held.found, text=text))
    return tuple(shown), after
