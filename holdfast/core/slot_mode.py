"""The modes say by which rule the batteries work. What each needs, and what it does with it, stands
in :mod:`holdfast.control.modes`."""

from collections.abc import Mapping
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
    STORED_VALUE = "stored_value"
    """The battery buys, stores, serves and sells by what stored energy is worth: the plan says up
    to and down to which state of charge each of them pays."""


DOES: Mapping[str, str] = {
    SlotMode.SELF_CONSUMPTION: "follow load and PV",
    SlotMode.POWER: "hold a power",
    SlotMode.HOLD: "store surplus, serve no load",
    SlotMode.PASSIVE: "rest",
    SlotMode.CHARGE_ONLY: "charge, and never discharge",
    SlotMode.SOC: "reach a state of charge",
    SlotMode.FULL_CHARGE: "become full, and stay so",
    SlotMode.PV_OPTIMIZER: "keep room for the sun to come",
    SlotMode.PEAK_SHAVING: "serve what is above the cap",
    SlotMode.LOAD_BALANCER: "level what the grid delivers",
    SlotMode.COMMERCIAL: "keep the load profile's caps, and serve load with the rest",
    SlotMode.STORED_VALUE: "store and serve as far as that pays",
}
"""Says what a battery is asked to do by each mode."""
assert DOES.keys() == set(SlotMode), "each mode has its words"
NEEDS: Mapping[str, str] = {
    SlotMode.SOC: "soc_target_pct",
    SlotMode.PV_OPTIMIZER: "soc_ceiling_pct",
    SlotMode.PEAK_SHAVING: "import_max_w",
    SlotMode.COMMERCIAL: "import_max_w",
    SlotMode.STORED_VALUE: "serve_above_pct",
}
"""Names the term without which a mode can do nothing."""
PLANNED_ONLY = frozenset({SlotMode.STORED_VALUE})
"""Nobody can ask for these by hand: what they need comes of prices and forecasts."""
REFILL_SHARE = 0.8
"""Peak shaving refills from the grid only with what is left below this share of its cap."""
