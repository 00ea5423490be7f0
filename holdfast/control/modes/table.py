"""The table of the modes: who works out what each asks."""

from collections.abc import Callable, Mapping

from holdfast.control.modes.charge_only import charge_only, full_charge
from holdfast.control.modes.fixed_power import passive, power
from holdfast.control.modes.hold import hold
from holdfast.control.modes.load_balancer import load_balancer
from holdfast.control.modes.peak_shaving import commercial, peak_shaving
from holdfast.control.modes.pv_optimizer import pv_optimizer
from holdfast.control.modes.self_consumption import self_consumption
from holdfast.control.modes.state_of_charge import state_of_charge
from holdfast.control.modes.stored_value import stored_value
from holdfast.control.modes.wish import ModeView, ModeWish
from holdfast.core.slot_mode import SlotMode

MODES: Mapping[SlotMode, Callable[[ModeView], ModeWish]] = {
    SlotMode.SELF_CONSUMPTION: self_consumption,
    SlotMode.POWER: power,
    SlotMode.HOLD: hold,
    SlotMode.PASSIVE: passive,
    SlotMode.CHARGE_ONLY: charge_only,
    SlotMode.SOC: state_of_charge,
    SlotMode.FULL_CHARGE: full_charge,
    SlotMode.PV_OPTIMIZER: pv_optimizer,
    SlotMode.PEAK_SHAVING: peak_shaving,
    SlotMode.LOAD_BALANCER: load_balancer,
    SlotMode.COMMERCIAL: commercial,
    SlotMode.STORED_VALUE: stored_value,
}

assert MODES.keys() == set(SlotMode), "each mode has a row"
