"""A planned power becomes a mode: what the battery does when reality differs from the forecast.

A plan knows the load only roughly. So a fixed power is commanded only where the trade is
with the grid; wherever the battery merely balances load and PV, the mode follows the meter.

==========  =========  ==========================================================
battery     grid       mode
==========  =========  ==========================================================
charges     imports    POWER: energy is bought
charges     otherwise  SELF_CONSUMPTION: surplus is stored. Also where only part of it
                       is: the rest is a matter of limits, or worth the same
discharges  throttles  POWER: room is made, and the meter would show surplus
discharges  exports    POWER: energy is sold; but SELF_CONSUMPTION where little is sold
                       beside the load: following the load is worth more than the rest
discharges  otherwise  SELF_CONSUMPTION: load is served; but POWER where serving more
                       of it would not pay (the battery just keeps the import limit)
idle        exports,   POWER 0 W, where there is room and export, or throttling PV, is better
            throttles  than storing
any         PV is off  POWER, as planned: the meter tells nothing of PV, and to serve more load
                       from the battery would cost what the import pays. HOLD if it is idle
idle        otherwise  HOLD, where stored energy is worth more later; else
                       SELF_CONSUMPTION, as with an empty battery in a dear hour
==========  =========  ==========================================================
"""

from holdfast.core.slot_mode import SlotMode
from holdfast.scheduling.trajectory import Trajectory

_LITTLE_SHARE = 0.5
"""Export below this share of the load is little."""


def slot_mode(trajectory: Trajectory, slot: int) -> SlotMode:
    """Returns the mode of one slot, by the table above."""
    follows = SlotMode.SELF_CONSUMPTION
    if not trajectory.pv_on[slot]:
        return SlotMode.POWER if trajectory.battery_sign[slot] else SlotMode.HOLD
    match trajectory.battery_sign[slot], trajectory.grid_sign[slot]:
        case (1, 1):
            return SlotMode.POWER
        case (1, _):
            return follows
        case (-1, _) if trajectory.throttles[slot]:
            return SlotMode.POWER
        case (-1, -1):
            little = -trajectory.grid_w[slot] < _LITTLE_SHARE * trajectory.load_w[slot]
            return follows if little else SlotMode.POWER
        case (-1, _):
            return SlotMode.POWER if trajectory.holding_pays(slot) else follows
        case (_, grid) if (
            (grid < 0 or trajectory.throttles[slot])
            and trajectory.storing_loses(slot)
            and not trajectory.is_full_after(slot)
        ):
            return SlotMode.POWER
        case _:
            return SlotMode.HOLD if trajectory.holding_pays(slot) else follows
