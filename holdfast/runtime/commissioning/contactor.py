"""The contactor of a unit that is proven is kept by the controller that keeps it live."""

from holdfast.core.commands import Point
from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_S
from holdfast.devices.contactor.memory import RelayMemory
from holdfast.devices.contactor.relay_controller import RelayController
from holdfast.devices.profile import load_profile
from holdfast.devices.roles import devices_in
from holdfast.runtime.commissioning.wires import UnitWires
from holdfast.safety.envelope import zero
from holdfast.safety.finding import Reaction
from holdfast.safety.permit import Permit


class ProofContactor:
    """Keeps the contactor of one unit, at first open; without one it has nothing to do."""

    def __init__(self, wires: UnitWires, unit: StorageUnit) -> None:
        self._wires, self._unit = wires, unit.name
        self._relays: RelayController | None = None
        if unit.has_contactor:
            points = load_profile(devices_in(unit)[Role.RELAYS].profile).points
            self._relays = RelayController(unit, points)
        self._memory = RelayMemory()
        self._is_wanted = False
        self.trouble = ""
        """Says what is wrong with it; empty while nothing is."""

    @property
    def is_ours(self) -> bool:
        """Says whether there is one."""
        return self._relays is not None

    def want(self, *, closed: bool) -> None:
        """Decides what :meth:`keep` goes for from now on."""
        self._is_wanted = closed

    async def keep(self, snapshot: Snapshot) -> None:
        """Writes what is due. Raises DeviceError."""
        if self._relays is None:
            return
        permit = Permit(
            unit=self._unit,
            envelope=zero("proof"),
            expires_ns=snapshot.time_ns + NS_PER_S,
            may_write=True,
            may_increase=False,
            may_connect=self._is_wanted,
            may_close=self._is_off(snapshot),
            may_run=False,
            islanded=False,
        )
        writes, self._memory, findings = self._relays.decide(permit, snapshot, self._memory)
        bad = (found.text for found in findings if found.reaction > Reaction.LOG)
        self.trouble = next(bad, "")
        for write in writes:
            await self._wires.write(write.point, write.value)

    def _is_off(self, snapshot: Snapshot) -> bool:
        """Says whether it can close without a load, as far as the inverter can be switched off."""
        if Point.ENABLE not in self._wires.profile.points:
            return True
        return snapshot.good(self._unit, Signal.INVERTER_ENABLED) == 0.0

    def is_closed(self, snapshot: Snapshot) -> bool:
        """Says whether it is closed, is seen so, and power may flow."""
        if self._relays is None:
            return True
        shown = snapshot.good(self._unit, Signal.CONTACTOR_CLOSED) == 1.0
        return self._is_wanted and shown and self._relays.is_ready(self._memory)

    def is_open(self, snapshot: Snapshot) -> bool:
        """Says whether it is seen open, or there is none."""
        return not self.is_ours or snapshot.good(self._unit, Signal.CONTACTOR_CLOSED) == 0.0
