"""What a device does after a command is judged here, by what it told; nothing here does anything.

Powers are in W, + charging; samples are in the order in which they were taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from holdfast.core.reading import Good
from holdfast.core.units import s_from_ns

RISEN = 0.63
"""A response has risen when it has gone so far of its way."""
_STEADY = 3
"""So many samples in a row within the tolerance are no chance."""
_LEFT = 2
_NOTHING = 0.05
"""Who has gone less of his way than this does not follow."""
_WITNESSED = 0.3
"""A witness that tells so much of the power, with its sign, agrees."""

Samples = Sequence[Good]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Holds one command, and where the power was before it."""

    from_w: float
    to_w: float
    power_w: float
    """So much is tried, positive;"""
    tolerance_w: float
    """and so far may what is measured be from it."""
    step_w: float
    """The device keeps multiples of it."""
    written_ns: int

    @property
    def way_w(self) -> float:
        """Returns how far the power has to go, with its sign."""
        return self.to_w - self.from_w

    def is_there(self, power_w: float) -> bool:
        """Says whether a measured power is what was asked for."""
        return abs(power_w - self.to_w) <= self.tolerance_w

    def after_s(self, sample: Good) -> float:
        """Returns how long after the command a sample was taken."""
        return s_from_ns(sample.time_ns - self.written_ns)


def shown_s(readback: Samples, order: Order) -> float | None:
    """Returns after what time the device showed what it was told; None if it did not yet."""
    return next(
        (order.after_s(each) for each in _since(readback, order) if _shows(each, order)), None
    )


def risen_s(power: Samples, order: Order) -> float | None:
    """Returns after what time most of the power was there."""
    if abs(order.way_w) <= order.tolerance_w:
        return None
    return next(
        (
            order.after_s(each)
            for each in _since(power, order)
            if (each.value - order.from_w) / order.way_w >= RISEN
        ),
        None,
    )


def settled_s(power: Samples, order: Order) -> float | None:
    """Returns after what time the power was there, and stayed; None while it does not."""
    steady: list[Good] = []
    for each in _since(power, order):
        steady = [*steady, each] if order.is_there(each.value) else []
    return order.after_s(steady[0]) if len(steady) >= _STEADY else None


def left_s(power: Samples, order: Order) -> float | None:
    """Returns after what time the power had left; None while it is there."""
    return next(
        (
            order.after_s(first)
            for first, second in pairwise(_since(power, order))
            if not order.is_there(first.value) and not order.is_there(second.value)
        ),
        None,
    )


def danger(power_w: float, order: Order) -> str:
    """Tells why a power has to end at once; empty if it does not."""
    most_w = 2.0 * order.power_w
    if not abs(power_w) <= most_w + order.step_w:
        times = abs(power_w) / max(1.0, order.power_w)
        return (
            f"{power_w:+.0f} W flow where {order.to_w:+.0f} W were asked, {times:.1f} times the "
            "power that is tried: its table has a wrong scale, or words the other way round"
        )
    away_w = -(power_w - order.from_w) * (1.0 if order.way_w >= 0.0 else -1.0)
    if abs(order.way_w) > order.tolerance_w and not away_w <= order.power_w / 2.0:
        return (
            f"{power_w:+.0f} W flow where {order.to_w:+.0f} W were asked: the wrong way, so its "
            "table has a wrong sign"
        )
    return ""


def why_not_there(power: Samples, readback: Samples, order: Order) -> str:
    """Tells what a device did that did not do what it was told, once the time is up."""
    since = _since(power, order)
    if not since:
        return "it told no power any more"
    power_w = sum(each.value for each in since[-_STEADY:]) / len(since[-_STEADY:])
    shows = readback[-1].value if readback else None
    told = f"{order.to_w:+.0f} W were written; measured are {power_w:+.0f} W"
    if shows is None or not abs(shows - order.to_w) <= order.step_w:
        what = "nothing" if shows is None else f"{shows:+.0f} W"
        return f"{told}, and it shows {what}: it does not store what is written"
    gone = (power_w - order.from_w) / order.way_w if order.way_w else 1.0
    if gone < _NOTHING:
        return f"{told}, and it shows what was written: it stores a command and does not follow it"
    if order.to_w and order.from_w == 0.0:
        return (
            f"{told}, {power_w / order.to_w:.2g} times as much: a wrong scale, or something else "
            "limits it"
        )
    return f"{told}: it does not settle there"


def current_agrees(current_a: float, voltage_v: float, order: Order) -> bool:
    """Says whether the battery's own current confirms a power in sign, and nearly in size."""
    return current_a * voltage_v * _sign(order.to_w) >= _WITNESSED * abs(order.to_w)


def grid_agrees(before_w: float, after_w: float, moved_w: float) -> bool:
    """Says whether the grid meter, less what PV changed, confirms that the battery moved so."""
    return (after_w - before_w) * _sign(moved_w) >= _WITNESSED * abs(moved_w)


def _sign(value: float) -> float:
    return 1.0 if value >= 0.0 else -1.0


def _shows(sample: Good, order: Order) -> bool:
    return abs(sample.value - order.to_w) <= order.step_w


def _since(samples: Samples, order: Order) -> list[Good]:
    return [each for each in samples if each.time_ns >= order.written_ns]
