"""The minute book gathers what each second tells, until a minute is whole and can be written."""

import math
from dataclasses import dataclass

import numpy as np

from holdfast.core.units import s_from_ns
from holdfast.monitoring.history.energies import LONGEST_S, TOTALS, PricesNow, Sum, Sums, counted
from holdfast.monitoring.history.levels import HOUR_S, MINUTE_S
from holdfast.monitoring.history.series import values_of
from holdfast.monitoring.history.site_power import SitePower
from holdfast.monitoring.history.spells import Spell, SpellBook, spells_of
from holdfast.monitoring.history.value_codec import Floats
from holdfast.monitoring.status.schema import Status

_EARLIEST_S = 1_577_836_800
"""A computer that does not know the time says 1970; nothing is kept of before 2020."""
_SILENT_S = 10
"""What held has ended where nothing was told for so long."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Minute:
    """Holds what came of one minute."""

    start_s: int
    units: dict[str, str]
    """Holds the unit of each series, by key, in the order of the rows of ``values``."""
    values: Floats
    """Holds a value each second; NaN where there was none."""
    samples: int
    quarter: Sums
    """This is to be added to its quarter hour."""
    total: Sums
    """This is to be added to what was counted through all time."""
    spells: tuple[Spell, ...]


class MinuteBook:
    """Takes in a status a second. Time may stand still, jump or go backwards."""

    def __init__(self, units: tuple[str, ...]) -> None:
        """``units`` names the site's storage units."""
        self._storage = units
        self.spells = SpellBook()
        self._before_ns: int | None = None
        self._latest_s = 0
        """Tells up to when it is counted: a clock set back a little counts nothing twice."""
        self._last_s = self._samples = 0
        self._begin(0)

    def take(self, status: Status, prices: PricesNow) -> Minute | None:
        """Takes in ``status``; returns the minute before, if a new one has begun."""
        now_s = int(status.utc.timestamp())
        if now_s < _EARLIEST_S:
            return None
        ended = self._turn_to(now_s)
        self._last_s, self._samples = now_s, self._samples + 1
        power = SitePower.of(status, self._storage)
        for found in values_of(status, power):
            if found.key not in self._units:
                self._units[found.key] = found.unit
                self._values[found.key] = [math.nan] * MINUTE_S
            self._values[found.key][now_s - self._start_s] = found.value
        self._count(status, power, prices, now_s)
        self.spells.take(spells_of(status, now_s), now_s)
        return ended

    def idle(self, now_s: int) -> Minute | None:
        """Nothing was told; returns the minute before, if it is over. ``now_s`` is in s since
        1970."""
        is_over = self._start_s != _minute(now_s)
        if is_over or not 0 <= now_s - self._last_s < _SILENT_S:
            self.spells.take((), self._last_s)
        return self._turn_to(now_s) if is_over else None

    def close(self) -> Minute | None:
        """Returns the minute under way, if anything is in it."""
        return self._turn_to(0)

    def _turn_to(self, now_s: int) -> Minute | None:
        start_s = _minute(now_s)
        if start_s == self._start_s:
            return None
        ended = self._ended() if self._samples else None
        self._begin(start_s)
        return ended

    def _begin(self, start_s: int) -> None:
        self._start_s, self._samples = start_s, 0
        self._units: dict[str, str] = {}
        self._values: dict[str, list[float]] = {}
        self._quarter: dict[Sum, float] = {}
        self._total: dict[Sum, float] = {}

    def _ended(self) -> Minute:
        return Minute(
            start_s=self._start_s,
            units=self._units,
            values=np.array(list(self._values.values())),
            samples=self._samples,
            quarter=self._quarter,
            total=self._total,
            spells=self.spells.changes(),
        )

    def _count(self, status: Status, power: SitePower, prices: PricesNow, now_s: int) -> None:
        before_ns, self._before_ns = self._before_ns, status.monotonic_ns
        if self._latest_s - now_s > HOUR_S:  # the clock was wrong, and is right now
            self._latest_s = 0
        is_new, self._latest_s = now_s >= self._latest_s, max(now_s, self._latest_s)
        seconds = 0.0 if before_ns is None else s_from_ns(status.monotonic_ns - before_ns)
        if not 0.0 < seconds <= LONGEST_S:
            return
        for name, amount in counted(power, prices, seconds):
            if is_new:
                self._quarter[name] = self._quarter.get(name, 0.0) + amount
            if name in TOTALS:
                self._total[name] = self._total.get(name, 0.0) + amount


def _minute(at_s: int) -> int:
    return at_s - at_s % MINUTE_S
