"""What people ask for by hand is asked in the words of a plan."""

from typing import assert_never

from holdfast.core.asked_slot import AskedBy, AskedSlot
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.core.slot_mode import DOES, SlotMode


def asked_by_hand(slot: ManualSlot) -> AskedSlot:
    """Returns what ``slot`` asks for."""
    mode, power_w, does = _in_plan(slot)
    return AskedSlot(
        start=slot.start,
        end=slot.end,
        by=AskedBy.OPERATOR,
        who=slot.by,
        reason=does,
        mode=mode,
        battery_power_w=power_w,
        id=slot.id,
    )


def _in_plan(slot: ManualSlot) -> tuple[SlotMode, float, str]:
    """Returns mode and power in W that a plan has for what was asked, and its words."""
    power_w = slot.power_w or 0.0
    match slot.mode:
        case ManualMode.SELF_CONSUMPTION:
            return SlotMode.SELF_CONSUMPTION, 0.0, DOES[SlotMode.SELF_CONSUMPTION]
        case ManualMode.HOLD:
            return SlotMode.HOLD, 0.0, DOES[SlotMode.HOLD]
        case ManualMode.CHARGE:
            return SlotMode.POWER, power_w, f"charge with {power_w / 1e3:g} kW"
        case ManualMode.DISCHARGE:
            return SlotMode.POWER, -power_w, f"discharge with {power_w / 1e3:g} kW"
        case ManualMode.REST:
            return SlotMode.POWER, 0.0, "rest"
        case ManualMode.STAND_ASIDE:
            return SlotMode.PASSIVE, 0.0, f"stand aside for {slot.owner}, battery at 0 W"
        case _:
            assert_never(slot.mode)
