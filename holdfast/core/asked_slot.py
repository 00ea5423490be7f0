"""An asked slot is what somebody asks of the batteries for a while, in the place of the plan.

Who asks stands in one table, the strongest first. Above all of them stand the limits at the meter,
which nobody asks for: they hold whoever asks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from holdfast.core.slot_mode import SlotMode


class AskedBy(StrEnum):
    """Tells who asks, the strongest first."""

    OPERATOR = "operator"
    """A person, by hand."""
    GRID_OPERATOR = "grid_operator"
    """Whoever may call the battery for the grid."""
    RULE = "rule"
    SCHEDULE = "schedule"
    PLAN = "plan"
    """The optimizer, or a rung of its ladder below."""
    DEFAULT = "default"
    """The site's own mode, where nobody else asks."""
    PASSIVE = "passive"
    """Nobody may: the site does not run, or cannot be seen."""


PRECEDENCE: dict[AskedBy, int] = {by: rank for rank, by in enumerate(AskedBy)}
"""The lower, the stronger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotTerms:
    """Holds what is to be kept during a slot beside its mode. None: nothing is asked of it."""

    grid_target_w: float | None = None
    """Self-consumption keeps the grid connection there, + import; None: 0 W."""
    soc_target_pct: float | None = None
    """A mode that charges ends there; SOC reaches it at the end of the slot."""
    soc_ceiling_pct: float | None = None
    """More is not stored, but of what would be lost: room is left for the sun that is to come."""
    reserve_pct: float | None = None
    """At or below it nothing is discharged, except in an outage."""
    import_max_w: float | None = None
    """The battery helps to import no more."""
    export_max_w: float | None = None
    """The battery helps to export no more."""
    import_mean_max_w: float | None = None
    """The mean import of a quarter hour is to stay within it."""
    buy_below_pct: float | None = None
    """Below it the battery is charged from the grid; None: never. This and the next three are what
    a plan tells of the worth of stored energy: prices, losses and what may come are in them."""
    store_below_pct: float | None = None
    """Below it surplus is stored, above it exported; None: all of it is stored."""
    serve_above_pct: float | None = None
    """Above it load is served, below it the grid serves it."""
    sell_above_pct: float | None = None
    """Above it stored energy is exported; None: never."""


NO_TERMS = SlotTerms()
_MARKS = {
    "buy_below_pct": "buys below",
    "store_below_pct": "stores below",
    "serve_above_pct": "serves above",
    "sell_above_pct": "sells above",
}


@lru_cache(maxsize=256)  # each cycle tells the same ones
def marks_text(*slots: SlotTerms) -> str:
    """Tells up to and down to which state of charge what pays; what never does is left out.

    >>> marks_text(SlotTerms(buy_below_pct=30.0, serve_above_pct=40.4))
    'buys below 30 %, serves above 40 %'
    >>> marks_text(SlotTerms(serve_above_pct=40.4), SlotTerms(serve_above_pct=45.0))
    'serves above 40 to 45 %'
    """
    return ", ".join(
        f"{does} {_range([f'{pct:.0f}' for pct in sorted(found)])} %"
        for name, does in _MARKS.items()
        if (found := [pct for terms in slots if (pct := getattr(terms, name)) is not None])
    )


def _range(texts: list[str]) -> str:
    return texts[0] if texts[0] == texts[-1] else f"{texts[0]} to {texts[-1]}"


def combined(strong: SlotTerms, weak: SlotTerms) -> SlotTerms:
    """Returns both: of two bounds the tighter one, of two targets that of ``strong``."""
    return SlotTerms(
        grid_target_w=_first(strong.grid_target_w, weak.grid_target_w),
        soc_target_pct=_first(strong.soc_target_pct, weak.soc_target_pct),
        soc_ceiling_pct=_first(strong.soc_ceiling_pct, weak.soc_ceiling_pct),
        reserve_pct=_tighter(max, strong.reserve_pct, weak.reserve_pct),
        import_max_w=_tighter(min, strong.import_max_w, weak.import_max_w),
        export_max_w=_tighter(min, strong.export_max_w, weak.export_max_w),
        import_mean_max_w=_tighter(min, strong.import_mean_max_w, weak.import_mean_max_w),
        buy_below_pct=_first(strong.buy_below_pct, weak.buy_below_pct),
        store_below_pct=_first(strong.store_below_pct, weak.store_below_pct),
        serve_above_pct=_first(strong.serve_above_pct, weak.serve_above_pct),
        sell_above_pct=_first(strong.sell_above_pct, weak.sell_above_pct),
    )


def _first(strong: float | None, weak: float | None) -> float | None:
    return weak if strong is None else strong


def _tighter(
    which: Callable[[float, float], float], one: float | None, other: float | None
) -> float | None:
    if one is None or other is None:
        return _first(one, other)
    return which(one, other)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSlot:
    """Holds what one asker asks for; it ends by itself."""

    start: datetime
    """The time is aware, UTC."""
    end: datetime
    """The time is aware, UTC."""
    by: AskedBy
    who: str
    """Names the person, the entry of a schedule, or the rule."""
    reason: str
    """Tells the owner why, in words."""
    mode: SlotMode | None
    """If None, only ``terms`` are asked for, whatever the mode is."""
    battery_power_w: float = 0.0
    """Tells the power of all units together, + charging, of a mode that has one."""
    terms: SlotTerms = field(default_factory=SlotTerms)
    id: str = ""
    """Is that of a manual slot; else empty."""
