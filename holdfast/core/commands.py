"""Writes go out of a cycle to devices; commands come in from people."""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.role import Role


class Point(StrEnum):
    """Names what can be written to a device. Zero is the safe value of each but the revert timers
    and the PV switch, and is frost protection for a thermostat."""

    SETPOINT_W = "setpoint_w"
    """Sets the inverter's battery power, + charging."""
    ENABLE = "enable"
    """Lets the inverter's power stage run at 1."""
    REVERT_TIMEOUT_S = "revert_timeout_s"
    """Makes the inverter go to 0 W after this long without a command."""
    EXPORT_LIMIT_W = "export_limit_w"
    """Makes the inverter throttle PV so that the site exports no more."""
    DEVICE_MODE = "device_mode"
    """Leaves the inverter to a rule of its own, by its number; at 0 it follows the setpoint."""
    PV_ON = "pv_on"
    """Lets the inverter's PV through at 1; at 0 the PV behind it stands still."""
    CHARGE_POWER_W = "charge_power_w"
    """Makes the BMS charge with this power, >= 0."""
    DISCHARGE_POWER_W = "discharge_power_w"
    """Makes the BMS discharge with this power, >= 0."""
    CONTACTOR = "contactor"
    """Closes the main contactor at 1."""
    PRECHARGE = "precharge"
    """Connects the link through the precharge resistor at 1."""
    LOAD_ON = "load_on"
    """Makes the load switch give the load power at 1."""
    LOAD_REVERT_S = "load_revert_s"
    """Makes the load switch go off after this long without a command."""
    ROOM_SETPOINT_C = "room_setpoint_c"
    """Makes the thermostat keep this temperature."""


TIMERS = frozenset({Point.REVERT_TIMEOUT_S, Point.LOAD_REVERT_S})
"""Zero switches them off, so it is not the safe value of these."""
SAFE_ABOVE_ZERO = TIMERS | {Point.PV_ON}
"""What the sun gives comes from no battery: a site without its PV imports more than it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Holds one value for one point of one device."""

    unit: str
    """Names the storage unit, or the load."""
    role: Role
    """Tells which of the unit's devices it is."""
    point: Point
    value: float

    @property
    def is_always_safe(self) -> bool:
        """Says whether it may be made however late: it takes power away, arms a timer, or lets PV
        through."""
        return self.value > 0.0 if self.point in SAFE_ABOVE_ZERO else self.value == 0.0


class Command(StrEnum):
    """Names what a person can ask of the controller."""

    START = "start"
    STOP = "stop"
    EMERGENCY_STOP = "estop"
    RESET = "reset"
    """An operator leaves STOPPED with it, and ERROR if nothing that is latched is for service."""
    SERVICE_RESET = "service_reset"
    """Service does the same, deliberately, and leaves ERROR after a fault to be inspected."""
