"""The overlay puts what people ask of the batteries in the place of what was planned.

It goes over a plan of any rung of the ladder, and stands on its own where there is none. The
optimizer knows nothing of it: it plans from what is stored now, and again every few minutes.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from holdfast.core.config import Site
from holdfast.core.manual_slot import ManualMode, ManualSlot
from holdfast.core.plan import Plan, PlanSlot, PlanStatus, SlotMode
from holdfast.scheduling.daily_scheduler import PLAN_LIFETIME
from holdfast.scheduling.reasons import clock_text

_NO_PRICE_PER_KWH = 0.0
"""A slot has to have a price; where none is known no plan rests on this one."""
_FILLER = "no plan reaches here: grid at 0 W"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaid:
    """Holds a plan, and which of its slots people asked for."""

    plan: Plan
    manual: tuple[str | None, ...]
    """It is the id of the manual slot that each slot of the plan comes from; None: planned."""

    @property
    def first_manual(self) -> int:
        """Returns the number of the first slot that was asked for; that of all if none was."""
        found = (index for index, slot_id in enumerate(self.manual) if slot_id is not None)
        return next(found, len(self.manual))


def is_alive(plan: Plan | None, now_utc: datetime) -> bool:
    """Says whether ``plan`` still tells what to do."""
    return plan is not None and min(plan.expires, plan.slots[-1].end) > now_utc


def comes_up(slot: ManualSlot, now_utc: datetime) -> bool:
    """Says whether a plan made now must know of ``slot``, whatever else there is to plan."""
    return slot.start < now_utc + PLAN_LIFETIME and slot.end > now_utc


def lay_over(
    plan: Plan | None, manual: Sequence[ManualSlot], *, site: Site, now_utc: datetime
) -> Overlaid:
    """Returns ``plan`` with ``manual`` in the place of what they overlap.

    ``manual`` must not overlap each other. A slot that begins after the plan's end waits for a
    later plan, unless that is within the life of this one. Without a plan, or with one that is
    over, the batteries follow load and PV beside what is asked for. From the first slot that was
    asked for on, what was expected does not hold any more and is left out.
    """
    base = plan if plan is not None and is_alive(plan, now_utc) else _without_plan(now_utc)
    end = base.slots[-1].end
    laid = [
        slot
        for slot in manual
        if slot.end > now_utc and (slot.start < end or comes_up(slot, now_utc))
    ]
    if not laid:
        return Overlaid(plan=base, manual=(None,) * len(base.slots))
    until = max(end, *(slot.end for slot in laid))
    zone = ZoneInfo(site.timezone)
    slots: list[PlanSlot] = []
    ids: list[str | None] = []
    for piece in _pieces(_filled(base.slots, now_utc, until), laid):
        if piece.end <= now_utc:
            continue
        asked = next((slot for slot in laid if slot.start <= piece.start < slot.end), None)
        if asked is not None:
            piece = _asked_slot(piece, asked, zone)
        elif any(ids):
            piece = _without_expectation(piece)
        slots.append(piece)
        ids.append(None if asked is None else asked.id)
    expires = base.expires if until == end else min(until, now_utc + PLAN_LIFETIME)
    overlaid = replace(
        base,
        plan_id=f"{base.plan_id[:40]}-m{_digest(laid)}",
        slots=tuple(slots),
        expires=max(expires, base.expires),
    )
    return Overlaid(plan=overlaid, manual=tuple(ids))


def _without_plan(now_utc: datetime) -> Plan:
    end = now_utc + PLAN_LIFETIME
    return Plan(
        plan_id=f"none-{now_utc:%Y%m%d%H%M%S}",
        created=now_utc,
        expires=end,
        status=PlanStatus.TIME_OF_USE,
        expected_cost=0.0,
        slots=(_filler(now_utc, end),),
        note="there is no plan: the batteries follow load and PV, beside what is asked by hand",
    )


def _filler(start: datetime, end: datetime) -> PlanSlot:
    return PlanSlot(
        start=start,
        end=end,
        mode=SlotMode.SELF_CONSUMPTION,
        battery_power_w=0.0,
        grid_power_w=None,
        soc_end_pct=None,
        import_price_per_kwh=_NO_PRICE_PER_KWH,
        reason=_FILLER,
    )


def _filled(slots: tuple[PlanSlot, ...], now_utc: datetime, until: datetime) -> Iterator[PlanSlot]:
    """Yields the slots that are not over, without a gap from now on ``until``."""
    if slots[0].start > now_utc:
        yield _filler(now_utc, slots[0].start)
    yield from (slot for slot in slots if slot.end > now_utc)
    if until > slots[-1].end:
        yield _filler(slots[-1].end, until)


def _pieces(slots: Iterator[PlanSlot], manual: Sequence[ManualSlot]) -> Iterator[PlanSlot]:
    """Yields ``slots``, cut where something that was asked for begins or ends."""
    edges = sorted({edge for slot in manual for edge in (slot.start, slot.end)})
    for slot in slots:
        start = slot.start
        for edge in edges:
            if start < edge < slot.end:
                yield replace(slot, start=start, end=edge)
                start = edge
        yield replace(slot, start=start)


def _asked_slot(piece: PlanSlot, asked: ManualSlot, zone: ZoneInfo) -> PlanSlot:
    mode, power_w, does = _in_plan(asked)
    until = clock_text(asked.end.astimezone(zone), piece.start.astimezone(zone))
    return replace(
        piece,
        mode=mode,
        battery_power_w=power_w,
        grid_power_w=None,
        soc_end_pct=None,
        reason=f"asked by {asked.by} until {until}: {does}",
        device_mode=None,
    )


def _in_plan(asked: ManualSlot) -> tuple[SlotMode, float, str]:
    """Returns mode and power in W that a plan has for what was asked, and its words."""
    power_w = asked.power_w or 0.0
    match asked.mode:
        case ManualMode.SELF_CONSUMPTION:
            return SlotMode.SELF_CONSUMPTION, 0.0, "follow load and PV"
        case ManualMode.HOLD:
            return SlotMode.HOLD, 0.0, "store surplus, serve no load"
        case ManualMode.CHARGE:
            return SlotMode.POWER, power_w, f"charge with {power_w / 1e3:g} kW"
        case ManualMode.DISCHARGE:
            return SlotMode.POWER, -power_w, f"discharge with {power_w / 1e3:g} kW"
        case ManualMode.REST:
            return SlotMode.POWER, 0.0, "rest"
        case _:
            assert_never(asked.mode)


def _without_expectation(piece: PlanSlot) -> PlanSlot:
    """Returns a slot after one that was asked for: other than planned is stored by then."""
    power_w = piece.battery_power_w if piece.mode is SlotMode.POWER else 0.0
    return replace(piece, battery_power_w=power_w, grid_power_w=None, soc_end_pct=None)


def _digest(manual: Sequence[ManualSlot]) -> str:
    """Returns eight digits that depend on what was asked for."""
    told = "".join(f"{slot.id}{slot.start}{slot.end}" for slot in manual)
    return hashlib.sha256(told.encode()).hexdigest()[:8]
