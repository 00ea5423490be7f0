"""A unit whose inverter has the only contactor, which nobody else opens or closes."""

from holdfast.core.commands import Write
from holdfast.core.data_store import Snapshot
from holdfast.devices.contactor.memory import RelayMemory
from holdfast.safety.finding import Finding
from holdfast.safety.permit import Permit


class NoContactor:
    """Stands where the relay controller of another unit does. Holds no state."""

    def is_ready(self, _memory: RelayMemory) -> bool:
        """Says that nothing has to be closed before power may flow."""
        return True

    def is_connected(self, _memory: RelayMemory, permit: Permit) -> bool:
        """Says whether power may flow: whenever the unit is to run."""
        return permit.may_connect

    def decide(
        self, _permit: Permit, _snapshot: Snapshot, memory: RelayMemory, *, at_once: bool
    ) -> tuple[tuple[Write, ...], RelayMemory, tuple[Finding, ...]]:
        """Returns nothing to write. ``at_once`` opens nothing either."""
        del at_once
        return (), memory, ()
