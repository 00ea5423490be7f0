"""The charge count compares the state of charge that a BMS tells with the charge that has flowed.

Two devices count, each for itself: the BMS by its current, the inverter by its power. A BMS that
repeats its last frames repeats its state of charge as well; the inverter goes on counting. There
is an anchor every hour, and each of the last twelve is compared, so that no new anchor hides what
drifts slowly.
"""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.core.units import s_from_ns

TOLERANCE_PCT = 10.0
"""Between told and expected: no estimator's correction is larger, but those that are jumps."""
ANCHOR_EVERY_S = 3600.0
ANCHORS = 12
"""Half a day: after that the errors of the count are as large as what it is to find."""
GAP_S = 10.0
"""A count with a longer gap begins anew."""
JUMP_PCT = 5.0
"""A BMS that corrects itself by more than this from one sample to the next begins anew; the trend
`soc_jump` judges the jump itself."""
NEAR_END_PCT = 3.0
"""A pack may rest at 99 % until it is full, and at 1 % until it is empty: so much is left to it
where the tolerance ends."""
AGED = 0.25
"""An aged pack is full after three quarters of what its plate says, and tells a change that is so
much larger than what has flowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """How far a count by one device can be trusted."""

    share: float
    """Error as a share of all that has flowed, to and fro, of a pack as its plate says."""
    idle_w: float
    """What flows unseen all the time."""


BY_BMS = Counter(share=0.05, idle_w=20.0)
"""A current sensor of 1 %, and a voltage that is higher while charging."""
BY_INVERTER = Counter(share=0.10, idle_w=60.0)
"""Its efficiency varies with power, and it draws from the battery while it delivers nothing."""


class Contradiction(StrEnum):
    """A row of the fault table."""

    UNDERSTATED = "soc_understated"
    OVERSTATED = "soc_overstated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What was told and counted at one time."""

    time_ns: int
    soc_pct: float
    counted_pct: float = 0.0
    through_pct: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeCount:
    """What one device has counted."""

    anchors: tuple[Anchor, ...]
    """The oldest first; never empty."""
    time_ns: int
    soc_pct: float
    """As last told."""
    counted_pct: float = 0.0
    """Charge since the first sample, in percent of the capacity."""
    through_pct: float = 0.0
    """The same without its sign: all that has flowed, to and fro."""


def counted(
    count: ChargeCount | None, time_ns: int, soc_pct: float, power_w: float, capacity_wh: float
) -> ChargeCount:
    """Returns ``count`` after a new sample: what the BMS tells, and the power at the pack, W.

    It begins anew after a gap, and where the state of charge has jumped.
    """
    if (
        count is None
        or s_from_ns(time_ns - count.time_ns) > GAP_S
        or not abs(soc_pct - count.soc_pct) <= JUMP_PCT
    ):
        return ChargeCount(
            anchors=(Anchor(time_ns=time_ns, soc_pct=soc_pct),), time_ns=time_ns, soc_pct=soc_pct
        )
    hours = s_from_ns(time_ns - count.time_ns) / 3600.0
    flowed_pct = 100.0 * power_w * hours / capacity_wh
    counted_pct = count.counted_pct + flowed_pct
    through_pct = count.through_pct + abs(flowed_pct)
    anchors = count.anchors
    if s_from_ns(time_ns - anchors[-1].time_ns) >= ANCHOR_EVERY_S:
        new = Anchor(
            time_ns=time_ns, soc_pct=soc_pct, counted_pct=counted_pct, through_pct=through_pct
        )
        anchors = (*anchors, new)[-ANCHORS:]
    return ChargeCount(
        anchors=anchors,
        time_ns=time_ns,
        soc_pct=soc_pct,
        counted_pct=counted_pct,
        through_pct=through_pct,
    )


def contradiction(
    count: ChargeCount, counter: Counter, capacity_wh: float
) -> tuple[Contradiction, Anchor] | None:
    """Returns how the told state of charge contradicts the count, and since which anchor.

    None while it agrees with every anchor. What is told may be ahead of the count, as it is in an
    aged pack, further than behind it. The tolerance ends where the battery does: who tells clearly
    less than full cannot have more than that.
    """
    for anchor in count.anchors:
        most_pct, least_pct = _bounds_pct(count, anchor, counter, capacity_wh)
        expected_pct = anchor.soc_pct + count.counted_pct - anchor.counted_pct
        if not expected_pct <= most_pct:
            return Contradiction.UNDERSTATED, anchor
        if not expected_pct >= least_pct:
            return Contradiction.OVERSTATED, anchor
    return None


def _bounds_pct(
    count: ChargeCount, anchor: Anchor, counter: Counter, capacity_wh: float
) -> tuple[float, float]:
    """Returns what may be expected at most and at least, %, where this is told."""
    hours = s_from_ns(count.time_ns - anchor.time_ns) / 3600.0
    through_pct = count.through_pct - anchor.through_pct
    behind_pct = 100.0 * counter.idle_w * hours / capacity_wh + counter.share * through_pct
    ahead_pct = behind_pct + AGED * through_pct
    charged = count.counted_pct >= anchor.counted_pct
    above_pct, below_pct = (behind_pct, ahead_pct) if charged else (ahead_pct, behind_pct)
    told_pct = count.soc_pct
    most_pct = told_pct + TOLERANCE_PCT
    least_pct = told_pct - TOLERANCE_PCT
    if charged and told_pct < 100.0:
        most_pct = min(most_pct, max(100.0, told_pct + NEAR_END_PCT))
    if not charged and told_pct > 0.0:
        least_pct = max(least_pct, min(0.0, told_pct - NEAR_END_PCT))
    return most_pct + above_pct, least_pct - below_pct
