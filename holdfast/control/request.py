"""A request is what the site asks of its batteries in one cycle, and why."""

from dataclasses import dataclass

from holdfast.core.asked_slot import AskedBy
from holdfast.core.device_mode import DeviceMode
from holdfast.core.slot_mode import SlotMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Instead:
    """Tells what would have been asked, had the one who leads not been there."""

    by: AskedBy
    mode: SlotMode
    power_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request is a wish, not a command: nothing is permitted by it."""

    power_w: float
    """Counts for all batteries, + charging. It may be anything: the gate does not trust it."""
    source: AskedBy
    reason: str
    expires_ns: int
    mode: SlotMode = SlotMode.PASSIVE
    kept_by: tuple[str, ...] = ()
    """Names the bounds that changed the mode's wish, the weakest first."""
    urgent: bool = False
    """A limit at the meter is being kept: no ramp delays it."""
    instead: Instead | None = None
    """Tells what the next best would have asked; None while nobody may ask."""
    export_limit_w: float = 0.0
    """PV is to be throttled to export no more: from 0 to what the grid connection permits."""
    pv_on: bool = True
    """False: PV is to be switched off."""
    device_mode: DeviceMode | None = None
    """The inverters are to keep this rule by themselves, where they can, in place of the power."""
