"""This module tells why a load or a room's heat runs in a slot, in words for the owner."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.core.interval import Interval
from holdfast.core.plan import SHARE_MAX
from holdfast.optimization.site_problem import Room, ShiftableLoad
from holdfast.scheduling.loads.problem import Waiting
from holdfast.scheduling.loads.slots import TOLD_K, FlexiblePlan
from holdfast.scheduling.reasons import clock_text, price_text

_MOST_CLAUSES = 2
_DEARER_PER_KWH = 0.001


class LoadReasons:
    """Finds words for the slots of one plan."""

    def __init__(
        self,
        intervals: list[Interval],
        waiting: Waiting,
        plan: FlexiblePlan,
        *,
        import_price_per_kwh: tuple[float, ...],
        surplus_w: tuple[float, ...],
        timezone: ZoneInfo,
        currency: str,
    ) -> None:
        """Finds words for ``plan``. ``surplus_w`` is PV less the load that cannot wait."""
        self._intervals = intervals
        self._waiting = waiting
        self._plan = plan
        self._prices = import_price_per_kwh
        self._surplus_w = surplus_w
        self._zone = timezone
        self._currency = currency

    def clause(self, slot: int) -> str:
        """Tells what runs in ``slot`` and why; empty if nothing does."""
        clauses = list(self._clauses(slot))
        more = len(clauses) - _MOST_CLAUSES
        told = clauses[:_MOST_CLAUSES] + ([f"{more} more run"] if more > 0 else [])
        return "; ".join(told)

    def _clauses(self, slot: int) -> Iterator[str]:
        for load, window in zip(self._waiting.loads, self._waiting.windows, strict=True):
            if load.first_slot <= slot <= load.last_slot and self._plan.runs(load.name, slot):
                yield f"{load.name} runs: {self._load(load, window, slot)}"
        for room in self._waiting.rooms:
            if self._plan.runs(room.name, slot):
                yield f"{room.name} {self._room(room, slot)}"

    def _load(self, load: ShiftableLoad, window: Interval, slot: int) -> str:
        if load.runs_through:
            return f"{self._price(slot)}, done at {self._done(load, slot)}"
        due = clock_text(window.end.astimezone(self._zone), self._local(slot))
        if 2.0 * self._surplus_w[slot] > load.power_max_w:
            return f"PV surplus, due at {due}"
        power_w = self._plan.power_w[load.name]
        free = [
            self._prices[other]
            for other in range(load.first_slot, load.last_slot + 1)
            if power_w[other] < SHARE_MAX * load.power_max_w
        ]
        cheapest = min(free, default=np.inf) >= self._prices[slot]
        return f"{self._price(slot)}, {'cheapest before' if cheapest else 'due at'} {due}"

    def _done(self, load: ShiftableLoad, slot: int) -> str:
        """Tells when a load that runs through in ``slot`` comes to its end."""
        last = slot
        while last < load.last_slot and self._plan.runs(load.name, last + 1):
            last += 1
        interval = self._intervals[last]
        share = float(self._plan.power_w[load.name][last]) / load.power_max_w
        done = interval.start + round(share, 3) * (interval.end - interval.start)
        return clock_text((done + timedelta(seconds=30)).astimezone(self._zone), self._local(slot))

    def _room(self, room: Room, slot: int) -> str:
        room_c, now = self._plan.room_c[room.name], self._price(slot)
        before_c = room_c[slot - 1] if slot else room.temperature_now_c
        if before_c < room.low_c[slot] - TOLD_K:
            return f"heats: below {room.low_c[slot]:.1f} °C"
        warm = room_c > room.low_c + TOLD_K
        dearest = self._dearest(warm.tolist(), slot)
        if dearest is None:
            return f"heats: {now} now"
        time = clock_text(self._local(dearest), self._local(slot))
        return f"pre-heats: {now} now, {self._price(dearest)} at {time}"

    def _dearest(self, warm: list[bool], slot: int) -> int | None:
        """Returns the dearest slot in which the room lives on what it got in ``slot``.

        Returns None if it is no dearer.
        """
        end = slot
        while warm[end] and end + 1 < len(warm):
            end += 1
        best = max(range(slot, end + 1), key=self._prices.__getitem__)
        return best if self._prices[best] > self._prices[slot] + _DEARER_PER_KWH else None

    def _price(self, slot: int) -> str:
        return price_text(self._prices[slot], self._currency)

    def _local(self, slot: int) -> datetime:
        return self._intervals[slot].start.astimezone(self._zone)
