"""What comes in: samples, the limit table, the battery's own limits, a plan's power, a wish."""

import math
from functools import partial
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

from holdfast.control import plan_gate
from holdfast.control.pv_wishes import PvWishes
from holdfast.core import data_store
from holdfast.core.config import Site
from holdfast.core.data_store import DataStore, Snapshot
from holdfast.core.errors import PlanRefused
from holdfast.core.reading import MISSING, Bad, Good, Reading, Stale
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.core.slot_mode import SlotMode
from holdfast.core.units import ns_from_s
from holdfast.safety import derating, rising, trend_analyzer
from holdfast.safety.battery_limits import battery_limits
from holdfast.safety.derating import DERATINGS, PACK_VOLTAGE_CHARGE, DeratingRow
from holdfast.safety.envelope import Envelope
from holdfast.safety.finding import Level
from holdfast.safety.grid_limits import within_grid_limits
from holdfast.safety.limits import SITE_LIMITS, UNIT_LIMITS, Limit, LimitRow, Side
from holdfast.safety.rest_of_site import (
    RestFollower,
    RestMemory,
    RestOfSite,
    batteries_w,
    rest_of_site_w,
)
from holdfast.safety.trend_analyzer import PREDICTIONS, PredictionRow
from proofs.floats import Reals
from proofs.inputs import (
    SOME_SITE,
    UNIT,
    any_envelope,
    covers,
    having,
    is_envelope,
    site_of,
    some_unit,
)
from proofs.proof import Proof, Values, is_finite, is_nan, negated

_NOW_NS = 10**9
_LOAD = "boiler"
_ROUNDING = 1e-15


def _in_order(v: Values, row: LimitRow) -> tuple[tuple[Level, float], ...]:
    """Any levels of the kinds that ``row`` has, in the order that is checked at start."""
    kinds = (Level.TRIP, row.trip), (Level.ALARM, row.alarm), (Level.WARNING, row.warning)
    levels = tuple((level, v.number(level.name)) for level, has in kinds if has is not None)
    for _, threshold in levels:
        v.assume(is_finite(threshold))
    for (_, stronger), (_, weaker) in pairwise(levels):
        v.assume(row.side * weaker <= row.side * stronger)
    return levels


def judging(row: LimitRow, v: Values) -> None:
    """A limit says of every value how far it has gone, whatever its levels are."""
    limit = Limit(owner=UNIT, row=row, levels=_in_order(v, row), hysteresis=0.0, far=None)
    value = v.number("value")
    found = limit.level_of(value)
    for level, threshold in limit.levels:
        beyond = value >= threshold if row.side is Side.HIGH else value <= threshold
        v.claim(f"{level.name}: at the level or beyond it is found", found >= level, given=beyond)
        v.claim(
            f"{level.name}: inside of it is not found",
            found < level,
            given=negated(beyond) & negated(is_nan(value)),
        )
    v.claim("NaN is as bad as it gets", found is limit.levels[0][0], given=is_nan(value))


def keeping_distance(row: LimitRow, v: Values) -> None:
    """Who asks for distance gets no milder answer, and NaN is no distance."""
    limit = Limit(owner=UNIT, row=row, levels=_in_order(v, row), hysteresis=0.0, far=None)
    value, distance = v.number("value"), v.number("distance")
    v.assume((distance >= 0.0) & (distance < math.inf))
    found = limit.level_of(value, inside_by=distance)
    for level, threshold in limit.levels:
        beyond = value >= threshold if row.side is Side.HIGH else value <= threshold
        v.claim(f"{level.name}: at the level or beyond it is found", found >= level, given=beyond)
    v.claim("NaN is as bad as it gets", found is limit.levels[0][0], given=is_nan(value))


def sampling(signal: Signal, v: Values) -> None:
    """No sample that is not finite and plausible becomes a good one."""
    row, value, time_ns = SIGNALS[signal], v.number("value"), v.time_ns("time_ns")
    owner = SITE if row.of_site else _LOAD if row.of_load else UNIT
    store = DataStore((UNIT,), (_LOAD,))
    store.put(row.producer, owner, signal, value, time_ns)
    sample = store.image()[owner][signal]
    plausible = (row.low <= value) & (value <= row.high)
    v.claim("what is good is finite", is_finite(value), given=isinstance(sample, Good))
    v.claim("what is good is plausible", plausible, given=isinstance(sample, Good))
    v.claim("what is plausible is good", isinstance(sample, Good), given=plausible)


def limiting(qualities: tuple[str, str, str], v: Values) -> None:
    """The battery's own limits, for every reading that a store lets through."""
    charge_max_a, discharge_max_a = v.number("charge_max_a"), v.number("discharge_max_a")
    efficiency_pct = v.number("efficiency_pct")
    for current_a in (charge_max_a, discharge_max_a):
        v.assume((current_a > 0.0) & (current_a < math.inf))
    v.assume((efficiency_pct > 50.0) & (efficiency_pct <= 100.0))
    unit = some_unit(
        battery={"charge_current_max_a": charge_max_a, "discharge_current_max_a": discharge_max_a},
        inverter_hardware={"efficiency_pct": efficiency_pct},
    )
    signals = (
        Signal.PACK_VOLTAGE_V, Signal.CHARGE_CURRENT_LIMIT_A, Signal.DISCHARGE_CURRENT_LIMIT_A,
    )  # fmt: skip
    readings = {
        signal: _reading(v, signal, quality)
        for signal, quality in zip(signals, qualities, strict=True)
    }
    snapshot = Snapshot(time_ns=_NOW_NS, readings={UNIT: readings})
    envelope = battery_limits(unit, snapshot)
    v.claim("the result is an envelope", is_envelope(envelope))
    voltage, charge, discharge = qualities
    if voltage != "good":
        v.claim("without a voltage nothing", (envelope.max_w == 0.0) & (envelope.min_w == 0.0))
        return
    voltage_v = getattr(readings[Signal.PACK_VOLTAGE_V], "value")  # noqa: B009 - a union
    for end_w, quality, signal, hardware_a in (
        (envelope.max_w, charge, signals[1], charge_max_a),
        (-envelope.min_w, discharge, signals[2], discharge_max_a),
    ):
        if quality == "bad":
            v.claim(f"{signal}: a bad limit is 0 W", end_w == 0.0)
        if quality in ("good", "stale"):
            limit_a = getattr(readings[signal], "value")  # noqa: B009 - a union
            v.claim(f"{signal}: no more than the BMS permits", end_w <= limit_a * voltage_v)
        v.claim(f"{signal}: no more than the hardware does", end_w <= hardware_a * voltage_v)


def charging_up_to(quality: str, v: Values) -> None:
    """Over the reals: at the voltage that the BMS asks to charge up to it charges no more, and it
    may still discharge."""
    readings = {
        signal: _reading(v, signal, told)
        for signal, told in (
            (Signal.PACK_VOLTAGE_V, "good"), (Signal.CHARGE_VOLTAGE_LIMIT_V, quality),
        )
    }  # fmt: skip
    unit = some_unit()
    envelope = battery_limits(unit, Snapshot(time_ns=_NOW_NS, readings={UNIT: readings}))
    v.claim("the result is an envelope", is_envelope(envelope))
    v.claim("discharging is left alone", envelope.min_w < 0.0)
    if quality == "bad":
        v.claim("a bad limit is 0 W", envelope.max_w == 0.0)
        return
    voltage_v = getattr(readings[Signal.PACK_VOLTAGE_V], "value")  # noqa: B009 - a union
    most_v = unit.battery.cells_in_series * unit.battery.cell_voltage_max_v
    limit_v = getattr(readings[Signal.CHARGE_VOLTAGE_LIMIT_V], "value")  # noqa: B009 - a union
    v.claim("nothing at the cells' own limit", envelope.max_w == 0.0, given=voltage_v >= most_v)
    v.claim("nothing at the limit", envelope.max_w == 0.0, given=voltage_v >= limit_v)


def _reading(v: Values, signal: Signal, quality: str) -> Reading:
    if quality == "missing":
        return MISSING
    if quality == "bad":
        return Bad(reason="", time_ns=_NOW_NS)
    good = _plausible(v, signal, signal)
    return good if quality == "good" else Stale(value=good.value, time_ns=_NOW_NS)


def planning(v: Values) -> None:
    """A slot whose powers and terms are not within what the site can do is refused."""
    charge_w, discharge_w = v.number("charge_max_w"), v.number("discharge_max_w")
    export_w, load_w = v.number("export_max_w"), v.number("load_max_w")
    site = SimpleNamespace(
        charge_power_max_w=charge_w,
        discharge_power_max_w=discharge_w,
        grid=SimpleNamespace(export_max_w=export_w),
        load_powers_w={"boiler": load_w},
    )
    target_pct, cap_w = v.number("soc_target_pct"), v.number("import_max_w")
    told = {"soc_target_pct": target_pct, "import_max_w": cap_w}
    boiler = SimpleNamespace(name="boiler", power_w=v.number("load_power_w"), temperature_c=None)
    slot = SimpleNamespace(
        start=0,
        end=1,
        reason="",
        battery_power_w=v.number("battery_power_w"),
        grid_power_w=v.number("grid_power_w"),
        soc_end_pct=v.number("soc_end_pct"),
        import_price_per_kwh=v.number("import_price_per_kwh"),
        export_limit_w=v.number("export_limit_w"),
        pv_on=True,
        device_mode=None,
        loads=(boiler,),
        mode=SlotMode.SOC,
        terms=SimpleNamespace(**(dict.fromkeys(plan_gate.TERMS) | told)),
    )
    within = (-discharge_w <= slot.battery_power_w) & (slot.battery_power_w <= charge_w)
    within &= (slot.export_limit_w >= 0.0) & (slot.export_limit_w <= export_w)
    within &= (boiler.power_w >= 0.0) & (boiler.power_w <= load_w)
    within &= (target_pct >= 0.0) & (target_pct <= 100.0) & (cap_w >= 0.0) & (cap_w <= 1e6)
    others = (slot.grid_power_w, slot.soc_end_pct, slot.import_price_per_kwh)
    sound = within & is_finite(others[0]) & is_finite(others[1]) & is_finite(others[2])
    try:
        plan_gate._check_slot(cast("Any", slot), cast("Any", site))
    except PlanRefused:
        v.claim("only what is unsound is refused", negated(sound))
    else:
        v.claim("what is accepted is sound", sound)


def throttling(v: Values) -> None:
    """Whatever a plan says, the export is limited within what the grid connection permits."""
    export_max_w, asked_w = v.number("export_max_w"), v.number("export_limit_w")
    v.assume((export_max_w >= 0.0) & (export_max_w < math.inf))
    wishes = PvWishes(site_of(grid=having(SOME_SITE.grid, export_max_w=export_max_w)))
    limit_w = wishes.export_limit_w(cast("Any", SimpleNamespace(export_limit_w=asked_w)))
    v.claim("no more than the grid connection permits", limit_w <= export_max_w)
    v.claim("no less than nothing", limit_w >= 0.0)
    v.claim("nothing for NaN", limit_w == 0.0, given=is_nan(asked_w))
    sane = (asked_w >= 0.0) & (asked_w <= export_max_w)
    v.claim("what is sane is kept", limit_w == asked_w, given=sane)


def leaving(row: DeratingRow, v: Values) -> None:
    """A derating leaves between nothing and all, and nothing where the value is no number."""
    value, bound = v.number("value"), v.number("bound")
    v.assume(is_finite(bound))
    left = derating.fraction(row, value, bound)
    v.claim("nothing is left for NaN", left == 0.0, given=is_nan(value))
    v.claim("no less than nothing is left", left >= 0.0)
    at_bound = value >= bound if row.side is Side.HIGH else value <= bound
    v.claim("nothing is left at the bound", left == 0.0, given=at_bound)


def leaving_exactly(row: DeratingRow, v: Values) -> None:
    """Over the reals, but for the rounding of the table's own numbers: no more than all is left,
    and closer to the bound never more."""
    value, closer, bound = v.number("value"), v.number("closer"), v.number("bound")
    left = derating.fraction(row, value, bound)
    v.claim("no more than all is left", left <= 1.0 + _ROUNDING)
    worse = closer >= value if row.side is Side.HIGH else closer <= value
    v.claim(
        "closer is never more",
        derating.fraction(row, closer, bound) <= left + _ROUNDING,
        given=worse,
    )


def following(v: Values) -> None:
    """A limit that rises is followed slowly, and one that falls at once."""
    target, rated, dt_s = any_envelope(v, "target"), any_envelope(v, "nameplate"), v.number("dt_s")
    before = any_envelope(v, "before") if v.truth("has_before") else None
    after = rising.follow(before, target, rated, dt_s)
    v.claim("the result is an envelope", is_envelope(after))
    v.claim("it is part of the target", covers(target, after))
    if before is not None:
        still = covers(before, after)
        v.claim("without a step in time nothing rises", still, given=negated(dt_s > 0.0))


def predicting(row: PredictionRow, v: Values) -> None:
    """A prediction only ever narrows."""
    envelope = any_envelope(v)
    names = ("value", "alarm", "slope_per_s")
    value, alarm, slope_per_s = (v.number(name) for name in names)
    v.assume(negated(slope_per_s == 0.0))
    left = trend_analyzer._left(value, alarm, slope_per_s, row.horizon_s)
    v.claim("a share is left", (left >= trend_analyzer.LEAST_LEFT) & (left <= 1.0))
    if left < 1.0:
        narrowed = trend_analyzer._scaled(envelope, row, left)
        v.claim("the result is an envelope", is_envelope(narrowed))
        v.claim("it is part of what it was", covers(envelope, narrowed))


def connected(units: int, v: Values) -> None:
    """The grid connection only ever narrows."""
    site, snapshot, envelopes = _grid(v, units)
    narrowed = within_grid_limits(site, snapshot, envelopes)
    for unit, envelope in envelopes.items():
        v.claim("the result is an envelope", is_envelope(narrowed[unit]))
        v.claim("it is part of what it was", covers(envelope, narrowed[unit]))


def connected_exactly(units: int, v: Values) -> None:
    """Over the reals: together the units keep within import and export, or do nothing."""
    site, snapshot, envelopes = _grid(v, units)
    narrowed = within_grid_limits(site, snapshot, envelopes)
    rest_w = rest_of_site_w(snapshot)
    assert rest_w is not None
    most_w = sum(envelope.max_w for envelope in narrowed.values())
    least_w = sum(envelope.min_w for envelope in narrowed.values())
    import_w, export_w = site.grid.import_max_w, site.grid.export_max_w
    v.claim("import is kept", (rest_w + most_w <= import_w) | (most_w == 0.0))
    v.claim("export is kept", (rest_w + least_w >= -export_w) | (least_w == 0.0))


def resting(units: int, v: Values) -> None:
    """The rest of the site is what the meter shows less what the batteries do at the change of its
    value, and stays what it is until the next."""
    before = RestOfSite(grid_w=v.number("before.grid_w"), rest_w=v.number("before.rest_w"))
    v.assume(is_finite(before.rest_w))
    names, snapshot = _read(v, units)
    follower = RestFollower(names, 0.0)
    followed, memory = follower.follow(snapshot, RestMemory(pair=before))
    rest_w, battery_w = rest_of_site_w(followed), batteries_w(names, snapshot)
    grid_w, after = snapshot.good(SITE, Signal.GRID_POWER_W), memory.pair
    assert rest_w is not None
    assert battery_w is not None
    assert grid_w is not None
    assert after is not None
    has_changed = negated(grid_w == before.grid_w)
    v.claim("at a change it is the pair", rest_w == grid_w - battery_w, given=has_changed)
    v.claim("until then it holds", rest_w == before.rest_w, given=negated(has_changed))
    v.claim("what is remembered is what is told", after.rest_w == rest_w)
    v.claim("and what the meter showed", after.grid_w == grid_w)
    if units == 1:
        v.claim("it is finite", is_finite(rest_w))


def resting_late(v: Values) -> None:
    """Over the reals: where the meter may show either of two battery powers, the rest is one that
    explains it, and the nearest of these to what was known."""
    before = RestOfSite(grid_w=v.number("before.grid_w"), rest_w=v.number("before.rest_w"))
    v.assume(is_finite(before.rest_w))
    names, snapshot = _read(v, 1)
    grid_w, now_w = snapshot.good(SITE, Signal.GRID_POWER_W), batteries_w(names, snapshot)
    assert grid_w is not None
    assert now_w is not None
    v.assume(negated(grid_w == before.grid_w))
    then = _plausible(v, Signal.BATTERY_POWER_W, "then_w")
    memory = RestMemory(pair=before, past=((_NOW_NS - ns_from_s(0.1), then.value),))
    followed, _ = RestFollower(names, 0.1).follow(snapshot, memory)
    rest_w = rest_of_site_w(followed)
    assert rest_w is not None
    low_w, high_w = grid_w - then.value, grid_w - now_w
    falls = low_w <= high_w
    least_w, most_w = (low_w, high_w) if falls else (high_w, low_w)
    v.claim("it explains the meter", (least_w <= rest_w) & (rest_w <= most_w))
    is_known = (least_w <= before.rest_w) & (before.rest_w <= most_w)
    v.claim("what was known stays if it does", rest_w == before.rest_w, given=is_known)
    v.claim("or the end next to it", rest_w == least_w, given=before.rest_w < least_w)
    v.claim("on either side", rest_w == most_w, given=before.rest_w > most_w)


def _read(v: Values, units: int) -> tuple[tuple[str, ...], Snapshot]:
    """Any plausible meter and batteries."""
    names = tuple(f"unit{index}" for index in range(units))
    readings: dict[str, dict[Signal, Reading]] = {
        name: {Signal.BATTERY_POWER_W: _plausible(v, Signal.BATTERY_POWER_W, f"{name}.power_w")}
        for name in names
    }
    grid = _plausible(v, Signal.GRID_POWER_W, "grid_power_w")
    readings[SITE] = {Signal.GRID_POWER_W: grid}
    return names, Snapshot(time_ns=_NOW_NS, readings=readings)


def _grid(v: Values, units: int) -> tuple[Site, Snapshot, dict[str, Envelope]]:
    grid = having(
        SOME_SITE.grid, import_max_w=v.number("import_max_w"), export_max_w=v.number("export_max_w")
    )
    v.assume((grid.import_max_w > 0.0) & (grid.import_max_w < math.inf))
    v.assume((grid.export_max_w >= 0.0) & (grid.export_max_w < math.inf))
    names = tuple(f"unit{index}" for index in range(units))
    # Whatever the meter showed when its value last changed: `resting` proves what it is.
    rest = _plausible(v, Signal.REST_OF_SITE_W, "rest_of_site_w")
    readings: dict[str, dict[Signal, Reading]] = {name: {} for name in names}
    readings[SITE] = {Signal.REST_OF_SITE_W: rest}
    envelopes = {name: any_envelope(v, name) for name in names}
    site = site_of(*(having(some_unit(), name=name) for name in names), grid=grid)
    return site, Snapshot(time_ns=_NOW_NS, readings=readings), envelopes


def _plausible(v: Values, signal: Signal, name: str) -> Good:
    value, row = v.number(name), SIGNALS[signal]
    v.assume((row.low <= value) & (value <= row.high))  # `sampling` proves that it is so
    return Good(value=value, time_ns=_NOW_NS)


_KINDS = {
    f"{row.side.name.lower()}.{3 - (row.trip is None) - (row.warning is None)}_levels": row
    for row in (*UNIT_LIMITS, *SITE_LIMITS)
}
"""One row of each kind: side, and how many levels it has. The levels themselves are unknowns."""
_QUALITIES = (
    ("good", "good", "good"),
    ("good", "stale", "missing"),
    ("good", "bad", "stale"),
    ("good", "missing", "bad"),
    ("stale", "good", "good"),
)

PROOFS = (
    *(
        Proof(name=f"limit.{name}.{kind}", run=partial(run, row))
        for kind, row in _KINDS.items()
        for name, run in (("level_of", judging), ("inside_by", keeping_distance))
    ),
    *(
        Proof(name=f"sample.{signal}", run=partial(sampling, signal), patched=(data_store,))
        for signal in Signal
    ),
    *(
        Proof(name=f"battery_limits.{'.'.join(qualities)}", run=partial(limiting, qualities))
        for qualities in _QUALITIES
    ),
    *(
        Proof(name=f"charge_voltage.{told}", run=partial(charging_up_to, told), floats=Reals)
        for told in ("good", "stale", "bad")
    ),
    Proof(name="plan.slot", run=planning, patched=(plan_gate,)),
    Proof(name="plan.export_limit", run=throttling),
    *(
        Proof(name=f"derating.{row.id}", run=partial(leaving, row))
        for row in (*DERATINGS, PACK_VOLTAGE_CHARGE)
    ),
    *(
        Proof(name=f"derating.{row.id}.exact", run=partial(leaving_exactly, row), floats=Reals)
        for row in (*DERATINGS, PACK_VOLTAGE_CHARGE)
    ),
    Proof(name="rising", run=following),
    *(Proof(name=row.id, run=partial(predicting, row)) for row in PREDICTIONS),
    *(
        Proof(name=f"rest_of_site.{units}_units", run=partial(resting, units))
        for units in (1, 2, 3)
    ),
    Proof(name="rest_of_site.late", run=resting_late, floats=Reals),
    Proof(name="grid.1_unit", run=partial(connected, 1)),
    *(
        Proof(name=f"grid.sum.{units}_units", run=partial(connected_exactly, units), floats=Reals)
        for units in (1, 2, 3)
    ),
)
