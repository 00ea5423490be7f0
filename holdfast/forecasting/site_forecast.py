"""The site's forecast puts load, PV and price together, for the planner."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import numpy.typing as npt

from holdfast.calendars.holiday_days import holidays_of
from holdfast.core.config import Location, PvPlant, Site
from holdfast.core.quarter_hours import QUARTERS_PER_DAY, quarter_of, start_of
from holdfast.forecasting.array_file import Floats
from holdfast.forecasting.channel import CHANNELS, LOAD, PRICE, PV, Channel, Choice, choose
from holdfast.forecasting.forecast import Basis, PowerForecast, PriceForecast
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.forecasting.learned import (
    A_DAY,
    Learned,
    hours_measured,
    latest_of,
    mean_of,
    stand_in,
)
from holdfast.forecasting.learning import Learner
from holdfast.forecasting.lookback import IsHoliday, Lookback, look_back, no_holiday
from holdfast.forecasting.power_paths import EarlierForecasts, PowerPaths, power_paths
from holdfast.forecasting.pv_model import pv_job
from holdfast.forecasting.registry import ModelRegistry
from holdfast.forecasting.scoring import Spread
from holdfast.forecasting.weather import WeatherForecast
from holdfast.forecasting.workshop import Workshop

_LOOK = 36 * QUARTERS_PER_DAY
"""Models read this much before an origin: four weeks, and a week before the first of them."""
_LEARN = 180 * QUARTERS_PER_DAY
"""A forest is trained on this much; older seasons tell less than they cost."""
_SCORE_EVERY = timedelta(days=2)
_CLEAR_AHEAD = 9 * QUARTERS_PER_DAY
_LEAST_PRICES = 7 * QUARTERS_PER_DAY
_CALCULATED = {Basis.WEATHER: Field.PV_MODEL_W, Basis.CLEAR_SKY: Field.PV_CLEAR_W}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteForecast:
    """Tells what a plan rests on."""

    load: PowerForecast
    pv: PowerForecast
    price: PriceForecast | None = None
    """It goes beyond what is published; None if not asked for, if that reaches far enough, or
    nothing is known."""
    temperature_c: tuple[float | None, ...] = ()
    """They are outdoors, of each quarter hour of ``load``; None, or too short, where not known."""
    learned: Learned = A_DAY
    paths: PowerPaths | None = None
    """They are ways in which load and PV may come, as long as ``load``; None if not asked for, or
    too few days are known."""

    def temperature_at(self, utc: datetime) -> float | None:
        """Returns the outdoor temperature in °C in the quarter hour of ``utc``; None if unknown."""
        index = quarter_of(utc) - quarter_of(self.load.start_utc)
        return self.temperature_c[index] if 0 <= index < len(self.temperature_c) else None


class SiteForecaster:
    """Makes the forecasts of one site, from what its history holds.

    Without a registry and a workshop it uses every model but the trained ones.
    """

    def __init__(
        self,
        history: PowerHistory,
        *,
        zone: str = "UTC",
        is_holiday: IsHoliday = no_holiday,
        location: Location | None = None,
        plant: PvPlant | None = None,
        registry: ModelRegistry | None = None,
        workshop: Workshop | None = None,
    ) -> None:
        self._history = history
        self._zone = zone
        self._is_holiday = is_holiday
        self._location, self._plant = location, plant
        self._workshop = workshop
        self._scored_utc: datetime | None = None
        self._choices = {channel.name: Choice(candidate=channel.baseline) for channel in CHANNELS}
        self._earlier = {channel.name: EarlierForecasts(channel) for channel in (LOAD, PV)}
        self._learners: dict[str, Learner] = {}
        if registry is not None:
            self._learners = {
                channel.name: Learner(channel, registry, workshop)
                for channel in CHANNELS
                if channel.forest is not None
            }

    def choice(self, channel: Channel) -> Choice:
        """Returns the model in use for ``channel``."""
        return self._choices[channel.name]

    def forecast(
        self,
        now_utc: datetime,
        horizon_h: float,
        *,
        with_price: bool = False,
        path_days: int = 0,
    ) -> SiteForecast:
        """Forecasts from the quarter hour that ``now_utc`` lies in to the end of the horizon.

        Prices beyond the published ones are forecast only if asked for, and so are the paths of
        ``path_days`` earlier days.

        Raises ValueError if ``now_utc`` is naive.
        """
        quarter = quarter_of(now_utc)
        count = math.ceil(horizon_h * 4) + 1
        loads, suns = (
            self._past(channel, quarter - _LOOK, _LOOK + count) for channel in (LOAD, PV)
        )
        load = self._power(LOAD, loads, quarter, count, now_utc)
        pv = self._power(PV, suns, quarter, count, now_utc)
        return SiteForecast(
            load=load,
            pv=pv,
            price=self._price(quarter, count, now_utc) if with_price else None,
            temperature_c=tuple(
                None if math.isnan(value) else value
                for value in self._history.window(Field.TEMPERATURE_C, quarter, count).tolist()
            ),
            learned=_learned(loads, suns, pv),
            paths=self._paths(load, pv, loads, suns, path_days) if path_days else None,
        )

    def _paths(
        self, load: PowerForecast, pv: PowerForecast, loads: Lookback, suns: Lookback, days: int
    ) -> PowerPaths | None:
        count = len(load.mean_w)
        load_errors, pv_errors = (
            self._earlier[channel.name].errors(
                self._or_calculated(channel, past).candidate, past, _LOOK, count, days
            )
            for channel, past in ((LOAD, loads), (PV, suns))
        )
        return power_paths(np.array(load.mean_w), np.array(pv.mean_w), load_errors, pv_errors)

    def learn(self, now_utc: datetime) -> None:
        """Sees every other day which model is best, and trains one now and then.

        Is quick if nothing is due.
        """
        self.collect_pv()
        for channel in CHANNELS:
            self._collect(channel, now_utc)
        if self._scored_utc is not None and abs(now_utc - self._scored_utc) < _SCORE_EVERY:
            return
        self._scored_utc = now_utc
        self._order_clear_sky(quarter_of(now_utc))
        for channel in CHANNELS:
            self._learn(channel, now_utc)

    def take_weather(self, weather: WeatherForecast) -> None:
        """Uses a new weather forecast: temperatures at once, PV when it is calculated."""
        self._history.put(Field.TEMPERATURE_C, weather.first, weather.temperature_c)
        if self._location is None or self._plant is None or self._workshop is None:
            return
        job = pv_job(
            self._location, self._plant, first=weather.first, count=len(weather), weather=weather
        )
        self.collect_pv()  # there is room for one order of a name
        self._workshop.submit("weather", "pv", job)
        self.collect_pv()

    def collect_pv(self) -> None:
        """Takes in PV power that was calculated meanwhile. Is quick, also if there is none."""
        if self._workshop is None:
            return
        for name, field in (("weather", Field.PV_MODEL_W), ("clear sky", Field.PV_CLEAR_W)):
            answer = self._workshop.collect(name)
            if answer is not None:
                self._history.put(field, int(answer.about["first"]), answer.arrays["power_w"])

    def _power(
        self, channel: Channel, past: Lookback, quarter: int, count: int, utc: datetime
    ) -> PowerForecast:
        choice = self._or_calculated(channel, past)
        mean = choice.candidate.model(past, _LOOK, count)
        known = np.isfinite(mean)
        basis = choice.candidate.basis
        if not known.all():
            base = channel.baseline.model(past, _LOOK, count)
            mean = np.where(known, mean, base)
            basis = _basis(basis, np.isfinite(mean))
            guess = stand_in(channel.field, _until_now(past, channel), count)
            mean = np.where(np.isfinite(mean), mean, guess)
        mean = np.maximum(mean, channel.least)
        quantiles = _quantiles(choice.spread, mean, quarter, channel)
        return PowerForecast(
            start_utc=start_of(quarter),
            mean_w=tuple(mean.tolist()),
            basis=basis,
            made_utc=utc,
            model=choice.candidate.name,
            quantiles_w=quantiles,
            score=choice.score,
        )

    def _or_calculated(self, channel: Channel, past: Lookback) -> Choice:
        """Arrays never measured are calculated; nothing follows weather that has ended."""
        choice = self._choices[channel.name]
        if channel is not PV:
            return choice
        at_hand = [
            candidate
            for candidate in PV.rivals
            if candidate.basis in _CALCULATED
            and np.isfinite(past.values[_CALCULATED[candidate.basis]][_LOOK:]).any()
        ]
        ended = choice.candidate.basis in _CALCULATED and choice.candidate not in at_hand
        if choice.score is not None and not ended:
            return choice
        return Choice(candidate=at_hand[0] if at_hand else PV.baseline)

    def _price(self, quarter: int, count: int, utc: datetime) -> PriceForecast | None:
        begin = quarter - _LOOK
        values = self._history.window(Field.PRICE_PER_KWH, begin, _LOOK + count)
        known = np.flatnonzero(np.isfinite(values))
        if known.size < _LEAST_PRICES:
            return None
        origin = int(known[-1]) + 1
        missing = len(values) - origin
        if missing <= 0:
            return None
        past = self._past(PRICE, begin, len(values))
        choice = self._choices[PRICE.name]
        mean = choice.candidate.model(past, origin, missing)
        mean = np.where(np.isfinite(mean), mean, PRICE.baseline.model(past, origin, missing))
        if not np.isfinite(mean).all():
            return None
        return PriceForecast(
            start_utc=start_of(begin + origin),
            mean_per_kwh=tuple(mean.tolist()),
            quantiles_per_kwh=_quantiles(choice.spread, mean, begin + origin, PRICE),
            made_utc=utc,
            model=choice.candidate.name,
            score=choice.score,
        )

    def _learn(self, channel: Channel, utc: datetime) -> None:
        past, end = self._long_past(channel, utc)
        learner = self._learners.get(channel.name)
        if learner is not None:
            learner.review(past, end)
        forests = [] if learner is None else learner.forests()
        choice = choose(channel, past, end, forests, utc)
        self._choices[channel.name] = choice
        if learner is not None:
            learner.train(past, end, choice, utc)
            self._collect(channel, utc)

    def _collect(self, channel: Channel, utc: datetime) -> None:
        learner = self._learners.get(channel.name)
        challenger = None if learner is None else learner.collect()
        if learner is None or challenger is None:
            return
        past, end = self._long_past(channel, utc)
        if learner.release(challenger, past, end, self._choices[channel.name], utc):
            self._choices[channel.name] = choose(channel, past, end, learner.forests(), utc)

    def _long_past(self, channel: Channel, utc: datetime) -> tuple[Lookback, int]:
        """Returns the past that models learn from, and the index at which it ends."""
        quarter = quarter_of(utc)
        begin, count = quarter - _LEARN, _LEARN
        if channel is PRICE:
            count += 2 * QUARTERS_PER_DAY
        past = self._past(channel, begin, count)
        if channel is not PRICE:
            return past, count
        known = np.flatnonzero(np.isfinite(past.values[channel.field]))
        return past, int(known[-1]) + 1 if known.size else 0

    def _past(self, channel: Channel, first: int, count: int) -> Lookback:
        return look_back(
            self._history,
            self._zone,
            first=first,
            count=count,
            fields=channel.inputs,
            is_holiday=self._is_holiday,
        )

    def _order_clear_sky(self, quarter: int) -> None:
        if self._location is None or self._plant is None or self._workshop is None:
            return
        first, count = quarter - _LOOK, _LOOK + _CLEAR_AHEAD
        job = pv_job(self._location, self._plant, first=first, count=count, weather=None)
        self._workshop.submit("clear sky", "pv", job)
        self.collect_pv()


def _until_now(past: Lookback, channel: Channel) -> Floats:
    """Returns what was measured, the present quarter hour included."""
    return past.values[channel.field][: _LOOK + 1]


def _learned(loads: Lookback, suns: Lookback, pv: PowerForecast) -> Learned:
    return Learned(
        load_hours=hours_measured(loads.first, loads.values[Field.LOAD_W][:_LOOK]),
        load_w=mean_of(_until_now(loads, LOAD)),
        pv_known=pv.basis not in (Basis.PARTIAL, Basis.FALLBACK),
        pv_w=latest_of(_until_now(suns, PV)),
    )


def _basis(wanted: Basis, known: npt.NDArray[np.bool_]) -> Basis:
    if not known.any():
        return Basis.FALLBACK
    return wanted if known.all() else Basis.PARTIAL


def _quantiles(
    spread: Spread | None, mean: Floats, first: int, channel: Channel
) -> dict[float, tuple[float, ...]]:
    if spread is None:
        return {}
    found = spread.quantiles(mean, first, channel.least)
    return {level: tuple(values.tolist()) for level, values in found.items()}


def site_forecaster(
    site: Site,
    history: PowerHistory,
    registry: ModelRegistry | None = None,
    workshop: Workshop | None = None,
) -> SiteForecaster:
    """Returns ``site``'s forecaster; without a workshop it trains and calculates nothing new."""
    return SiteForecaster(
        history,
        zone=site.timezone,
        is_holiday=cache(holidays_of(site.schedule)),
        location=site.location,
        plant=site.pv,
        registry=registry,
        workshop=workshop,
    )
