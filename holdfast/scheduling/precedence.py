"""What is asked of the batteries is laid over the plan, the strongest first.

It goes over a plan of any rung of the ladder, and stands on its own where there is none. At each
moment the strongest asker that asks for a mode has his; what weaker ones ask to be kept beside it
holds too, unless it contradicts him:

====================  =========================================================================
asked beside a mode   contradicts what a stronger one asks for
====================  =========================================================================
reserve               to discharge, or a state of charge below it
ceiling of the SOC    to charge with a power, to become full, or a state of charge above it
target, grid or SOC   any mode: a target belongs to the mode that it was asked for with
limits at the meter   never: they narrow whoever asks
====================  =========================================================================

To rest leaves room for none of the first three.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.core.asked_slot import NO_TERMS, PRECEDENCE, AskedBy, AskedSlot, SlotTerms, combined
from holdfast.core.config import Site
from holdfast.core.plan import Plan, PlanSlot, PlanStatus
from holdfast.core.slot_mode import SlotMode
from holdfast.core.texts import MAX_REASON, shown
from holdfast.scheduling.plan_problem import kept_soc_pct
from holdfast.scheduling.plan_question import PLAN_LIFETIME
from holdfast.scheduling.reasons import clock_text

_NO_PRICE_PER_KWH = 0.0
"""A slot has to have a price; where none is known no plan rests on this one."""
_FILLER = "no plan reaches here: grid at 0 W"
_CHARGES = frozenset({SlotMode.CHARGE_ONLY, SlotMode.FULL_CHARGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlaid:
    """Holds a plan, and what of it was asked for."""

    plan: Plan
    asked: tuple[tuple[AskedSlot, ...], ...]
    """It is what was asked for each slot of the plan, the strongest first; empty: it is planned."""

    @property
    def leaders(self) -> tuple[AskedSlot | None, ...]:
        """Returns what each slot has its mode from; None: it was planned."""
        return tuple(leader_of(asked) for asked in self.asked)

    @property
    def manual(self) -> tuple[str | None, ...]:
        """Returns the id of the manual slot that each slot of the plan comes from, or None."""
        return tuple(None if asked is None else asked.id or None for asked in self.leaders)

    @property
    def first_asked(self) -> int:
        """Returns the number of the first slot of which anything was asked; that of all if none."""
        found = (index for index, asked in enumerate(self.asked) if asked)
        return next(found, len(self.asked))


def is_alive(plan: Plan | None, now_utc: datetime) -> bool:
    """Says whether ``plan`` still tells what to do."""
    return plan is not None and min(plan.expires, plan.slots[-1].end) > now_utc


def comes_up(slot: AskedSlot, now_utc: datetime) -> bool:
    """Says whether a plan made now must know of ``slot``, whatever else there is to plan."""
    return slot.start < now_utc + PLAN_LIFETIME and slot.end > now_utc


def lay_over(
    plan: Plan | None, asked: Sequence[AskedSlot], *, site: Site, now_utc: datetime
) -> Overlaid:
    """Returns ``plan`` with ``asked`` in the place of what they overlap.

    Of equally strong askers the first one counts. A slot that begins after the plan's end waits
    for a later plan, unless that is within the life of this one. Without a plan, or with one that
    is over, the batteries follow load and PV beside what is asked for. From the first slot that was
    asked for on, what was expected does not hold any more and is left out.
    """
    base = plan if plan is not None and is_alive(plan, now_utc) else _without_plan(now_utc)
    end = base.slots[-1].end
    laid = strongest_first(
        slot
        for slot in asked
        if slot.end > now_utc and (slot.start < end or comes_up(slot, now_utc))
    )
    if not laid:
        return Overlaid(plan=base, asked=((),) * len(base.slots))
    until = max(end, *(slot.end for slot in laid))
    zone = ZoneInfo(site.timezone)
    slots: list[PlanSlot] = []
    found: list[tuple[AskedSlot, ...]] = []
    for piece in _pieces(_filled(base.slots, now_utc, until), laid):
        if piece.end <= now_utc:
            continue
        covering = tuple(slot for slot in laid if slot.start <= piece.start < slot.end)
        found.append(covering)
        if any(found):
            piece = _without_expectation(piece)
        slots.append(_asked_of(piece, covering, site, zone) if covering else piece)
    expires = base.expires if until == end else min(until, now_utc + PLAN_LIFETIME)
    overlaid = replace(
        base,
        plan_id=f"{base.plan_id[:40]}-m{_digest(laid)}",
        slots=tuple(slots),
        expires=max(expires, base.expires),
    )
    return Overlaid(plan=overlaid, asked=tuple(found))


def strongest_first(asked: Iterable[AskedSlot]) -> list[AskedSlot]:
    """Lists ``asked`` by precedence; among equals as they came."""
    return sorted(asked, key=lambda slot: PRECEDENCE[slot.by])


def leader_of(covering: Sequence[AskedSlot]) -> AskedSlot | None:
    """Returns who has the mode of those that all last, the strongest first; None: the plan has."""
    return next((slot for slot in covering if slot.mode is not None), None)


def terms_of(covering: Sequence[AskedSlot], leader: AskedSlot | None) -> SlotTerms:
    """Returns all that is to be kept, of those that all last, the strongest first."""
    terms = NO_TERMS
    for slot in covering:
        is_weaker = leader is not None and covering.index(slot) > covering.index(leader)
        kept = slot.terms
        if is_weaker and leader is not None:
            kept = _not_against(leader, kept)
        terms = combined(terms, kept)
    if leader is not None and leader.mode is SlotMode.PASSIVE:
        terms = replace(terms, reserve_pct=None, soc_ceiling_pct=None, soc_target_pct=None)
    return terms


def _not_against(leader: AskedSlot, weaker: SlotTerms) -> SlotTerms:
    """Returns what of a weaker asker's terms holds beside what ``leader`` asks for."""
    target_pct = leader.terms.soc_target_pct
    reserve_pct, ceiling_pct = weaker.reserve_pct, weaker.soc_ceiling_pct
    power_w = leader.battery_power_w if leader.mode is SlotMode.POWER else 0.0
    if power_w < 0.0 or leader.terms.reserve_pct is not None:
        reserve_pct = None
    if power_w > 0.0 or leader.mode in _CHARGES or leader.terms.soc_ceiling_pct is not None:
        ceiling_pct = None
    if target_pct is not None:
        reserve_pct = reserve_pct if reserve_pct is None or reserve_pct <= target_pct else None
        ceiling_pct = ceiling_pct if ceiling_pct is None or ceiling_pct >= target_pct else None
    return replace(
        weaker,
        grid_target_w=None,
        soc_target_pct=None,
        reserve_pct=reserve_pct,
        soc_ceiling_pct=ceiling_pct,
        buy_below_pct=None,
        store_below_pct=None,
        serve_above_pct=None,
        sell_above_pct=None,
    )


def _without_plan(now_utc: datetime) -> Plan:
    end = now_utc + PLAN_LIFETIME
    return Plan(
        plan_id=f"none-{now_utc:%Y%m%d%H%M%S}",
        created=now_utc,
        expires=end,
        status=PlanStatus.TIME_OF_USE,
        expected_cost=0.0,
        slots=(_filler(now_utc, end),),
        note="there is no plan: the batteries follow load and PV, beside what is asked for",
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
        by=AskedBy.DEFAULT,
    )


def _filled(slots: tuple[PlanSlot, ...], now_utc: datetime, until: datetime) -> Iterator[PlanSlot]:
    """Yields the slots that are not over, without a gap from now on ``until``."""
    if slots[0].start > now_utc:
        yield _filler(now_utc, slots[0].start)
    yield from (slot for slot in slots if slot.end > now_utc)
    if until > slots[-1].end:
        yield _filler(slots[-1].end, until)


def _pieces(slots: Iterator[PlanSlot], asked: Sequence[AskedSlot]) -> Iterator[PlanSlot]:
    """Yields ``slots``, cut where something that was asked for begins or ends."""
    edges = sorted({edge for slot in asked for edge in (slot.start, slot.end)})
    for slot in slots:
        start = slot.start
        for edge in edges:
            if start < edge < slot.end:
                yield replace(slot, start=start, end=edge)
                start = edge
        yield replace(slot, start=start)


def _asked_of(
    piece: PlanSlot, covering: Sequence[AskedSlot], site: Site, zone: ZoneInfo
) -> PlanSlot:
    """Returns ``piece`` as those ask who cover it."""
    leader = leader_of(covering)
    # The plan asks as well, the weakest: a peak that it counts on is not paid for by a wish.
    planned = piece.terms if leader is None else _not_against(leader, piece.terms)
    terms = combined(_above_reserve(terms_of(covering, leader), site), planned)
    if leader is None or leader.mode is None:
        kept = "; ".join(told(slot, piece.start, zone) for slot in covering)
        return replace(
            piece,
            terms=terms,
            reason=shown(f"{piece.reason}; {kept}", MAX_REASON),
            device_mode=None,
        )
    return replace(
        piece,
        mode=leader.mode,
        battery_power_w=_within(leader.battery_power_w, site),
        reason=shown(told(leader, piece.start, zone), MAX_REASON),
        device_mode=None,
        by=leader.by,
        terms=terms,
    )


def _above_reserve(terms: SlotTerms, site: Site) -> SlotTerms:
    """Returns ``terms`` that ask for no less than the site keeps for an outage."""
    kept_pct = kept_soc_pct(site)

    def raised(pct: float | None) -> float | None:
        return None if pct is None else max(pct, kept_pct)

    return replace(
        terms, soc_target_pct=raised(terms.soc_target_pct), reserve_pct=raised(terms.reserve_pct)
    )


def _within(power_w: float, site: Site) -> float:
    """Returns what the site can do of a power: nobody's wish has the whole plan refused."""
    return max(-site.discharge_power_max_w, min(power_w, site.charge_power_max_w))


_ASKS = {by: by.replace("_", " ") for by in AskedBy} | {AskedBy.OPERATOR: "asked by"}


def told(asked: AskedSlot, here: datetime, zone: ZoneInfo) -> str:
    """Tells who asks until when for what, as seen from ``here``."""
    until = clock_text(asked.end.astimezone(zone), here.astimezone(zone))
    return f"{who_asks(asked)} until {until}: {asked.reason}"


def who_asks(asked: AskedSlot) -> str:
    """Names who asks, such as ``rule frost``."""
    return f"{_ASKS[asked.by]} {asked.who}"


def _without_expectation(piece: PlanSlot) -> PlanSlot:
    """Returns a slot after one that was asked for: other than planned is stored by then."""
    power_w = piece.battery_power_w if piece.mode is SlotMode.POWER else 0.0
    return replace(piece, battery_power_w=power_w, grid_power_w=None, soc_end_pct=None)


def _digest(asked: Sequence[AskedSlot]) -> str:
    """Returns eight digits that depend on what was asked for."""
    return hashlib.sha256("".join(map(repr, asked)).encode()).hexdigest()[:8]
