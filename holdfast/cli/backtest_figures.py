"""This module draws a backtest report's figures. matplotlib is imported when one is drawn."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.backtest.bill import (
    NO_BATTERY,
    Comparison,
    interval_cost,
    interval_cost_without_battery,
)
from holdfast.backtest.data import SiteData, utc_of
from holdfast.backtest.run import Floats, RunResult
from holdfast.backtest.strategies import Strategy
from holdfast.core.config import Site

_DPI = 110
_WIDE_IN = 10.0
_BY_DAY_UP_TO = 45
"""Up to so many days are shown by day; more are shown by month."""
_WEEK_DAYS = 7
COLOURS = {
    NO_BATTERY: "#9aa7b2",
    Strategy.FIXED_HOURS: "#c9a227",
    Strategy.CHEAP_HOURS: "#d98032",
    Strategy.SELF_CONSUMPTION: "#4c8bbf",
    Strategy.FORECAST: "#1f8a5b",
    Strategy.ONE_FORECAST: "#7fbf9e",
    Strategy.PERFECT: "#7a5ba6",
}
_OTHERS = ("#b5525c", "#5c6f2b", "#2b8f9e", "#a65a9e", "#8a6d4b", "#3d4f8a", "#d0759a")
"""These are of strategies that are compared by name alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Holds a picture with what it shows."""

    title: str
    text: str
    png_base64: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Story:
    """Holds what all figures draw from."""

    site: Site
    data: SiteData
    comparison: Comparison
    results: Mapping[Strategy, RunResult]
    words: Mapping[str, str]
    local: list[datetime]
    """Holds the start of each row in the site's zone."""
    costs: Mapping[str, Floats]
    """Holds costs at the meter, by row."""

    @property
    def chosen(self) -> RunResult:
        """Returns the run that was asked for."""
        return self.results[self.comparison.strategy]


def draw_figures(
    site: Site,
    data: SiteData,
    comparison: Comparison,
    results: Mapping[Strategy, RunResult],
    words: Mapping[str, str],
) -> list[Figure]:
    """Draws all figures, in the order of the page."""
    zone = ZoneInfo(site.timezone)
    costs = {NO_BATTERY: interval_cost_without_battery(data, results[comparison.strategy])} | {
        str(name): interval_cost(data, result.import_wh, result.export_wh)
        for name, result in results.items()
    }
    story = _Story(
        site=site,
        data=data,
        comparison=comparison,
        results=results,
        words=words,
        local=[utc_of(row.start_s).astimezone(zone) for row in data.rows],
        costs=costs,
    )
    return [_totals(story), _periods(story), _savings(story), _week(story), _charge(story)]


def new_figure(height_in: float, rows: int = 1, **options: Any) -> tuple[Any, Any]:
    """Returns a figure as wide as a page, and its axes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        rows, 1, figsize=(_WIDE_IN, height_in), layout="constrained", **options
    )
    for one in np.atleast_1d(axes):
        one.spines[["top", "right"]].set_visible(False)
        one.grid(alpha=0.25)
        one.set_axisbelow(True)
    return figure, axes


def png_base64(figure: Any) -> str:
    """Returns the figure as text for a page, and closes it."""
    from matplotlib import pyplot as plt

    buffer = BytesIO()
    try:
        figure.savefig(buffer, format="png", dpi=_DPI)
    finally:
        plt.close(figure)
    return b64encode(buffer.getvalue()).decode("ascii")


def _colour(name: str) -> str:
    return COLOURS.get(name) or _OTHERS[list(Strategy).index(Strategy(name)) % len(_OTHERS)]


def _totals(story: _Story) -> Figure:
    comparison = story.comparison
    costs = {NO_BATTERY: comparison.cost_without_battery} | {
        str(name): bill.cost for name, bill in comparison.bills.items()
    }
    ordered = sorted(costs.items(), key=lambda item: item[1])
    figure, axes = new_figure(0.5 * len(ordered) + 0.8)
    names = [story.words[name] for name, _ in ordered]
    bars = axes.barh(
        names, [cost for _, cost in ordered], color=[_colour(name) for name, _ in ordered]
    )
    axes.bar_label(bars, fmt="%.2f", padding=4, fontsize=9)
    axes.margins(x=0.1)
    axes.axvline(0, color="black", linewidth=0.6)
    axes.set_xlabel(story.site.currency)
    return Figure(
        title="Cost",
        text="Paid at the meter, less what the battery holds more at the end than at the start.",
        png_base64=png_base64(figure),
    )


def _periods(story: _Story) -> Figure:
    by_day = story.data.days <= _BY_DAY_UP_TO
    keys = [f"{time:%d.%m.}" if by_day else f"{time:%b %Y}" for time in story.local]
    names = list(dict.fromkeys(keys))
    place = {name: index for index, name in enumerate(names)}
    index = np.array([place[key] for key in keys])
    wanted = (NO_BATTERY, Strategy.SELF_CONSUMPTION, story.comparison.strategy)
    shown = [name for name in dict.fromkeys(wanted) if name in story.costs]
    figure, axes = new_figure(3.6)
    width = 0.8 / len(shown)
    for number, name in enumerate(shown):
        sums = np.bincount(index, weights=story.costs[name], minlength=len(names))
        places = np.arange(len(names)) + (number - (len(shown) - 1) / 2) * width
        axes.bar(places, sums, width, color=_colour(name), label=story.words[name])
    axes.set_xticks(range(len(names)), names, rotation=45 if len(names) > 12 else 0, fontsize=9)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.set_ylabel(story.site.currency)
    axes.legend(fontsize=9, frameon=False)
    word = "day" if by_day else "month"
    return Figure(
        title=f"Cost by {word}", text="At the meter; local time.", png_base64=png_base64(figure)
    )


def _savings(story: _Story) -> Figure:
    figure, axes = new_figure(3.2)
    without = story.costs[NO_BATTERY]
    ordered = sorted(story.results, key=lambda name: -float((without - story.costs[name]).sum()))
    for name in ordered:
        saved = np.cumsum(without - story.costs[name])
        axes.plot(story.local, saved, color=_colour(name), label=story.words[name], linewidth=1.6)
    _date_axis(axes, story)
    axes.set_ylabel(story.site.currency)
    axes.legend(fontsize=9, frameon=False)
    return Figure(
        title="Saved so far",
        text="Against no battery, at the meter.",
        png_base64=png_base64(figure),
    )


def _week(story: _Story) -> Figure:
    first, last = _typical_week(story)
    part = slice(first, last)
    times, rows = story.local[part], story.data.rows[part]
    result, hours = story.chosen, story.data.step_s / 3600.0
    grid_kw = (result.import_wh - result.export_wh)[part] / hours / 1000.0
    figure, (price, house, power, charge) = new_figure(8.0, rows=4, sharex=True)
    price.step(
        times,
        [row.import_price_per_kwh for row in rows],
        where="post",
        label="purchase",
        color="#b3261e",
    )
    price.step(
        times,
        [row.export_price_per_kwh for row in rows],
        where="post",
        label="feed-in",
        color="#1f8a5b",
    )
    price.set_ylabel(f"{story.site.currency}/kWh")
    house.fill_between(
        times,
        [row.pv_w / 1000.0 for row in rows],
        step="post",
        alpha=0.5,
        color="#e6b422",
        label="PV",
        linewidth=0,
    )
    house.step(
        times,
        [row.load_w / 1000.0 for row in rows],
        where="post",
        label="load",
        color="#1c2733",
        linewidth=1.0,
    )
    house.set_ylabel("kW")
    power.fill_between(
        times,
        result.battery_w[part] / 1000.0,
        step="post",
        alpha=0.6,
        color="#4c8bbf",
        label="battery, + charging",
        linewidth=0,
    )
    power.step(times, grid_kw, where="post", label="grid, + import", color="#b3261e", linewidth=1.0)
    power.set_ylabel("kW")
    charge.plot(times, result.soc_pct[part], color="#1f8a5b", label="state of charge")
    charge.set_ylim(0, 100)
    charge.set_ylabel("%")
    for axes in (price, house, power, charge):
        axes.axhline(0, color="black", linewidth=0.5)
        axes.legend(loc="lower right", bbox_to_anchor=(1, 0.98), fontsize=8, ncols=2, frameon=False)
    _date_axis(charge, story)
    days = "A typical week" if story.data.days >= _WEEK_DAYS else "All of it"
    return Figure(
        title=days,
        text="The week whose saving is the median of all weeks. Local time.",
        png_base64=png_base64(figure),
    )


def _typical_week(story: _Story) -> tuple[int, int]:
    """Returns first and one past the last row of the week with the median saving, or all rows."""
    per_week = _WEEK_DAYS * 86_400 // story.data.step_s
    saved = story.costs[NO_BATTERY] - story.costs[story.comparison.strategy]
    weeks = [(start, start + per_week) for start in range(0, len(saved) - per_week + 1, per_week)]
    if not weeks:
        return 0, len(saved)
    ordered = sorted(weeks, key=lambda week: float(saved[slice(*week)].sum()))
    return ordered[len(ordered) // 2]


def _charge(story: _Story) -> Figure:
    days: dict[date, int] = {}
    for time in story.local:
        days.setdefault(time.date(), len(days))
    total, count = np.zeros((24, len(days))), np.zeros((24, len(days)))
    for time, soc_pct in zip(story.local, story.chosen.soc_pct, strict=True):
        cell = time.hour, days[time.date()]
        total[cell] += soc_pct
        count[cell] += 1
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    figure, axes = new_figure(3.4)
    axes.grid(visible=False)
    image = axes.imshow(
        mean,
        aspect="auto",
        origin="lower",
        cmap="viridis",
        vmin=0,
        vmax=100,
        extent=(-0.5, len(days) - 0.5, 0, 24),
        interpolation="nearest",
    )
    names = list(days)
    marks = np.unique(np.linspace(0, len(names) - 1, min(len(names), 12)).round().astype(int))
    axes.set_xticks(marks, [f"{names[mark]:%d.%m.}" for mark in marks], fontsize=9)
    axes.set_yticks(range(0, 25, 6))
    axes.set_ylabel("hour of day")
    figure.colorbar(image, ax=axes, label="state of charge, %")
    return Figure(
        title="State of charge",
        text="By day and local hour; white where data are missing.",
        png_base64=png_base64(figure),
    )


def _date_axis(axes: Any, story: _Story) -> None:
    from matplotlib import dates

    zone = ZoneInfo(story.site.timezone)
    locator = dates.AutoDateLocator(tz=zone)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz=zone))
