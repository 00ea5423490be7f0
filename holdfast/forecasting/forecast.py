"""This module defines what a forecast is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np

from holdfast.core.quarter_hours import QUARTER, QUARTER_S
from holdfast.forecasting.array_file import Floats

QUANTILES = (0.1, 0.5, 0.9)


class Basis(StrEnum):
    """Tells what a forecast rests on."""

    HISTORY = "history"
    """Every slot was measured at the same time on an earlier day."""
    WEATHER = "weather"
    """It rests on a weather forecast, at least in part."""
    CLEAR_SKY = "clear_sky"
    """It rests on the sun's path over the configured arrays."""
    PARTIAL = "partial"
    """Some slots were measured before; the others follow the fallback."""
    FALLBACK = "fallback"
    """No slot was measured before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score tells how a model did on the last weeks, as it would have been used then."""

    mae: float
    """This is the mean absolute error, in the unit of the forecast."""
    persistence_mae: float
    """This is the same of "as yesterday"."""
    pinball: float
    """This is the mean pinball loss of the quantiles."""
    days: float
    """It was measured over a time of this length."""

    @property
    def skill(self) -> float | None:
        """Returns 1 - MAE / MAE of persistence; None if persistence made no error."""
        return 1.0 - self.mae / self.persistence_mae if self.persistence_mae > 0.0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerForecast:
    """Holds the mean power of each coming quarter hour."""

    start_utc: datetime
    """The first quarter hour starts here."""
    mean_w: tuple[float, ...]
    """There is one per quarter hour, >= 0."""
    basis: Basis
    made_utc: datetime | None = None
    """It is None if the forecast was given, and made by nobody."""
    model: str = "given"
    """It names the model that the forecast comes from."""
    quantiles_w: Mapping[float, tuple[float, ...]] = field(default_factory=dict)
    """They are keyed by level, such as 0.9; there are none as long as no errors are known."""
    score: Score | None = None

    @property
    def end_utc(self) -> datetime:
        """Returns the end of the last quarter hour."""
        return self.start_utc + len(self.mean_w) * QUARTER

    @property
    def skill(self) -> float | None:
        """Returns the share of persistence's error that the model avoids; None if not known yet."""
        return None if self.score is None else self.score.skill

    def at(self, utc: datetime) -> float | None:
        """Returns the mean power in W in the quarter hour of ``utc``; None outside the forecast."""
        return self._at(self.mean_w, utc)

    def quantile_at(self, level: float, utc: datetime) -> float | None:
        """Returns the power in W not exceeded with probability ``level``; None where not known."""
        values = self.quantiles_w.get(level)
        return None if values is None else self._at(values, utc)

    def levels(self, level: float, start_utc: datetime, count: int) -> Floats | None:
        """Returns what to plan with, in W, for ``count`` quarter hours from that of ``start_utc``.

        This is the mean at level 0.5, and those quantiles towards 0.1 and 0.9. Between them it goes
        in a straight line; it is the mean as long as there are no quantiles. None if the forecast
        does not reach there.
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
    """Prices beyond what is published are a forecast, and of a type that no price has."""

    start_utc: datetime
    """What is published ends here."""
    mean_per_kwh: tuple[float, ...]
    """They are prices of purchase, one per quarter hour; they may be negative."""
    quantiles_per_kwh: Mapping[float, tuple[float, ...]]
    made_utc: datetime
    model: str
    score: Score | None
