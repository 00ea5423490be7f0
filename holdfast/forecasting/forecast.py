"""What a forecast is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np

from holdfast.forecasting.history import QUARTER, QUARTER_S
from holdfast.forecasting.packed import Floats

QUANTILES = (0.1, 0.5, 0.9)


class Basis(StrEnum):
    """What a forecast rests on."""

    HISTORY = "history"
    """Every slot was measured at the same time on an earlier day."""
    WEATHER = "weather"
    """On a weather forecast, at least in part."""
    CLEAR_SKY = "clear_sky"
    """On the sun's path over the configured arrays."""
    PARTIAL = "partial"
    """Some slots were measured before; the others follow the fallback."""
    FALLBACK = "fallback"
    """None was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How a model did on the last weeks, as it would have been used then."""

    mae: float
    """Mean absolute error, in the unit of the forecast."""
    persistence_mae: float
    """The same of "as yesterday"."""
    pinball: float
    """Mean pinball loss of the quantiles."""
    days: float
    """Length of the time it was measured on."""

    @property
    def skill(self) -> float | None:
        """1 - MAE / MAE of persistence; None if persistence made no error."""
        return 1.0 - self.mae / self.persistence_mae if self.persistence_mae > 0.0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerForecast:
    """Mean power of each coming quarter hour."""

    start_utc: datetime
    """Start of the first quarter hour."""
    mean_w: tuple[float, ...]
    """>= 0, one per quarter hour."""
    basis: Basis
    made_utc: datetime | None = None
    """None: it was given, and made by nobody."""
    model: str = "given"
    """Name of the model it comes from."""
    quantiles_w: Mapping[float, tuple[float, ...]] = field(default_factory=dict)
    """By level, such as 0.9; empty as long as no errors are known."""
    score: Score | None = None

    @property
    def end_utc(self) -> datetime:
        """End of the last quarter hour."""
        return self.start_utc + len(self.mean_w) * QUARTER

    @property
    def skill(self) -> float | None:
        """Share of the error of persistence that the model avoids; None: not known yet."""
        return None if self.score is None else self.score.skill

    def at(self, utc: datetime) -> float | None:
        """Mean power in the quarter hour that ``utc`` lies in; None outside the forecast."""
        return self._at(self.mean_w, utc)

    def quantile_at(self, level: float, utc: datetime) -> float | None:
        """Power not exceeded with probability ``level``; None where it is not known."""
        values = self.quantiles_w.get(level)
        return None if values is None else self._at(values, utc)

    def levels(self, level: float, start_utc: datetime, count: int) -> Floats | None:
        """What to plan with for ``count`` quarter hours from the one that ``start_utc`` lies in:
        the mean at level 0.5, towards 0.1 and 0.9 those quantiles.

        Between them in a straight line; the mean as long as there are no quantiles. None if the
        forecast does not reach there.
        """
        first = int((start_utc - self.start_utc).total_seconds() // QUARTER_S)
        if first < 0 or first + count > len(self.mean_w):
            return None
        mean_w = np.array(self.mean_w[first : first + count], dtype=np.float64)
        edge = self.quantiles_w.get(QUANTILES[0] if level < 0.5 else QUANTILES[-1])
        if edge is None:
            return mean_w
        share = min(abs(level - 0.5) / (QUANTILES[-1] - 0.5), 1.0)
        edge_w = np.array(edge[first : first + count])
        return np.asarray(mean_w + share * (edge_w - mean_w))

    def _at(self, values: tuple[float, ...], utc: datetime) -> float | None:
        index = int((utc - self.start_utc).total_seconds() // QUARTER_S)
        return values[index] if 0 <= index < len(values) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceForecast:
    """Prices beyond what is published: a forecast, and of a type that no price has."""

    start_utc: datetime
    """End of what is published."""
    mean_per_kwh: tuple[float, ...]
    """Of purchase, one per quarter hour; may be negative."""
    quantiles_per_kwh: Mapping[float, tuple[float, ...]]
    made_utc: datetime
    model: str
    score: Score | None
