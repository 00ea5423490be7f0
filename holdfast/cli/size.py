"""``holdfast size`` tells which battery, PV and tariff would pay, from a year of measured data."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from holdfast.backtest.data import require_an_hour
from holdfast.backtest.foreseen import EVERY_QUARTERS, foresee
from holdfast.backtest.quarter_data import QuarterData
from holdfast.backtest.sizing import SizeCase, Sized, Sizing, TariffCase
from holdfast.backtest.world import PUBLISHED_AT_H
from holdfast.cli.arguments import add_json
from holdfast.cli.data_arguments import (
    DATA_HELP,
    Measured,
    add_data_options,
    left_out,
    read_measured,
    site_to_run,
)
from holdfast.cli.json_output import print_json
from holdfast.cli.size_report import SizeReport, write_size_report
from holdfast.core.config import Site
from holdfast.core.config.prices import FileSource, FixedSource, Prices, TimeOfUseSource
from holdfast.core.errors import ConfigError, DataError, PriceDataError
from holdfast.core.quarter_hours import QUARTER
from holdfast.markets.price_file import PriceFiles
from holdfast.markets.site_prices import SiteTariffs
from holdfast.markets.tariff_bill import TariffTerms, terms_of
from holdfast.site.site_file import load_prices

DESCRIPTION = """\
Estimate what a year would have cost with other batteries, PV plants and tariffs: without a battery,
with one on self-consumption, and with one that follows plans; what it saves a year, and in how many
years it pays for itself.

Each option takes several values, with commas between them; every combination is estimated. What is
not given is as in site.yaml (without --config: as in the demonstration), and prices are those of
the data. A tariff is a file with a prices: section as of site.yaml, whose sources are fixed,
time_of_use or file; "data" stands for the prices of the data.
"""
METHOD = (
    "An estimate by the quarter hour, with the planner's own model in place of the cycle. Plans "
    f"are made anew every {EVERY_QUARTERS // 4} h on forecasts from what was measured before; "
    f"prices are known as published, the next day's from {PUBLISHED_AT_H}:00 on. Nothing else is "
    "known in advance. Costs are at the meter, wear is no part of them; flexible loads are left "
    "out, and plans do not know of a charge on the highest quarter hour, though bills have it."
)
_TWO = "Two figures with a slash are those of self-consumption and of plans; cycles are a year's."
PAYBACK = (
    "Payback: the price of the battery over what it saves a year; prices, load and PV stay as they "
    "are, the battery does not age, and money costs no interest."
)
_DATA = "data"
_MOST_CASES = 100
_CAPACITY_KWH, _POWER_KW, _SCALE = (0.1, 10_000.0), (0.1, 10_000.0), (0.0, 100.0)
_YEAR_DAYS, _NEARLY = 365.0, 0.95


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    parser.add_argument("--data", type=Path, required=True, metavar="YEAR.csv", help=DATA_HELP)
    parser.add_argument("--config", type=Path, metavar="FILE", help="the site to begin from")
    parser.add_argument("--battery", metavar="KWH,...", help="capacities, in kWh")
    parser.add_argument("--power", metavar="KW,...", help="powers of the battery's inverter, in kW")
    parser.add_argument(
        "--pv-scale", default="1", metavar="N,...", help="so many times the PV (default: 1)"
    )
    parser.add_argument(
        "--tariff",
        dest="tariffs",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE.yaml",
        help=f"tariffs; {_DATA}: the prices of the data, and what --config has beside them",
    )
    parser.add_argument(
        "--price-per-kwh-battery",
        type=float,
        metavar="PRICE",
        help="what a kWh of battery costs, inverter and work included: tells the payback",
    )
    add_data_options(parser)
    parser.add_argument("--report", type=Path, metavar="OUT.html", help="draw a report here")
    add_json(parser)


def execute(options: argparse.Namespace) -> int:
    """Estimates all combinations, and tells. Raises ConfigError, DataError."""
    price = options.price_per_kwh_battery
    if price is not None and not 0.0 < price < 1e6:
        raise ConfigError(f"--price-per-kwh-battery {price:g}: must be above 0")
    site = site_to_run(options.config)
    missing = left_out(site, loads=True, rooms=True)
    site = site.model_copy(update={"loads": (), "rooms": ()})
    cases = _cases(options, site)
    measured = read_measured(options, site)
    require_an_hour(measured.data)
    data = QuarterData.of(measured.data)
    tariffs = {name: _tariff(name, site, data) for name in options.tariffs or [_DATA]}
    sized = _estimate(site, measured, data, tariffs, cases)
    notes = _notes(measured, missing)
    report = SizeReport(
        site=site.name,
        currency=site.currency,
        days=measured.data.days,
        sized=sized,
        price_per_kwh_battery=price,
        notes=(METHOD, *((PAYBACK,) if price is not None else ()), *notes),
    )
    if options.report is not None:
        write_size_report(options.report, report)
    if options.json:
        print_json(_content(options, measured, report))
    else:
        _print(report)
    return 0


def _estimate(
    site: Site,
    measured: Measured,
    data: QuarterData,
    tariffs: dict[str, TariffCase],
    cases: Sequence[SizeCase],
) -> tuple[Sized, ...]:
    past = QuarterData.of(measured.past) if measured.past.rows else None
    sizing = Sizing(site, list(foresee(site, data, past)))
    sized = []
    for number, case in enumerate(cases, start=1):
        if sys.stderr.isatty():
            print(f"\r{number} of {len(cases)}", end="", file=sys.stderr, flush=True)
        sized.append(sizing.estimate(tariffs[case.tariff], case))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return tuple(sized)


def _cases(options: argparse.Namespace, site: Site) -> list[SizeCase]:
    capacity_kwh = sum(unit.battery.capacity_wh for unit in site.storage) / 1e3
    power_kw = max(site.charge_power_max_w, site.discharge_power_max_w) / 1e3
    capacities = _numbers("--battery", options.battery, *_CAPACITY_KWH) or [capacity_kwh]
    powers = _numbers("--power", options.power, *_POWER_KW) or [power_kw]
    scales = _numbers("--pv-scale", options.pv_scale, *_SCALE)
    names = list(dict.fromkeys(options.tariffs)) or [_DATA]
    cases = [
        SizeCase(battery_kwh=kwh, power_kw=kw, pv_scale=scale, tariff=name)
        for name, scale, kw, kwh in product(names, scales, powers, capacities)
    ]
    if len(cases) > _MOST_CASES:
        raise ConfigError(
            f"{len(cases)} combinations are more than {_MOST_CASES}; give fewer values"
        )
    return cases


def _numbers(option: str, text: str | None, least: float, most: float) -> list[float]:
    """Returns the numbers of a list with commas; none for none. Raises ConfigError."""
    if text is None:
        return []
    found: list[float] = []
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError as error:
            raise ConfigError(
                f"{option} {text}: {part!r} is no number; write such as 5,7.5,10"
            ) from error
        if not least <= value <= most:
            raise ConfigError(f"{option} {text}: from {least:g} to {most:g} can be estimated")
        found.append(value)
    return list(dict.fromkeys(found))


def _tariff(name: str, site: Site, data: QuarterData) -> TariffCase:
    """Returns the house at a tariff. Raises ConfigError, DataError."""
    zone = ZoneInfo(site.timezone)
    if name == _DATA:
        terms = TariffTerms(zone=zone) if site.prices is None else terms_of(site.prices, zone)
        return TariffCase(name=name, data=data, terms=terms)
    prices = load_prices(Path(name))
    _refuse_markets(name, prices)
    tariffs = SiteTariffs(
        site.model_copy(update={"prices": prices}), PriceFiles(site.currency).read
    )
    start, end = data.start_of(0), data.start_of(len(data.load_w) - 1) + QUARTER
    try:
        priced = data.with_prices(tariffs.prices(start, end))
    except (DataError, PriceDataError) as error:
        raise DataError(f"--tariff {name}: {error}") from error
    return TariffCase(name=name, data=priced, terms=terms_of(prices, zone))


def _refuse_markets(name: str, prices: Prices) -> None:
    for tariff in (prices.purchase, prices.feed_in):
        if not isinstance(tariff.source, FixedSource | TimeOfUseSource | FileSource):
            raise ConfigError(
                f"--tariff {name}: {tariff.source.kind} is not asked for the past; save its prices "
                "to a file, and name that with kind: file"
            )


def _notes(measured: Measured, missing: str) -> tuple[str, ...]:
    data = measured.data
    notes = [missing] if missing else []
    if data.missing:
        notes.append(
            f"{data.missing} rows are missing and left out; no plan reaches over such a hole."
        )
    if data.days < _NEARLY * _YEAR_DAYS:
        notes.append(
            f"The data have {data.days:.0f} days; what they cost is taken to a year as if the rest "
            "of it were like them, which a summer or a winter is not."
        )
    return tuple(notes)


def _content(
    options: argparse.Namespace, measured: Measured, report: SizeReport
) -> dict[str, object]:
    data = measured.data
    return {
        "site": report.site,
        "currency": report.currency,
        "data": {
            "file": str(options.data),
            "start": data.start,
            "end": data.end,
            "days": data.days,
            "rows_missing": data.missing,
        },
        "method": METHOD,
        "notes": report.notes[1:],
        "price_per_kwh_battery": report.price_per_kwh_battery,
        "combinations": [
            asdict(sized.case)
            | {
                "cost_without_battery": sized.cost_without_battery,
                "self_consumption": asdict(sized.self_consumption)
                | {"payback_years": report.payback_years(sized, sized.self_consumption)},
                "plans": asdict(sized.plans)
                | {"payback_years": report.payback_years(sized, sized.plans)},
                "plans_failed": sized.plans_failed,
            }
            for sized in report.sized
        ],
    }


def _print(report: SizeReport) -> None:
    console = Console()
    title = f"{report.site}: a year, in {report.currency} (estimate)"
    table = Table(title=title, box=None, padding=(0, 1, 0, 0))
    for head in report.heads():
        table.add_column(head, justify="right", no_wrap=True)
    for row in report.rows():
        table.add_row(*row)
    console.print(table)
    for note in (_TWO, *report.notes):
        console.print(note, highlight=False, markup=False)
