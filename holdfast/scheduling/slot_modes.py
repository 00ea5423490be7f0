"""From planned powers to a mode: what the battery does when reality differs from the forecast.

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
idle        otherwise  HOLD, where stored energy is worth more later; else
                       SELF_CONSUMPTION, as with an empty battery in a dear hour
==========  =========  ==========================================================
"""

from holdfast.core.plan import SlotMode
from holdfast.scheduling.outlook import Outlook

_LITTLE_SHARE = 0.5
"""Export below this share of the load is little."""


def slot_mode(outlook: Outlook, slot: int) -> SlotMode:
    """Mode of one slot, by the table above."""
    follows = SlotMode.SELF_CONSUMPTION
    match outlook.battery_sign[slot], outlook.grid_sign[slot]:
        case (1, 1):
            return SlotMode.POWER
        case (1, _):
            return follows
        case (-1, _) if outlook.throttles[slot]:
            return SlotMode.POWER
        case (-1, -1):
            little = -outlook.grid_w[slot] < _LITTLE_SHARE * outlook.load_w[slot]
            return follows if little else SlotMode.POWER
        case (-1, _):
            return SlotMode.POWER if outlook.holding_pays(slot) else follows
        case (_, grid) if (
            (grid < 0 or outlook.throttles[slot])
            and outlook.storing_loses(slot)
            and not outlook.is_full_after(slot)
        ):
            return SlotMode.POWER
        case _:
            return SlotMode.HOLD if outlook.holding_pays(slot) else follows
