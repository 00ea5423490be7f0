"""The table of the modes: what each does, in words, and who works it out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from holdfast.control.modes.charge_only import charge_only, full_charge
from holdfast.control.modes.fixed_power import passive, power
from holdfast.control.modes.hold import hold
from holdfast.control.modes.load_balancer import load_balancer
from holdfast.control.modes.peak_shaving import commercial, peak_shaving
from holdfast.control.modes.pv_optimizer import pv_optimizer
from holdfast.control.modes.self_consumption import self_consumption
from holdfast.control.modes.state_of_charge import state_of_charge
from holdfast.control.modes.wish import ModeView, ModeWish
from holdfast.core.slot_mode import SlotMode


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeRule:
    """A row is one mode."""

    ask: Callable[[ModeView], ModeWish]
    says: str
    """Says what it does, as a sentence goes on after "the battery is asked to"."""


MODES: Mapping[SlotMode, ModeRule] = {
    SlotMode.SELF_CONSUMPTION: ModeRule(ask=self_consumption, says="follow load and PV"),
    SlotMode.POWER: ModeRule(ask=power, says="hold a power"),
    SlotMode.HOLD: ModeRule(ask=hold, says="store surplus, serve no load"),
    SlotMode.PASSIVE: ModeRule(ask=passive, says="rest"),
    SlotMode.CHARGE_ONLY: ModeRule(ask=charge_only, says="charge, and never discharge"),
    SlotMode.SOC: ModeRule(ask=state_of_charge, says="reach a state of charge"),
    SlotMode.FULL_CHARGE: ModeRule(ask=full_charge, says="become full, and stay so"),
    SlotMode.PV_OPTIMIZER: ModeRule(ask=pv_optimizer, says="keep room for the sun to come"),
    SlotMode.PEAK_SHAVING: ModeRule(ask=peak_shaving, says="serve what is above the cap"),
    SlotMode.LOAD_BALANCER: ModeRule(ask=load_balancer, says="level what the grid delivers"),
    SlotMode.COMMERCIAL: ModeRule(
        ask=commercial, says="keep the load profile's caps, and serve load with the rest"
    ),
}

assert MODES.keys() == set(SlotMode), "each mode has a row"
