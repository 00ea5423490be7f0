"""A wish goes through bounds, the weakest first, and remembers which of them changed it."""

import math
from dataclasses import dataclass

from holdfast.control.modes.table import MODES
from holdfast.control.modes.wish import ModeView
from holdfast.control.transfer import Leader
from holdfast.core.units import s_from_ns

SAME_W = 0.5
"""A bound that moves a wish by less is not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptWish:
    """Holds a wish on its way through the bounds."""

    power_w: float
    at_meter: bool
    kept_by: tuple[str, ...] = ()

    def within(self, low_w: float, high_w: float, by: str, *, at_meter: bool = False) -> "KeptWish":
        """Returns the wish kept between both; of a bound that holds nothing is told."""
        power_w = max(low_w, min(self.power_w, high_w))
        if power_w == self.power_w:
            return self
        moved = abs(power_w - self.power_w) > SAME_W
        return KeptWish(
            power_w=power_w,
            at_meter=self.at_meter or (moved and at_meter),
            kept_by=(*self.kept_by, by) if moved else self.kept_by,
        )


def wished(leader: Leader, view: ModeView, now_ns: int) -> KeptWish:
    """Returns what the mode wishes, within its own bounds; what is no number is 0 W."""
    left_s = None if leader.ends_ns is None else s_from_ns(leader.ends_ns - now_ns)
    wish = MODES[leader.mode](view.asked(leader.power_w, leader.terms, left_s))
    power_w = wish.power_w if math.isfinite(wish.power_w) else 0.0
    return KeptWish(power_w=max(wish.low_w, min(power_w, wish.high_w)), at_meter=wish.at_meter)
