"""The limits at the meter stand in one table, the strongest first."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from holdfast.control.connection.at_meter import MeterPart, high_w, low_w
from holdfast.control.connection.band import Bound
from holdfast.control.connection.mean_import import ImportAllowance
from holdfast.core.asked_slot import SlotTerms
from holdfast.core.config import Site
from holdfast.safety.phases import PhaseRest, export_room_a, import_room_a

MEAN_IMPORT = "mean_import"
"""What it misses is told as an energy, and long before: not as the other rows do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtMeter:
    """Holds what the rows look at."""

    site: Site
    rest_w: float
    """What the grid would deliver if the batteries stood still."""
    parts: tuple[MeterPart, ...]
    """What the meter counts for itself: the sum, or each phase."""
    phases: tuple[PhaseRest, ...]
    """Empty where they are not known, or nothing counts for them."""
    shares: tuple[float, ...]
    """How the batteries' power is shared by the phases."""
    volts: float
    """Of a phase to neutral."""
    loads_w: float
    """What the loads that are switched on take."""
    terms: SlotTerms
    consumption_w: float | None
    """What the grid operator permits; None: no limit."""
    production_w: float | None
    allowance: ImportAllowance | None
    """What the interval leaves; None: its mean has no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterLimit:
    """Describes one limit at the meter."""

    name: str
    """As status and explanation show it."""
    source: str
    """Where it is set."""
    what: str
    bound: Callable[[AtMeter, str], Bound | None]


def _main_fuse(meter: AtMeter, by: str) -> Bound | None:
    """Returns what the phases leave: the smallest room among those with batteries on them."""
    bottom_w, top_w = -math.inf, math.inf
    for rest, share in zip(meter.phases, meter.shares, strict=True):
        if share > 0.0:
            watts_per_a = meter.volts / share
            top_w = min(top_w, import_room_a(meter.site, rest) * watts_per_a)
            bottom_w = max(bottom_w, -export_room_a(meter.site, rest) * watts_per_a)
    return Bound(low_w=bottom_w, high_w=top_w, by=by)


def _connection(meter: AtMeter, by: str) -> Bound | None:
    grid = meter.site.grid
    return _between(meter, by, grid.import_max_w, grid.export_max_w)


def _grid_operator(meter: AtMeter, by: str) -> Bound | None:
    """Returns what he permits. Loads that are switched, and the sun that is left, count with the
    batteries, unless it is all that the site imports that counts."""
    if meter.consumption_w is None and meter.production_w is None:
        return None
    of_connection = meter.site.grid.operator is not None and (
        meter.site.grid.operator.counts == "connection"
    )
    bound = _between(meter, by, meter.consumption_w if of_connection else None, meter.production_w)
    if meter.consumption_w is None or of_connection:
        return bound
    left_w = max(meter.loads_w - meter.rest_w, 0.0)
    top_w = _limit_w(meter.consumption_w) - meter.loads_w + left_w
    return Bound(low_w=bound.low_w, high_w=top_w, by=by)


def _mean_import(meter: AtMeter, by: str) -> Bound | None:
    """Returns what keeps the mean of the interval. Charging leaves more room than a load does."""
    if meter.allowance is None:
        return None
    top_w = high_w(meter.parts, meter.allowance.import_w)
    if top_w > 0.0:
        top_w = max(min(top_w, high_w(meter.parts, meter.allowance.charging_w)), 0.0)
    return Bound(high_w=top_w, by=by)


def _import_max(meter: AtMeter, by: str) -> Bound | None:
    import_max_w = meter.terms.import_max_w
    return None if import_max_w is None else _between(meter, by, import_max_w, None)


def _export_max(meter: AtMeter, by: str) -> Bound | None:
    export_max_w = meter.terms.export_max_w
    return None if export_max_w is None else _between(meter, by, None, export_max_w)


ROWS: tuple[MeterLimit, ...] = (
    MeterLimit(
        name="main_fuse",
        source="grid.fuse_a, grid.export_max_a",
        what="each phase stays within 95 % of its fuse, and within what it may feed in",
        bound=_main_fuse,
    ),
    MeterLimit(
        name="connection",
        source="grid.import_max_w, grid.export_max_w",
        what="the site imports and exports no more than the connection permits",
        bound=_connection,
    ),
    MeterLimit(
        name="grid_operator",
        source="grid_operator, grid.operator",
        what="what the grid operator limits stays within his limit, or the failsafe one",
        bound=_grid_operator,
    ),
    MeterLimit(
        name=MEAN_IMPORT,
        source="grid.mean_import_max_w, or the plan",
        what="the mean import of the clock's interval stays within its limit",
        bound=_mean_import,
    ),
    MeterLimit(
        name="import_max",
        source="the plan, a schedule or a rule, modes.import_max_w",
        what="the site imports no more than is asked for now",
        bound=_import_max,
    ),
    MeterLimit(
        name="export_max",
        source="the plan, a schedule or a rule, modes.export_max_w",
        what="the site exports no more than is asked for now",
        bound=_export_max,
    ),
)
"""The first is the strongest: where two contradict each other, the later one gives way."""


def _between(
    meter: AtMeter, by: str, import_max_w: float | None, export_max_w: float | None
) -> Bound:
    return Bound(
        low_w=-math.inf if export_max_w is None else low_w(meter.parts, _limit_w(export_max_w)),
        high_w=math.inf if import_max_w is None else high_w(meter.parts, _limit_w(import_max_w)),
        by=by,
    )


def _limit_w(limit_w: float) -> float:
    """Returns a limit; one that is below zero, or no number, permits nothing."""
    # In this order NaN leaves 0 W.
    return max(0.0, limit_w)
