"""A permit says what one storage unit, or one load, may do now. Whatever a fresh permit does not
cover is refused."""

from dataclasses import dataclass

from holdfast.core.device_mode import DeviceMode
from holdfast.safety.envelope import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """The safety wrapper gives it for one unit, for a short time."""

    unit: str
    envelope: Envelope
    expires_ns: int
    """Tells the monotonic time at which it ends."""
    may_write: bool
    """It is False while the site only observes: then nothing is written, not even zero."""
    may_increase: bool
    """If False, the setpoint may not move away from 0 W."""
    may_connect: bool
    """The contactor may be closed."""
    may_close: bool
    """One that is open may be closed now."""
    may_run: bool
    """The inverter's power stage may be enabled."""
    islanded: bool
    """The load decides the power, not the setpoint."""
    export_limit_w: float = 0.0
    """The site may export no more: PV is throttled to it, where the inverter can."""
    pv_on: bool = True
    """False: the inverter's PV may stand still."""
    device_mode: DeviceMode | None = None
    """The inverter may keep this rule of its own; None: it has to follow its setpoint."""

    def is_fresh(self, now_ns: int) -> bool:
        """Says whether it still holds; once it has expired it permits nothing at all."""
        return now_ns < self.expires_ns

    def covers(self, power_w: float, now_ns: int) -> bool:
        """Says whether ``power_w`` may be commanded at ``now_ns``; False for NaN."""
        return self.is_fresh(now_ns) and self.envelope.contains(power_w)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadPermit:
    """The load gate gives it for one flexible load or heated room, for a short time."""

    may_write: bool
    """It is False while the site only observes: then nothing is written, not even off."""
    may_run: bool
    """False means off, or frost protection."""
    blocked_by: str
    """Tells what keeps it off; empty if it may run."""
    expires_ns: int
    """Tells the monotonic time at which it ends."""

    def is_fresh(self, now_ns: int) -> bool:
        """Says whether it still holds; once it has expired it permits nothing at all."""
        return now_ns < self.expires_ns
