"""One storage unit's device wrappers are applied together."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from holdfast.control.storage.held_command import NOTHING_HELD, HeldCommand, HeldMemory
from holdfast.control.storage.power_ramper import Setpoint
from holdfast.core.commands import Point, Write
from holdfast.core.config import StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.devices.bms_safety_wrapper import BmsSafetyWrapper
from holdfast.devices.contactor.life import ContactorLife
from holdfast.devices.contactor.memory import RelayMemory
from holdfast.devices.contactor.none import NoContactor
from holdfast.devices.contactor.relay_controller import RelayController
from holdfast.devices.inverter_safety_wrapper import InverterSafetyWrapper
from holdfast.devices.point_traits import NO_TRAITS, PLAIN, Traits
from holdfast.devices.power_follow_up import FollowUpMemory, PowerFollowUp
from holdfast.devices.unseen_power import SeenMemory, UnseenPower
from holdfast.devices.written_point import DeviceMemory
from holdfast.safety.finding import Finding
from holdfast.safety.permit import Permit


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitMemory:
    """Holds what one unit hands to the next cycle."""

    setpoint_w: float = 0.0
    inverter: DeviceMemory = field(default_factory=dict)
    bms: DeviceMemory = field(default_factory=dict)
    relays: RelayMemory = field(default_factory=RelayMemory)
    follow_up: FollowUpMemory = field(default_factory=FollowUpMemory)
    seen: SeenMemory = field(default_factory=SeenMemory)
    held: HeldMemory = NOTHING_HELD


class UnitControl:
    """Applies the wrappers of one unit. Power goes out before the contactor moves."""

    def __init__(
        self, unit: StorageUnit, points: Collection[Point], traits: Traits = NO_TRAITS
    ) -> None:
        self._inverter = InverterSafetyWrapper(unit, points, traits)
        self._bms = BmsSafetyWrapper(unit, points, traits)
        self._relays = RelayController(unit, points) if unit.has_contactor else NoContactor()
        self._life = ContactorLife(unit)
        self._follow_up = PowerFollowUp(unit)
        self._unseen = UnseenPower(unit)
        self._held = HeldCommand(unit, traits.get(Point.SETPOINT_W, PLAIN))

    def apply(
        self,
        setpoint: Setpoint,
        permit: Permit,
        snapshot: Snapshot,
        memory: UnitMemory,
        *,
        force: bool,
        at_once: bool = False,
    ) -> tuple[tuple[Write, ...], UnitMemory, tuple[Finding, ...]]:
        """Returns writes in the order in which they are to be made, new memory, and what is wrong.

        ``force`` writes setpoint and enable anew, ``at_once`` opens the contactor under load.
        """
        power_w, running = setpoint.power_w, permit
        if not self._relays.is_ready(memory.relays):
            power_w, running = 0.0, replace(permit, may_run=False)
        is_led = self._inverter.mode_of(running, snapshot.time_ns) is not None
        if is_led:  # the ramp begins at 0 W when it no longer is
            power_w = 0.0
        inverter_writes, inverter, inverter_findings = self._inverter.decide(
            power_w, running, snapshot, memory.inverter, force=force
        )
        bms_writes, bms, bms_findings = self._bms.decide(
            power_w, running, snapshot, memory.bms, force=force
        )
        relay_writes, relays, relay_findings = self._relays.decide(
            permit, snapshot, memory.relays, at_once=at_once
        )
        relays, worn = self._life.judge(relays, snapshot.time_ns)
        follow_up, follow_findings = self._followed(permit, snapshot, memory, inverter, is_led)
        connected = self._relays.is_connected(relays, permit)
        # One that decides for itself, or may not run, is not expected to carry out anything.
        obeys = running.may_write and running.may_run and not is_led
        written = inverter.get(Point.SETPOINT_W) if obeys else None
        held, held_findings = self._held.check(
            setpoint, None if written is None else written.value, memory.held, snapshot.time_ns
        )
        seen, unseen = self._unseen.check(snapshot, memory.seen, connected=connected)
        return (
            (*inverter_writes, *bms_writes, *relay_writes),
            UnitMemory(
                setpoint_w=power_w,
                inverter=inverter,
                bms=bms,
                relays=relays,
                follow_up=follow_up,
                seen=seen,
                held=held,
            ),
            (
                *inverter_findings,
                *bms_findings,
                *relay_findings,
                *worn,
                *follow_findings,
                *unseen,
                *held_findings,
            ),
        )

    def _followed(
        self,
        permit: Permit,
        snapshot: Snapshot,
        memory: UnitMemory,
        inverter: DeviceMemory,
        is_led: bool,  # noqa: FBT001 - by its own rule
    ) -> tuple[FollowUpMemory, tuple[Finding, ...]]:
        if is_led:
            return self._follow_up.excused(snapshot.time_ns), ()
        written = inverter.get(Point.SETPOINT_W)
        if not permit.may_write or written is None:
            return FollowUpMemory(), ()
        return self._follow_up.check(written.value, snapshot, memory.follow_up)
