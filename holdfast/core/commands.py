"""What goes out of a cycle: writes to devices; and what comes in: commands from people."""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.signals import Producer


class Point(StrEnum):
    """What can be written to a device. Zero is the safe value of each but the revert timers, and
    is frost protection for a thermostat."""

    SETPOINT_W = "setpoint_w"
    """Inverter: battery power, + charging."""
    ENABLE = "enable"
    """Inverter: 1 lets the power stage run."""
    REVERT_TIMEOUT_S = "revert_timeout_s"
    """Inverter: go to 0 W after this long without a command."""
    EXPORT_LIMIT_W = "export_limit_w"
    """Inverter: throttle PV so that the site exports no more."""
    CHARGE_POWER_W = "charge_power_w"
    """BMS: charge with this power, >= 0."""
    DISCHARGE_POWER_W = "discharge_power_w"
    """BMS: discharge with this power, >= 0."""
    CONTACTOR = "contactor"
    """Relays: 1 closes the main contactor."""
    PRECHARGE = "precharge"
    """Relays: 1 connects the link through the precharge resistor."""
    LOAD_ON = "load_on"
    """Load switch: 1 gives the load power."""
    LOAD_REVERT_S = "load_revert_s"
    """Load switch: go off after this long without a command."""
    ROOM_SETPOINT_C = "room_setpoint_c"
    """Thermostat: keep this temperature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One value for one point of one device."""

    unit: str
    """Name of the storage unit, or of the load."""
    role: Producer
    """Which of the unit's devices."""
    point: Point
    value: float


class Command(StrEnum):
    """What a person can ask of the controller."""

    START = "start"
    STOP = "stop"
    EMERGENCY_STOP = "estop"
    RESET = "reset"
    """By an operator: leaves STOPPED, and ERROR if nothing that is latched is for service."""
    SERVICE_RESET = "service_reset"
    """By service, deliberately: the same, and ERROR after a fault that had to be inspected."""
