"""The safety wrapper is the one gate. It turns a request into permits, and nothing else does."""

from collections.abc import Callable, Mapping

from holdfast.control.request import Request
from holdfast.core.config import Site
from holdfast.core.device_mode import MODES, DeviceMode
from holdfast.core.state_machine import State
from holdfast.core.units import NS_PER_MS, NS_PER_S
from holdfast.safety.assessment import Assessment
from holdfast.safety.envelope import Envelope, up_to, zero
from holdfast.safety.finding import Reaction
from holdfast.safety.interlocks import Action
from holdfast.safety.permit import Permit


def _anything(site: Site) -> Envelope:
    return up_to(
        charge_w=site.charge_power_max_w, discharge_w=site.discharge_power_max_w, by="site.yaml"
    )


def _charging(site: Site) -> Envelope:
    return up_to(charge_w=site.charge_power_max_w, discharge_w=0.0, by="mode_charge_only")


_MODES: dict[str, Callable[[Site], Envelope]] = {
    "auto": _anything,
    "charge_only": _charging,
    "passive": lambda _: zero("mode_passive"),
}
"""Each operating mode permits a unit this at most."""


class SafetyWrapper:
    """Gives permits from the assessment, the state and the stage of authority. Holds no state."""

    def __init__(self, site: Site) -> None:
        self._units = site.unit_names
        self._authority = site.authority
        self._mode = _MODES[site.operating_mode](site)
        share_w = site.limited_power_w / len(site.storage)
        self._limited = up_to(charge_w=share_w, discharge_w=share_w, by="authority_limited")
        self._reach_w = {
            unit.name: (
                unit.inverter_hardware.charge_power_max_w,
                unit.inverter_hardware.discharge_power_max_w,
            )
            for unit in site.storage
        }
        self._lifetime_ns = permit_lifetime_ns(site)

    def authorise(
        self, request: Request, state: State, assessment: Assessment, now_ns: int
    ) -> Mapping[str, Permit]:
        """Returns a permit for each unit. It never covers more than the assessment's envelope."""
        return {
            unit: self._permit(unit, request, state, assessment, now_ns) for unit in self._units
        }

    def _permit(
        self, unit: str, request: Request, state: State, assessment: Assessment, now_ns: int
    ) -> Permit:
        writes = self._authority != "observe"
        connects = writes and state is State.RUNNING and not assessment.trips
        islanded = unit in assessment.islanded
        blocks = assessment.blocks_of(unit)
        envelope = zero("authority_observe" if not writes else f"state_{state}")
        if connects:
            envelope = self._envelope(unit, request, assessment, now_ns)
            for block in reversed(blocks):  # so that an end bears the name of the first
                envelope = block.narrow(envelope, islanded=islanded)
        held = any(found.reaction is Reaction.HOLD for found in assessment.findings_of(unit))
        # An island's power follows its load: only the power stage can end a discharge.
        stopped = (
            envelope.min_w == 0.0
            if islanded
            else any(block.action is Action.POWER for block in blocks)
        )
        may_run = connects and not stopped
        return Permit(
            unit=unit,
            envelope=envelope,
            expires_ns=now_ns + self._lifetime_ns,
            may_write=writes,
            may_increase=not held,
            may_connect=connects,
            may_close=connects and not any(block.action is Action.CONNECT for block in blocks),
            may_run=may_run,
            islanded=islanded,
            export_limit_w=request.export_limit_w,
            pv_on=request.pv_on or not connects or not now_ns < request.expires_ns,
            device_mode=self._mode_within(unit, request, envelope)
            if may_run and not held and not islanded
            else None,
        )

    def _mode_within(self, unit: str, request: Request, envelope: Envelope) -> DeviceMode | None:
        """Returns the mode that is asked for, if all that the inverter may do in it is permitted:
        nobody but itself says how much of it that will be."""
        mode = request.device_mode
        if mode is None:
            return None
        charge_w, discharge_w = self._reach_w[unit]
        within = envelope.contains(charge_w) and (
            not MODES[mode].discharges or envelope.contains(-discharge_w)
        )
        return mode if within else None

    def _envelope(
        self, unit: str, request: Request, assessment: Assessment, now_ns: int
    ) -> Envelope:
        """Returns what is left by operating mode, authority and expiry. None of them is the
        battery's own protection, so they leave the discharge of an island alone."""
        layers = [self._mode]
        if self._authority == "limited":
            layers.append(self._limited)
        if not now_ns < request.expires_ns:
            layers.append(zero("request_expired"))
        envelope = assessment.envelopes[unit]
        narrow = Envelope.intersect_charge if unit in assessment.islanded else Envelope.intersect
        for layer in layers:
            envelope = narrow(envelope, layer)
        return envelope


def permit_lifetime_ns(site: Site) -> int:
    """Tells for how many ns a permit holds: some cycles may be late, a dead one permits nothing."""
    return max(3 * site.cycle.period_ms * NS_PER_MS, NS_PER_S // 5)
