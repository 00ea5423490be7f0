"""What a mode is given, and what it asks."""

import math
from dataclasses import dataclass

from holdfast.core.asked_slot import NO_TERMS, SlotTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeView:
    """Holds what a mode may look at: one cycle, in the words of the modes."""

    rest_w: float
    """Load less PV, W: what the grid would deliver if the batteries stood still."""
    mean_rest_w: float
    """Its mean over the last minutes, W."""
    soc_pct: float | None
    """Of all units together; None unless each is known."""
    capacity_wh: float
    charge_max_w: float
    """All units together, rated; > 0."""
    discharge_max_w: float
    """All units together, rated; > 0."""
    export_max_w: float
    """May be exported, W."""
    power_w: float = 0.0
    """Asked for by whoever leads, + charging."""
    terms: SlotTerms = NO_TERMS
    left_s: float | None = None
    """Until the mode ends; None: it goes on."""

    def asked(self, power_w: float, terms: SlotTerms, left_s: float | None) -> "ModeView":
        """Returns it with what whoever leads asks for; made by hand, for it is made each cycle."""
        return ModeView(
            rest_w=self.rest_w,
            mean_rest_w=self.mean_rest_w,
            soc_pct=self.soc_pct,
            capacity_wh=self.capacity_wh,
            charge_max_w=self.charge_max_w,
            discharge_max_w=self.discharge_max_w,
            export_max_w=self.export_max_w,
            power_w=power_w,
            terms=terms,
            left_s=left_s,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeWish:
    """Holds a mode's wish, and the bounds within which weaker wishes and its own trim stay."""

    power_w: float
    """All batteries, + charging."""
    at_meter: bool = False
    """The mode keeps the meter where it is led by this power: what misses there is trimmed."""
    low_w: float = -math.inf
    high_w: float = math.inf


def never_discharging(power_w: float, *, at_meter: bool = False) -> ModeWish:
    """Returns a wish to charge, or to rest."""
    return ModeWish(power_w=max(power_w, 0.0), at_meter=at_meter, low_w=0.0)
