"""The optimizer plans around what is asked for: who asks has his slots, the rest is planned.

What a forced charge comes to depends on what is stored when it begins, and that on the plan before
it. So the question is answered twice: first without knowing that, then with each slot that was
asked for fixed to what would come of it after the first answer. That can always be done, for it was
followed step by step.

What is asked to be kept beside a mode raises the floor of what is stored, lowers its ceiling, and
narrows the grid connection, slot by slot. Nothing is bought for a floor: it is kept as far as
holding back what is there reaches.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from holdfast.core.asked_slot import NO_TERMS, AskedSlot, SlotTerms
from holdfast.core.errors import PlanFailed
from holdfast.core.interval import Interval
from holdfast.core.slot_mode import SlotMode
from holdfast.optimization.problem import Array, Mask, PlanProblem, PlanSolution
from holdfast.optimization.slot_cost import gained_kwh
from holdfast.scheduling.course import follow
from holdfast.scheduling.precedence import leader_of, strongest_first, terms_of
from holdfast.scheduling.slot_wish import FILL, FOLLOW, KEEP, REST, SlotWish

_HOUR = timedelta(hours=1)
_ROOM_W = 0.5
"""A fixed power may differ by as much: sums are rounded."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Around:
    """Holds a question that knows what is fixed."""

    problem: PlanProblem
    fixed: Mask
    """Is true for each slot of which a part is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Holds a part of a slot in which the same askers ask."""

    slot: int
    share: float
    wish: SlotWish | None
    """If None, the optimizer has it."""
    terms: SlotTerms


def plan_around(
    problem: PlanProblem,
    intervals: Sequence[Interval],
    asked: Sequence[AskedSlot],
    solve: Callable[[PlanProblem], PlanSolution],
) -> Around:
    """Returns ``problem`` with what is ``asked`` as bounds; ``solve`` may raise PlanFailed."""
    pieces = _pieces(intervals, strongest_first(asked))
    free = Around(problem=problem, fixed=np.zeros(problem.slots, bool))
    if all(piece.wish is None and piece.terms == NO_TERMS for piece in pieces):
        return free
    fine = _Fine(_with_caps(problem, pieces), pieces)
    kept_w, kept_wh = fine.followed(KEEP)
    rest_w, rest_wh = fine.followed(REST)
    floor_wh = np.minimum(fine.floor_wh, kept_wh)
    ceiling_wh = np.maximum(np.maximum(fine.ceiling_wh, rest_wh), floor_wh)
    first = replace(
        fine.problem,
        least_w=fine.mean_w(np.minimum(np.minimum(kept_w, rest_w), 0.0), fine.least_w),
        most_w=fine.mean_w(np.maximum(np.maximum(kept_w, rest_w), 0.0), fine.most_w),
        floor_wh=floor_wh,
        ceiling_wh=ceiling_wh,
        reached_wh=(fine.followed(FILL)[1], fine.followed(FOLLOW)[1]),
    )
    try:
        done_w, done_wh = fine.followed(solve(first).battery_w)
    except PlanFailed:  # a floor and a ceiling, say, that cannot both be kept
        done_w, done_wh = kept_w, kept_wh
    whole = replace(
        first,
        least_w=fine.mean_w(done_w - _ROOM_W, fine.least_w),
        most_w=fine.mean_w(done_w + _ROOM_W, fine.most_w),
        floor_wh=np.minimum(floor_wh, done_wh),
        ceiling_wh=np.maximum(ceiling_wh, done_wh),
        reached_wh=(done_wh, done_wh),
    )
    return Around(problem=whole, fixed=fine.fixed)


def _pieces(intervals: Sequence[Interval], asked: Sequence[AskedSlot]) -> list[_Piece]:
    edges = sorted({edge for slot in asked for edge in (slot.start, slot.end)})
    found = []
    for index, whole in enumerate(intervals):
        cuts = [whole.start, *(e for e in edges if whole.start < e < whole.end), whole.end]
        for start, end in itertools.pairwise(cuts):
            covering = [slot for slot in asked if slot.start <= start < slot.end]
            leader = leader_of(covering)
            terms = terms_of(covering, leader)
            wish = None
            if leader is not None and leader.mode is not None:
                wish = SlotWish(
                    mode=leader.mode,
                    power_w=leader.battery_power_w,
                    terms=terms,
                    left_h=(leader.end - start) / _HOUR,
                )
            share = (end - start) / (whole.end - whole.start)
            found.append(_Piece(slot=index, share=share, wish=wish, terms=terms))
    return found


def _with_caps(problem: PlanProblem, pieces: Sequence[_Piece]) -> PlanProblem:
    import_max_w = np.full(problem.slots, problem.import_max_w)
    for piece in pieces:
        if piece.terms.import_max_w is not None:
            import_max_w[piece.slot] = min(import_max_w[piece.slot], piece.terms.import_max_w)
    return replace(problem, import_max_w=import_max_w)


class _Fine:
    """Cuts the slots of a problem where what is asked for begins and ends."""

    def __init__(self, problem: PlanProblem, pieces: Sequence[_Piece]) -> None:
        self.problem, self._pieces = problem, pieces
        self._of = np.array([piece.slot for piece in pieces])
        self._shares = np.array([piece.share for piece in pieces])
        of = self._of
        assert isinstance(problem.import_max_w, np.ndarray)
        self._cut = replace(
            problem,
            dt_h=problem.dt_h[of] * self._shares,
            import_price_per_kwh=problem.import_price_per_kwh[of],
            export_price_per_kwh=problem.export_price_per_kwh[of],
            load_w=problem.load_w[of],
            pv_w=problem.pv_w[of],
            import_max_w=problem.import_max_w[of],
            ageing_factor=None if problem.ageing_factor is None else problem.ageing_factor[of],
        )
        self._is_fixed = np.array([piece.wish is not None for piece in pieces])
        self.fixed: Mask = np.zeros(problem.slots, bool)
        self.fixed[of[self._is_fixed]] = True
        battery, net_w = problem.battery, self._cut.net_load_w
        lowest_w = np.full(len(pieces), -battery.discharge_max_w)
        for index, piece in enumerate(pieces):
            if piece.terms.export_max_w is not None:
                least_w = min(-piece.terms.export_max_w - float(net_w[index]), 0.0)
                lowest_w[index] = max(lowest_w[index], least_w)
        self.least_w = lowest_w
        self.most_w = np.full(len(pieces), battery.charge_max_w)
        capacity_wh = battery.capacity_wh
        self.floor_wh = np.full(problem.slots, battery.soc_min_wh)
        self.ceiling_wh = np.full(problem.slots, battery.soc_max_wh)
        for piece in pieces:
            if piece.terms.reserve_pct is not None:
                wh = min(piece.terms.reserve_pct / 100.0 * capacity_wh, battery.soc_max_wh)
                during = slice(max(piece.slot - 1, 0), piece.slot + 1)  # from its start on
                self.floor_wh[during] = np.maximum(self.floor_wh[during], wh)
            if piece.terms.soc_ceiling_pct is not None:
                wh = max(piece.terms.soc_ceiling_pct / 100.0 * capacity_wh, battery.soc_min_wh)
                self.ceiling_wh[piece.slot] = min(self.ceiling_wh[piece.slot], wh)

    def followed(self, otherwise: SlotWish | Array) -> tuple[Array, Array]:
        """Returns the power of each piece, and what is stored at the end of each slot.

        Where nobody asks ``otherwise`` is done, or the powers that it holds for the slots.
        """
        wishes = [
            piece.wish or replace(_free(otherwise, piece.slot), terms=piece.terms)
            for piece in self._pieces
        ]
        course = follow(self._cut, wishes)
        # A slot has one power: what is charged and discharged within it loses less than both.
        mean_w = self._means_w(course.battery_w)
        gained_wh = 1e3 * gained_kwh(self.problem, mean_w * self.problem.dt_h / 1e3)
        battery = self.problem.battery
        stored_wh = np.clip(battery.soc_now_wh + np.cumsum(gained_wh), 0.0, battery.capacity_wh)
        return course.battery_w, np.asarray(stored_wh)

    def mean_w(self, fixed_w: Array, free_w: Array) -> Array:
        """Returns the mean of each slot: of ``fixed_w`` where somebody asks, else ``free_w``."""
        return self._means_w(np.where(self._is_fixed, fixed_w, free_w))

    def _means_w(self, power_w: Array) -> Array:
        weighted_w = power_w * self._shares
        sums_w = np.bincount(self._of, weights=weighted_w, minlength=self.problem.slots)
        return np.asarray(sums_w, dtype=np.float64)


def _free(otherwise: SlotWish | Array, slot: int) -> SlotWish:
    """Returns what is done in ``slot`` where nobody asks."""
    if isinstance(otherwise, SlotWish):
        return otherwise
    return SlotWish(mode=SlotMode.POWER, power_w=float(otherwise[slot]))
