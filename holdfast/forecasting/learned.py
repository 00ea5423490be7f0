"""This module tells what was learned of a site's day, and what stands in for hours never measured.

Nothing stored is sold before a day is known: what the house will need of it is a guess until then.
"""

from dataclasses import dataclass

import numpy as np

from holdfast.core.quarter_hours import QUARTERS_PER_DAY
from holdfast.forecasting.array_file import Floats
from holdfast.forecasting.history import Field

DAY_H = 24
_QUARTERS_PER_H = QUARTERS_PER_DAY // DAY_H
_FADES = 3.0 * _QUARTERS_PER_H
"""In so many quarter hours the sun of now falls to 1/e."""
_LEAST_W = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """Tells how much of a day a forecast rests on."""

    load_hours: int
    """So many of the day's 24 hours had their load measured in the last weeks."""
    load_w: float | None = None
    """It stands in for the others; None if no load was ever measured."""
    pv_known: bool = True
    """It is false if for some hours ahead there is neither a measurement nor a calculation."""
    pv_w: float | None = None
    """It is measured now, and taken to fade in those hours; None if it is not measured."""

    @property
    def a_day(self) -> bool:
        """Says whether each hour of the day was measured."""
        return self.load_hours >= DAY_H

    @property
    def note(self) -> str:
        """Returns words for the owner; empty once a day is known."""
        if self.a_day:
            return ""
        clauses = [self._of_load()]
        if not self.pv_known:
            clauses.append(self._of_pv())
        clauses.append("nothing stored is sold before a day is known")
        return "; ".join(clauses)

    def _of_load(self) -> str:
        if self.load_w is None:
            return "nothing learned yet, and no load is measured: 0 W is no forecast"
        if self.load_hours == 0:
            return (
                f"nothing learned yet: the load measured now, {self.load_w:.0f} W, "
                "is taken for all hours"
            )
        return (
            f"learned so far: the load of {self.load_hours} of the day's {DAY_H} hours; "
            f"their mean, {self.load_w:.0f} W, is taken for the others"
        )

    def _of_pv(self) -> str:
        if self.pv_w is None or self.pv_w < _LEAST_W:
            return "later sun is not known, and none is counted on"
        return f"later sun is not known: the {self.pv_w:.0f} W of now are taken to fade"


A_DAY = Learned(load_hours=DAY_H)
"""It stands behind a forecast that was given."""


def hours_measured(first: int, values: Floats) -> int:
    """Counts those of a day's 24 hours that have a value among ``values``.

    These are quarter hours from ``first`` on.
    """
    quarters = first + np.flatnonzero(np.isfinite(values))
    # Not unique(), which loads numpy's masked arrays: half as long as all the rest of numpy.
    return int(np.count_nonzero(np.bincount(quarters % QUARTERS_PER_DAY // _QUARTERS_PER_H)))


def mean_of(values: Floats) -> float | None:
    """Returns the mean of what was measured; None if nothing was."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def latest_of(values: Floats) -> float | None:
    """Returns the last value, or the one before it; None if neither was measured."""
    known = values[-2:][np.isfinite(values[-2:])]
    return float(known[-1]) if known.size else None


def stand_in(field: Field, values: Floats, count: int) -> Floats:
    """Returns what is taken for ``count`` quarter hours of which nothing is known, in W.

    ``values`` end with the present quarter hour, as far as it was measured. Load is the mean of all
    of them. PV is what it gives now, fading; no sun that was never seen.
    """
    if field is Field.LOAD_W:
        return np.full(count, mean_of(values) or 0.0)
    return (latest_of(values) or 0.0) * np.exp(-np.arange(count) / _FADES)
