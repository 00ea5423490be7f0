"""The plan gate: a plan is a stranger's message. It is followed only if every part of it holds."""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from holdfast.core.asked_slot import SlotTerms
from holdfast.core.config import Site
from holdfast.core.errors import PlanRefused
from holdfast.core.plan import ROOM_C, Plan, PlanSlot
from holdfast.core.slot_mode import NEEDS
from holdfast.core.texts import MAX_ID, MAX_NOTE, MAX_REASON, wrong_with
from holdfast.core.units import NS_PER_S, ns_from_s

_PERCENT, _POWER_W = (0.0, 100.0, "%"), (0.0, 1e6, "W")
TERMS: Mapping[str, tuple[float, float, str]] = {
    "grid_target_w": (-1e6, 1e6, "W"),
    "soc_target_pct": _PERCENT,
    "soc_ceiling_pct": _PERCENT,
    "reserve_pct": _PERCENT,
    "import_max_w": _POWER_W,
    "export_max_w": _POWER_W,
    "import_mean_max_w": _POWER_W,
    "buy_below_pct": _PERCENT,
    "store_below_pct": _PERCENT,
    "serve_above_pct": _PERCENT,
    "sell_above_pct": _PERCENT,
}
"""Each term of a slot lies between these."""
assert TERMS.keys() == {each.name for each in fields(SlotTerms)}
MAX_SLOTS = 2000
MAX_HORIZON = timedelta(days=8)
MAX_LIFETIME = timedelta(hours=2)
"""A planner that died is noticed after this at the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedPlan:
    """Keeps a plan in the controller's own, monotonic time: no step of the wall clock moves it."""

    plan: Plan
    accepted_ns: int
    expires_ns: int
    starts_ns: tuple[int, ...]
    ends_ns: int

    def slot_at(self, now_ns: int) -> PlanSlot | None:
        """Returns the slot to follow now; None before the first, after the last, once expired."""
        if not self.starts_ns[0] <= now_ns < min(self.ends_ns, self.expires_ns):
            return None
        return self.plan.slots[bisect_right(self.starts_ns, now_ns) - 1]

    def slot_ends_ns(self, now_ns: int) -> int:
        """Returns when the slot at ``now_ns`` ends; the plan must have it."""
        index = bisect_right(self.starts_ns, now_ns)
        return self.starts_ns[index] if index < len(self.starts_ns) else self.ends_ns

    def share_over(self, now_ns: int) -> float:
        """Returns which share of the slot at ``now_ns`` is over, 0 to 1; the plan must have it."""
        start_ns = self.starts_ns[bisect_right(self.starts_ns, now_ns) - 1]
        return (now_ns - start_ns) / (self.slot_ends_ns(now_ns) - start_ns)


def accept_plan(plan: Plan, *, now_ns: int, utc: datetime, site: Site) -> AcceptedPlan:
    """Checks ``plan`` for ``site`` at ``utc``, which is ``now_ns`` on the monotonic clock.

    Raises PlanRefused with the first thing that is wrong. Powers beyond what the site can do
    are refused, not clamped: whoever asks for 400 kW has understood something wrongly.
    """
    _check_frame(plan, utc)
    for index, slot in enumerate(plan.slots):
        try:
            _check_slot(slot, site)
        except PlanRefused as error:
            raise PlanRefused(f"slot {index}: {error}") from None
        if index and slot.start != plan.slots[index - 1].end:
            word = "gap" if slot.start > plan.slots[index - 1].end else "overlap"
            raise PlanRefused(f"slot {index}: {word} after the slot before it")

    def monotonic_ns(instant: datetime) -> int:
        return now_ns + ns_from_s((instant - utc).total_seconds())

    return AcceptedPlan(
        plan=plan,
        accepted_ns=now_ns,
        expires_ns=monotonic_ns(plan.expires),
        starts_ns=tuple(monotonic_ns(slot.start) for slot in plan.slots),
        ends_ns=monotonic_ns(plan.slots[-1].end),
    )


def _check_frame(plan: Plan, utc: datetime) -> None:
    if not plan.slots:
        raise PlanRefused("it has no slots")
    if len(plan.slots) > MAX_SLOTS:
        raise PlanRefused(f"{len(plan.slots)} slots are more than {MAX_SLOTS}")
    _check_text("plan_id", plan.plan_id, MAX_ID)
    _check_text("note", plan.note, MAX_NOTE)
    for name, instant in (("created", plan.created), ("expires", plan.expires)):
        _check_utc(name, instant)
    for index, slot in enumerate(plan.slots):
        _check_utc(f"slot {index}: start", slot.start)
        _check_utc(f"slot {index}: end", slot.end)
    if plan.expires <= utc:
        raise PlanRefused(f"it expired at {plan.expires:%Y-%m-%d %H:%M:%S}Z")
    if plan.expires > utc + MAX_LIFETIME:
        raise PlanRefused(f"it wants to live for more than {MAX_LIFETIME}")
    if plan.slots[-1].end <= utc:
        raise PlanRefused("it lies in the past")
    if plan.slots[0].start >= plan.expires:
        raise PlanRefused("it begins only after it has expired")
    if plan.slots[-1].end > utc + MAX_HORIZON:
        raise PlanRefused(f"it reaches further than {MAX_HORIZON.days} days")


def _check_slot(slot: PlanSlot, site: Site) -> None:
    if not slot.end > slot.start:
        raise PlanRefused("ends before it starts")
    _check_text("reason", slot.reason, MAX_REASON)
    _check_within(
        "battery_power_w",
        slot.battery_power_w,
        -site.discharge_power_max_w,
        site.charge_power_max_w,
    )
    if slot.export_limit_w is not None:
        _check_within("export_limit_w", slot.export_limit_w, 0.0, site.grid.export_max_w)
    if type(slot.pv_on) is not bool:
        raise PlanRefused("pv_on is neither true nor false")
    if not (slot.device_mode is None or slot.device_mode in site.planner.device_modes):
        raise PlanRefused(f"device_mode {slot.device_mode} is none of planner.device_modes")
    _check_terms(slot)
    _check_loads(slot, site)
    for name in ("grid_power_w", "soc_end_pct", "import_price_per_kwh"):
        value: float | None = getattr(slot, name)
        if value is not None and not math.isfinite(value):
            raise PlanRefused(f"{name} is not a finite number")


def _check_terms(slot: PlanSlot) -> None:
    for name, (low, high, unit) in TERMS.items():
        value: float | None = getattr(slot.terms, name)
        if value is not None:
            _check_within(f"terms.{name}", value, low, high, unit)
    needed = NEEDS.get(slot.mode)
    if needed is not None and getattr(slot.terms, needed) is None:
        raise PlanRefused(f"mode {slot.mode} needs terms.{needed}")


def _check_loads(slot: PlanSlot, site: Site) -> None:
    powers_w = site.load_powers_w
    for load in slot.loads:
        _check_text("name of a load", load.name, MAX_ID)
        most_w = powers_w.pop(load.name, None)
        if most_w is None:
            raise PlanRefused(f"there is no load {load.name!r}, or it comes twice")
        _check_within(f"{load.name}: power_w", load.power_w, 0.0, most_w)
        if load.temperature_c is not None:
            _check_within(f"{load.name}: temperature_c", load.temperature_c, *ROOM_C, "°C")


def _check_within(name: str, value: float, low: float, high: float, unit: str = "W") -> None:
    if not low <= value <= high:
        raise PlanRefused(f"{name} {value:g} is not within {low:g} to {high:g} {unit}")


def _check_text(name: str, text: str, most: int) -> None:
    wrong = wrong_with(text, most)
    if wrong is not None:
        raise PlanRefused(f"{name} {wrong}")


def _check_utc(name: str, instant: datetime) -> None:
    if instant.utcoffset() != timedelta(0):
        raise PlanRefused(f"{name} is not in UTC")


def age_s(accepted: AcceptedPlan, now_ns: int) -> float:
    """Returns the seconds since the plan was accepted."""
    return (now_ns - accepted.accepted_ns) / NS_PER_S
