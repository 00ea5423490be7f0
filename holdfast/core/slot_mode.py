"""The modes say by which rule the batteries work. What each needs, and what it does with it, stands
in :mod:`holdfast.control.modes`."""

from enum import StrEnum


class SlotMode(StrEnum):
    """Tells what the battery does during a slot."""

    SELF_CONSUMPTION = "self_consumption"
    """The grid connection is kept at 0 W, or at ``terms.grid_target_w``."""
    POWER = "power"
    """The battery holds ``battery_power_w``."""
    HOLD = "hold"
    """The battery stores PV surplus, but serves no load."""
    PASSIVE = "passive"
    """The battery rests at 0 W."""
    CHARGE_ONLY = "charge_only"
    """The battery charges with ``battery_power_w``, or all it may, and never discharges."""
    SOC = "soc"
    """The battery reaches ``terms.soc_target_pct`` at the end of the slot, evenly."""
    FULL_CHARGE = "full_charge"
    """The battery is charged until it is full, and kept full, so that its cells are balanced."""
    PV_OPTIMIZER = "pv_optimizer"
    """Surplus is stored above ``terms.soc_ceiling_pct`` only where it could not be exported."""
    PEAK_SHAVING = "peak_shaving"
    """The battery serves what is above ``terms.import_max_w``, and refills below it."""
    LOAD_BALANCER = "load_balancer"
    """The battery levels: the grid delivers the mean of the last minutes."""
    COMMERCIAL = "commercial"
    """The battery follows a load profile's caps, and refills from surplus and cheap hours."""
