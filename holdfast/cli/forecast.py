"""``holdfast forecast`` tells what is expected, on what grounds, and how far to trust it."""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from holdfast.cli.arguments import add_config, add_hours, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.quarter_hours import QUARTER
from holdfast.forecasting.channel import PV
from holdfast.forecasting.forecast import Basis, PowerForecast, PriceForecast, Score
from holdfast.forecasting.learned import Learned
from holdfast.forecasting.weather_collector import WeatherState
from holdfast.forecasting.workshop import missing_library
from holdfast.runtime.measured import forecaster_of
from holdfast.runtime.weather_watch import read_weather
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Show the forecast of load and PV, and of prices beyond what is published, made now from what
the planner has measured. Each has a range that 8 of 10 quarter hours fall into, what it
rests on, and how it did on the last weeks against the simplest forecast: as yesterday.
"""
_BASIS = {
    Basis.HISTORY: "from what was measured on earlier days",
    Basis.WEATHER: "from the weather forecast, corrected by what was measured",
    Basis.CLEAR_SKY: "from the sun's path, corrected by what was measured; no weather is known",
    Basis.PARTIAL: "partly from earlier days; some times of day were never measured",
    Basis.FALLBACK: "none of these times was measured yet: a guess, not a forecast",
}
_BY_WEATHER = {rival.name for rival in PV.rivals if rival.basis is Basis.WEATHER}
_LOW, _HIGH = 0.1, 0.9
_PER_ROW = 4
"""Counts the quarter hours of a row."""
_HOURS = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_json(parser)
    add_hours(parser, _HOURS)
    parser.add_argument(
        "--at",
        type=datetime.fromisoformat,
        metavar="TIME",
        help="as if it were this time, such as 2026-04-10T08:00+02:00 (default: now)",
    )


def execute(options: argparse.Namespace) -> int:
    """Prints the forecast."""
    site = load_site(options.config)
    files = SiteFiles.of(site)
    at = options.at or datetime.now(UTC)
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(site.timezone))
    if not 1971 <= at.year <= 9000:
        raise ConfigError(f"--at {at}: is no time of a site")
    forecaster = forecaster_of(site, files)
    utc = at.astimezone(UTC)
    forecaster.learn(utc)
    found = forecaster.forecast(utc, site.planner.horizon_h, with_price=True)
    weather = read_weather(site, files)
    if options.json:
        told = None if weather is None else _weather(weather, utc, found.pv)
        print_json(
            {
                "load": found.load,
                "pv": found.pv,
                "price": found.price,
                "temperature_c": found.temperature_c,
                "learned": _learned(found.learned),
                "weather": told,
            }
        )
        return 0
    if found.learned.note:
        print(found.learned.note)
    made = at.astimezone(ZoneInfo(site.timezone))
    print(f"expected on average per hour, made {made:%d.%m. %H:%M}")
    print_columns(_table(site, found.load, found.pv, options.hours))
    for name, power in (("load", found.load), ("PV", found.pv)):
        print(f"{name}: {power.model}, {_BASIS[power.basis]}; {in_words(power.score, 'W')}")
    if weather is not None:
        print(f"weather: {weather_in_words(weather, utc)}")
    if found.price is not None:
        print("expected purchase price, not published yet")
        rows = _price_table(site, found.price, utc + timedelta(hours=options.hours))
        print_columns(rows)
        unit = f"{site.currency}/kWh"
        print(f"price: {found.price.model}; {in_words(found.price.score, unit)}")
        print("These are no prices: plans count on published ones only.")
    for kind in ("forest", "pv") if site.pv is not None else ("forest",):
        missing = missing_library(kind)
        if missing is not None:
            print(missing)
    return 0


def _learned(learned: Learned) -> dict[str, object]:
    return asdict(learned) | {"a_day": learned.a_day, "note": learned.note}


def _weather(weather: WeatherState, utc: datetime, pv: PowerForecast) -> dict[str, object]:
    age = weather.age(utc)
    return {
        "used": pv.model in _BY_WEATHER,
        "fetched_utc": None if weather.fetched is None else weather.fetched.utc,
        "age_s": None if age is None else age.total_seconds(),
        "is_stale": weather.is_stale(utc),
    }


def weather_in_words(weather: WeatherState, utc: datetime) -> str:
    """Tells how old what the planner last fetched is."""
    age = weather.age(utc)
    if age is None:
        return "none was fetched yet; the planner does so while it runs"
    stale = ", which is stale: there should be newer" if weather.is_stale(utc) else ""
    return f"the last forecast is {age / timedelta(hours=1):.1f} h old{stale}"


def in_words(score: Score | None, unit: str) -> str:
    """Tells what a score says."""
    if score is None:
        return "no score yet: that takes about two weeks of measurements"
    text = f"off by {score.mae:.3g} {unit} on average over the last {score.days:.0f} days"
    skill = score.skill
    if skill is None:
        return text
    word = "less" if skill >= 0 else "more"
    return f"{text}, {abs(skill):.0%} {word} than by assuming the day before"


def _table(
    site: Site, load: PowerForecast, pv: PowerForecast, hours: int
) -> Iterator[tuple[str, ...]]:
    zone = ZoneInfo(site.timezone)
    yield "from", "load", "8 of 10", "PV", "8 of 10"
    for begin in range(0, min(len(load.mean_w), hours * _PER_ROW), _PER_ROW):
        start = (load.start_utc + begin * QUARTER).astimezone(zone)
        cells = [f"{start:%a %H:%M}"]
        for power in (load, pv):
            cells.append(f"{_mean(power.mean_w, begin):.0f} W")
            cells.append(_range(power.quantiles_w, begin, 0, "W"))
        yield tuple(cells)


def _price_table(
    site: Site, price: PriceForecast, until_utc: datetime
) -> Iterator[tuple[str, ...]]:
    zone = ZoneInfo(site.timezone)
    yield "from", "price", "8 of 10"
    for begin in range(0, len(price.mean_per_kwh), _PER_ROW):
        start = price.start_utc + begin * QUARTER
        if start >= until_utc:
            break
        yield (
            f"{start.astimezone(zone):%a %H:%M}",
            f"{_mean(price.mean_per_kwh, begin):.3f}",
            _range(price.quantiles_per_kwh, begin, 3, site.currency),
        )


def _mean(values: tuple[float, ...], begin: int) -> float:
    part = values[begin : begin + _PER_ROW]
    return sum(part) / len(part)


def _range(quantiles: Mapping[float, tuple[float, ...]], begin: int, digits: int, unit: str) -> str:
    if not quantiles:
        return "unknown"
    low, high = (_mean(quantiles[level], begin) for level in (_LOW, _HIGH))
    return f"{low:.{digits}f} to {high:.{digits}f} {unit}"
