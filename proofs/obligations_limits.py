"""What comes in: samples, the limit table, the battery's own limits, a plan's power, a wish."""

import math
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

from holdfast.control import plan_gate
from holdfast.control.mode_manager import ModeManager
from holdfast.core import data_store
from holdfast.core.data_store import DataStore, Snapshot
from holdfast.core.errors import PlanRefused
from holdfast.core.reading import MISSING, Bad, Good, Reading, Stale
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.safety.battery_limits import battery_limits
from holdfast.safety.faults import Level
from holdfast.safety.limits import SITE_LIMITS, UNIT_LIMITS, Limit, LimitRow, Side
from proofs.inputs import UNIT, is_envelope
from proofs.proof import Proof, Values, is_finite, is_nan, negated

_NOW_NS = 10**9


def _in_order(v: Values, row: LimitRow) -> tuple[tuple[Level, float], ...]:
    """Any levels of the kinds that ``row`` has, in the order that is checked at start."""
    kinds = (Level.TRIP, row.trip), (Level.ALARM, row.alarm), (Level.WARNING, row.warning)
    levels = tuple((level, v.number(level.name)) for level, has in kinds if has is not None)
    for _, threshold in levels:
        v.assume(is_finite(threshold))
    for (_, stronger), (_, weaker) in zip(levels, levels[1:], strict=False):
        v.assume(row.side * weaker <= row.side * stronger)
    return levels


def judging(row: LimitRow, v: Values) -> None:
    """A limit says of every value how far it has gone, whatever its levels are."""
    limit = Limit(owner=UNIT, row=row, levels=_in_order(v, row), hysteresis=0.0)
    value, further = v.number("value"), v.number("further")
    found = limit.level_of(value)
    high = row.side is Side.HIGH
    reached = Level.NORMAL
    for level, threshold in reversed(limit.levels):
        beyond = value >= threshold if high else value <= threshold
        v.claim(f"{level.name}: at the level or beyond it is found", found >= level, given=beyond)
        v.claim(
            f"{level.name}: inside of it is not found", found < level,
            given=negated(beyond) & negated(is_nan(value)),
        )  # fmt: skip
        reached = level
    v.claim("NaN is as bad as it gets", found is reached, given=is_nan(value))
    worse = further >= value if high else further <= value
    v.claim("further is never milder", limit.level_of(further) >= found, given=worse)
    stricter = limit.level_of(value, inside_by=limit.levels[0][1] * 0.0 + 1.0)
    v.claim("asking for distance is never milder", stricter >= found)


def sampling(signal: Signal, v: Values) -> None:
    """No sample that is not finite and plausible becomes a good one."""
    row, value, time_ns = SIGNALS[signal], v.number("value"), v.time_ns("time_ns")
    owner = SITE if row.of_site else UNIT
    store = DataStore((UNIT,))
    store.put(row.producer, owner, signal, value, time_ns)
    sample = store.image()[owner][signal]
    plausible = (row.low <= value) & (value <= row.high)
    v.claim("what is good is finite", is_finite(value), given=isinstance(sample, Good))
    v.claim("what is good is plausible", plausible, given=isinstance(sample, Good))
    v.claim("what is plausible is good", isinstance(sample, Good), given=plausible)


def limiting(qualities: tuple[str, str, str], v: Values) -> None:
    """The battery's own limits, for every reading that a store lets through."""
    hardware = SimpleNamespace(
        charge_current_max_a=v.number("charge_max_a"),
        discharge_current_max_a=v.number("discharge_max_a"),
    )
    efficiency_pct = v.number("efficiency_pct")
    for current_a in (hardware.charge_current_max_a, hardware.discharge_current_max_a):
        v.assume((0.0 < current_a) & (current_a < math.inf))
    v.assume((50.0 < efficiency_pct) & (efficiency_pct <= 100.0))
    unit = SimpleNamespace(
        name=UNIT, battery=hardware,
        inverter_hardware=SimpleNamespace(efficiency_pct=efficiency_pct),
    )  # fmt: skip
    signals = (
        Signal.PACK_VOLTAGE_V, Signal.CHARGE_CURRENT_LIMIT_A, Signal.DISCHARGE_CURRENT_LIMIT_A,
    )  # fmt: skip
    readings = {
        signal: _reading(v, signal, quality)
        for signal, quality in zip(signals, qualities, strict=True)
    }
    snapshot = Snapshot(time_ns=_NOW_NS, readings={UNIT: readings})
    envelope = battery_limits(cast(Any, unit), snapshot)
    v.claim("the result is an envelope", is_envelope(envelope))
    voltage, charge, discharge = qualities
    if voltage != "good":
        v.claim("without a voltage nothing", (envelope.max_w == 0.0) & (envelope.min_w == 0.0))
        return
    voltage_v = getattr(readings[Signal.PACK_VOLTAGE_V], "value")  # noqa: B009 - a union
    for end_w, quality, signal, hardware_a in (
        (envelope.max_w, charge, signals[1], hardware.charge_current_max_a),
        (-envelope.min_w, discharge, signals[2], hardware.discharge_current_max_a),
    ):
        if quality == "bad":
            v.claim(f"{signal}: a bad limit is 0 W", end_w == 0.0)
        if quality in ("good", "stale"):
            limit_a = getattr(readings[signal], "value")  # noqa: B009 - a union
            v.claim(f"{signal}: no more than the BMS permits", end_w <= limit_a * voltage_v)
        v.claim(f"{signal}: no more than the hardware does", end_w <= hardware_a * voltage_v)


def _reading(v: Values, signal: Signal, quality: str) -> Reading:
    if quality == "missing":
        return MISSING
    if quality == "bad":
        return Bad(reason="", time_ns=_NOW_NS)
    value, row = v.number(signal), SIGNALS[signal]
    v.assume((row.low <= value) & (value <= row.high))  # `sampling` proves that it is so
    kind = Good if quality == "good" else Stale
    return kind(value=value, time_ns=_NOW_NS)


def planning(v: Values) -> None:
    """A slot whose powers are not within what the site can do is refused."""
    charge_w, discharge_w = v.number("charge_max_w"), v.number("discharge_max_w")
    slot = SimpleNamespace(
        start=0, end=1, battery_power_w=v.number("battery_power_w"),
        grid_power_w=v.number("grid_power_w"), soc_end_pct=v.number("soc_end_pct"),
        import_price_per_kwh=v.number("import_price_per_kwh"),
    )  # fmt: skip
    within = (-discharge_w <= slot.battery_power_w) & (slot.battery_power_w <= charge_w)
    others = (slot.grid_power_w, slot.soc_end_pct, slot.import_price_per_kwh)
    sound = within & is_finite(others[0]) & is_finite(others[1]) & is_finite(others[2])
    try:
        plan_gate._check_slot(cast(Any, slot), charge_w, discharge_w)
    except PlanRefused:
        v.claim("only what is unsound is refused", negated(sound))
    else:
        v.claim("what is accepted is sound", sound)


def wishing(v: Values) -> None:
    """The grid connection narrows a wish: never more, never the other direction."""
    grid = SimpleNamespace(
        import_max_w=v.number("import_max_w"), export_max_w=v.number("export_max_w")
    )
    v.assume((0.0 < grid.import_max_w) & (grid.import_max_w < math.inf))
    v.assume((0.0 <= grid.export_max_w) & (grid.export_max_w < math.inf))
    power_w, rest_w = v.number("power_w"), v.number("rest_w")
    v.assume(is_finite(rest_w) & negated(is_nan(power_w)))
    result_w = ModeManager(cast(Any, SimpleNamespace(grid=grid)))._within_grid(power_w, rest_w)
    v.claim("no wish grows", abs(result_w) <= abs(power_w))
    v.claim("a charge stays one or ends", result_w >= 0.0, given=power_w > 0.0)
    v.claim("a discharge stays one or ends", result_w <= 0.0, given=power_w <= 0.0)


_KINDS = {
    (row.side, row.trip is None, row.warning is None): row for row in (*UNIT_LIMITS, *SITE_LIMITS)
}
"""One row of each kind: side, and which levels it has. The levels themselves are unknowns."""
_QUALITIES = (
    ("good", "good", "good"),
    ("good", "stale", "missing"),
    ("good", "bad", "stale"),
    ("good", "missing", "bad"),
    ("stale", "good", "good"),
)

PROOFS = (
    *(
        Proof(name=f"limit.{row.side.name.lower()}.{len_of}_levels", run=partial(judging, row))
        for row in _KINDS.values()
        for len_of in [3 - (row.trip is None) - (row.warning is None)]
    ),
    *(
        Proof(name=f"sample.{signal}", run=partial(sampling, signal), patched=(data_store,))
        for signal in Signal
    ),
    *(
        Proof(name=f"battery_limits.{'.'.join(qualities)}", run=partial(limiting, qualities))
        for qualities in _QUALITIES
    ),
    Proof(name="plan.slot", run=planning, patched=(plan_gate,)),
    Proof(name="request.within_grid", run=wishing),
)
