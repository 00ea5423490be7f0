"""Unseen power: a closed contactor behind which nobody can tell whether power flows.

A ramp to zero is safe when the zero was acknowledged and seen. While inverter and BMS are both
silent nobody has seen it; and one of them alone is believed for a while, not for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, Signal
from holdfast.core.units import ns_from_s, s_from_ns
from holdfast.safety.faults import finding
from holdfast.safety.finding import Finding

GONE_NS = ns_from_s(60.0)
"""Battery-Emulator waits as long for its battery."""
SHOWN_BY: Mapping[Role, Signal] = {
    Role.INVERTER: Signal.BATTERY_POWER_W,
    Role.BMS: Signal.BATTERY_CURRENT_A,
}
"""By what each of those who can see it shows the unit's power."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMemory:
    """When each device last showed the power of a connected unit."""

    seen_ns: Mapping[Role, int] = field(default_factory=dict)
    """Empty while the contactor is not told to be closed."""


class UnseenPower:
    """Judges who has seen the power of one unit, and when. Holds no state."""

    def __init__(self, unit: StorageUnit) -> None:
        self._unit = unit.name
        revert_ns = ns_from_s(unit.inverter_hardware.revert_timeout_s)
        # The inverter ends by its own timer what nobody could end; a pack speaks every few seconds.
        ages_ns = (SIGNALS[signal].max_age_ns for signal in SHOWN_BY.values())
        self._unseen_ns = max(revert_ns, *ages_ns)

    def check(
        self, snapshot: Snapshot, memory: SeenMemory, *, connected: bool
    ) -> tuple[SeenMemory, tuple[Finding, ...]]:
        """Returns the memory for the next cycle, and what has gone unseen for too long.

        ``connected``: the contactor is told to be closed.
        """
        if not connected:
            return SeenMemory(), ()
        now_ns = snapshot.time_ns
        seen_ns = {
            role: self._seen_ns(snapshot, signal, memory.seen_ns.get(role, now_ns))
            for role, signal in SHOWN_BY.items()
        }
        findings = [
            self._found("data_gone", last_ns + GONE_NS, now_ns - last_ns, role)
            for role, last_ns in seen_ns.items()
            if now_ns - last_ns >= GONE_NS
        ]
        last_ns = max(seen_ns.values())
        if now_ns - last_ns >= self._unseen_ns:
            findings.append(
                self._found("power_unseen", last_ns + self._unseen_ns, now_ns - last_ns, None)
            )
        return SeenMemory(seen_ns=seen_ns), tuple(findings)

    def _seen_ns(self, snapshot: Snapshot, signal: Signal, before_ns: int) -> int:
        reading = snapshot.read(self._unit, signal)
        return max(reading.time_ns, before_ns) if isinstance(reading, Good) else before_ns

    def _found(self, row: str, since_ns: int, ago_ns: int, role: Role | None) -> Finding:
        detail = f"last seen {s_from_ns(ago_ns):.1f} s ago"
        return finding(row, self._unit, since_ns, detail, device=role)
