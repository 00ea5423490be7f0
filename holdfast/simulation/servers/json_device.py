"""A simulated device that sends JSON is a window on the plant, by the device's table."""

from collections.abc import Mapping

from holdfast.core.commands import Point, Write
from holdfast.core.role import Role
from holdfast.core.signals import Signal
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.json_rows import JsonDocument
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.roles import ROLE_OF
from holdfast.simulation.plant import SitePlant
from holdfast.simulation.servers.json_coding import document_of
from holdfast.simulation.servers.protocol_faults import FaultSet, ProtocolFault
from holdfast.simulation.servers.registers import WriteObserver


class JsonDevice:
    """Holds what one device has. It serves ``owners`` (loads, the site), by role."""

    def __init__(
        self,
        plant: SitePlant,
        profile: HttpProfile | MqttProfile,
        owners: Mapping[Role, str],
        faults: FaultSet,
        observe: WriteObserver,
    ) -> None:
        self.profile, self.faults = profile, faults
        self._plant, self._owners, self._observe = plant, owners, observe
        self._frozen: dict[Signal, float] | None = None

    def told(self, document: JsonDocument) -> bytes:
        """Returns what it sends of ``document`` now."""
        return document_of(document, self._frozen or self._values(), self._plant.utc_s)

    def take(self, point: Point, value: float) -> None:
        """Does what it is commanded, unless a fault keeps it from that, or it cannot."""
        role = ROLE_OF[point]
        owner = self._owners[role]
        self._observe(role, owner, point, value)
        if ProtocolFault.IGNORE_SETPOINT not in self.faults:
            self._plant.apply(Write(unit=owner, role=role, point=point, value=value))

    def refresh(self) -> None:
        """A fault of the device has begun or ended."""
        if ProtocolFault.FROZEN not in self.faults:
            self._frozen = None
        elif self._frozen is None:
            self._frozen = self._values()

    def _values(self) -> dict[Signal, float]:
        told: dict[Signal, float] = {}
        for owner in set(self._owners.values()):
            told |= self._plant.values(owner)
        return told
