"""The scene is what one cycle sees of a unit with a precharge."""

from dataclasses import dataclass

from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good
from holdfast.core.signals import Signal
from holdfast.devices.contactor.memory import RelayMemory

DISCHARGED_BELOW = 0.5
"""It is of the pack's voltage. An RC circuit needs several polls from there to the pack's."""
_SHOWN = (
    ("link", Signal.DC_LINK_VOLTAGE_V, "V"),
    ("pack", Signal.PACK_VOLTAGE_V, "V"),
    ("current", Signal.BATTERY_CURRENT_A, "A"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Holds the snapshot, and what the contactor may do now."""

    unit: str
    snapshot: Snapshot
    leave: bool
    """The contactor may be closed."""
    may_close: bool
    """It may be closed anew: what has fallen open is not closed again under load."""
    at_once: bool
    """It is to be opened under load too."""

    @property
    def now_ns(self) -> int:
        """Returns the time of the cycle."""
        return self.snapshot.time_ns

    def good(self, signal: Signal) -> float | None:
        """Returns a good value, or None."""
        return self.snapshot.good(self.unit, signal)

    def after(self, signal: Signal, since_ns: int) -> float | None:
        """Returns a good value that was sampled later than ``since_ns``, or None."""
        reading = self.snapshot.read(self.unit, signal)
        return reading.value if isinstance(reading, Good) and reading.time_ns > since_ns else None

    def gap_v(self, since_ns: int) -> float | None:
        """Returns the gap of pack and link in V, both sampled later than ``since_ns``, or None."""
        pack_v = self.after(Signal.PACK_VOLTAGE_V, since_ns)
        link_v = self.after(Signal.DC_LINK_VOLTAGE_V, since_ns)
        return None if pack_v is None or link_v is None else abs(pack_v - link_v)

    def waited_ns(self, memory: RelayMemory) -> int:
        """Returns the time since the phase began."""
        return self.now_ns - since(memory)

    @property
    def is_discharged(self) -> bool:
        """Says whether the link is known to be far below the pack's voltage."""
        link_v, pack_v = self.good(Signal.DC_LINK_VOLTAGE_V), self.good(Signal.PACK_VOLTAGE_V)
        return link_v is not None and pack_v is not None and link_v < DISCHARGED_BELOW * pack_v

    @property
    def shown(self) -> str:
        """Tells people voltages and current."""
        values = ((name, self.good(signal), unit) for name, signal, unit in _SHOWN)
        return ", ".join(
            f"{name} {'not known' if value is None else f'{value:.1f} {unit}'}"
            for name, value, unit in values
        )


def since(memory: RelayMemory) -> int:
    """Tells when the phase began."""
    assert memory.since_ns is not None, "the first cycle sets it"
    return memory.since_ns
