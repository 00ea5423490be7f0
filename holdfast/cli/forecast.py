"""``holdfast forecast``: what is expected, on what grounds, and how far to trust it."""

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from holdfast.cli.arguments import add_config, add_json, print_json
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError
from holdfast.core.site_file import load_site
from holdfast.forecasting.channel import PV
from holdfast.forecasting.forecast import Basis, PowerForecast, PriceForecast, Score
from holdfast.forecasting.history import QUARTER, QUARTERS_PER_DAY
from holdfast.forecasting.weather_desk import WeatherState
from holdfast.forecasting.workshop import missing_library
from holdfast.runtime.files import SiteFiles
from holdfast.runtime.planner import load_history, model_registry
from holdfast.runtime.weather_watch import read_weather
from holdfast.scheduling.planning_desk import site_forecaster

NAME = "forecast"
HELP = "show what load, PV and later prices are expected, and how good such forecasts were"
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
    Basis.FALLBACK: "nothing was measured yet: a guess, not a forecast",
}
_BY_WEATHER = {rival.name for rival in PV.rivals if rival.basis is Basis.WEATHER}
_LOW, _HIGH = 0.1, 0.9
_PER_ROW = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of this command."""
    add_config(parser)
    add_json(parser)
    parser.add_argument(
        "--at", type=datetime.fromisoformat, metavar="TIME",
        help="as if it were this time, such as 2026-04-10T08:00+02:00 (default: now)",
    )  # fmt: skip


def execute(options: argparse.Namespace) -> int:
    """Print the forecast."""
    site = load_site(options.config)
    files = SiteFiles(state_dir=site.state_dir)
    at = options.at or datetime.now(UTC)
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(site.timezone))
    if not 1971 <= at.year <= 9000:
        raise ConfigError(f"--at {at}: is no time of a site")
    forecaster = site_forecaster(site, load_history(files), model_registry(files))
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
                "weather": told,
            }
        )
        return 0
    console = Console()
    console.print(_table(site, at, found.load, found.pv))
    for name, power in (("load", found.load), ("PV", found.pv)):
        print(f"{name}: {power.model}, {_BASIS[power.basis]}; {in_words(power.score, 'W')}")
    if weather is not None:
        print(f"weather: {weather_in_words(weather, utc)}")
    if found.price is not None:
        console.print(_price_table(site, found.price))
        unit = f"{site.currency}/kWh"
        print(f"price: {found.price.model}; {in_words(found.price.score, unit)}")
        print("These are no prices: plans count on published ones only.")
    for kind in ("forest", "pv") if site.pv is not None else ("forest",):
        missing = missing_library(kind)
        if missing is not None:
            print(missing)
    return 0


def _weather(weather: WeatherState, utc: datetime, pv: PowerForecast) -> dict[str, object]:
    age = weather.age(utc)
    return {
        "used": pv.model in _BY_WEATHER,
        "fetched_utc": None if weather.fetched is None else weather.fetched.utc,
        "age_s": None if age is None else age.total_seconds(),
        "is_stale": weather.is_stale(utc),
    }


def weather_in_words(weather: WeatherState, utc: datetime) -> str:
    """How old what the planner last fetched is."""
    age = weather.age(utc)
    if age is None:
        return "none was fetched yet; the planner does so while it runs"
    stale = ", which is stale: there should be newer" if weather.is_stale(utc) else ""
    return f"the last forecast is {age / timedelta(hours=1):.1f} h old{stale}"


def in_words(score: Score | None, unit: str) -> str:
    """What a score says."""
    if score is None:
        return "no score yet: that takes about two weeks of measurements"
    text = f"off by {score.mae:.3g} {unit} on average over the last {score.days:.0f} days"
    skill = score.skill
    if skill is None:
        return text
    word = "less" if skill >= 0 else "more"
    return f"{text}, {abs(skill):.0%} {word} than by assuming the day before"


def _table(site: Site, at: datetime, load: PowerForecast, pv: PowerForecast) -> Table:
    zone = ZoneInfo(site.timezone)
    title = f"expected on average per hour, made {at.astimezone(zone):%d.%m. %H:%M}"
    table = Table("from", "load", "8 of 10", "PV", "8 of 10", title=title)
    for begin in range(0, min(len(load.mean_w), 2 * QUARTERS_PER_DAY), _PER_ROW):
        start = (load.start_utc + begin * QUARTER).astimezone(zone)
        cells = [f"{start:%a %H:%M}"]
        for power in (load, pv):
            cells.append(f"{_mean(power.mean_w, begin):.0f} W")
            cells.append(_range(power.quantiles_w, begin, 0, "W"))
        table.add_row(*cells)
    return table


def _price_table(site: Site, price: PriceForecast) -> Table:
    zone = ZoneInfo(site.timezone)
    table = Table("from", "price", "8 of 10", title="expected purchase price, not published yet")
    for begin in range(0, len(price.mean_per_kwh), _PER_ROW):
        start = (price.start_utc + begin * QUARTER).astimezone(zone)
        table.add_row(
            f"{start:%a %H:%M}",
            f"{_mean(price.mean_per_kwh, begin):.3f}",
            _range(price.quantiles_per_kwh, begin, 3, site.currency),
        )
    return table


def _mean(values: tuple[float, ...], begin: int) -> float:
    part = values[begin : begin + _PER_ROW]
    return sum(part) / len(part)


def _range(quantiles: Mapping[float, tuple[float, ...]], begin: int, digits: int, unit: str) -> str:
    if not quantiles:
        return "unknown"
    low, high = (_mean(quantiles[level], begin) for level in (_LOW, _HIGH))
    return f"{low:.{digits}f} to {high:.{digits}f} {unit}"
