"""What combinations of battery, PV and tariff come to, as rows and as a page with a picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np

from holdfast.backtest.bill import NO_BATTERY
from holdfast.backtest.sizing import Sized, YearOf
from holdfast.backtest.strategies import Strategy
from holdfast.cli.backtest_figures import COLOURS, new_figure, png_base64
from holdfast.cli.backtest_report import write_page

_LINE_END = "\n"
_BAR = 0.38
_ROW_IN = 0.42


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeReport:
    """Holds what was estimated, and what has to be said beside it."""

    site: str
    currency: str
    days: float
    sized: tuple[Sized, ...]
    price_per_kwh_battery: float | None
    notes: tuple[str, ...]

    def payback_years(self, sized: Sized, year: YearOf) -> float | None:
        """Returns in how many years the battery has paid for itself.

        Returns None if its price is not known, or it saves nothing.
        """
        if self.price_per_kwh_battery is None or not year.saved > 0.0:
            return None
        return self.price_per_kwh_battery * sized.case.battery_kwh / year.saved

    def heads(self) -> Iterator[str]:
        """Yields the heads of the table's columns, each of one or two lines."""
        yield from ("tariff", "PV x", "kWh", "kW", "no\nbattery", "self-\nconsum.", "saves")
        yield from ("plans on\nforecasts", "save", "cycles")
        if self.price_per_kwh_battery is not None:
            yield "payback,\nyears"

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yields the rows of the table."""
        for sized in self.sized:
            case, ways = sized.case, (sized.self_consumption, sized.plans)
            cells = [Path(case.tariff).stem, f"{case.pv_scale:g}"]
            cells += [f"{case.battery_kwh:g}", f"{case.power_kw:g}"]
            cells.append(f"{sized.cost_without_battery:.0f}")
            for year in ways:
                cells += [f"{year.cost:.0f}", f"{year.saved:.0f}"]
            cells.append("/".join(f"{year.full_cycles:.0f}" for year in ways))
            if self.price_per_kwh_battery is not None:
                paid = (self.payback_years(sized, year) for year in ways)
                cells.append("/".join("never" if y is None else f"{y:.1f}" for y in paid))
            yield tuple(cells)


def write_size_report(path: Path, report: SizeReport) -> None:
    """Writes the page. Raises ConfigError if it cannot be written."""
    heads = "".join(
        f"<th>{escape(head).replace(_LINE_END, '<br>')}</th>" for head in report.heads()
    )
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in report.rows()
    )
    title = f"{report.site}: which battery, PV and tariff pay"
    notes = "".join(f'<p class="sub">{escape(note)}</p>' for note in report.notes)
    content = (
        f"<h1>{escape(title)}</h1>"
        f'<p class="sub">Estimated from {report.days:.0f} days; a year, in '
        f"{escape(report.currency)}.</p>"
        f'<div class="card"><img alt="What each combination saves a year" '
        f'src="data:image/png;base64,{_picture(report)}"></div>'
        f'<h2>Beside each other</h2><div class="card"><table><tr>{heads}</tr>{body}</table></div>'
        f"<h2>How this was estimated</h2>{notes}"
    )
    write_page(path, title, content)


def _picture(report: SizeReport) -> str:
    """Draws what each combination costs and saves."""
    figure, (costs, savings) = new_figure(
        2.0 + _ROW_IN * 2 * len(report.sized), rows=2, height_ratios=(3, 2)
    )
    places = np.arange(len(report.sized))
    names = [
        f"{Path(one.case.tariff).stem}, PV x {one.case.pv_scale:g}, {one.case.battery_kwh:g} kWh, "
        f"{one.case.power_kw:g} kW"
        for one in report.sized
    ]
    ways = (
        ("self-consumption", Strategy.SELF_CONSUMPTION, [s.self_consumption for s in report.sized]),
        ("plans, on forecasts", Strategy.FORECAST, [s.plans for s in report.sized]),
    )
    without = [sized.cost_without_battery for sized in report.sized]
    bar = _BAR * 2 / 3
    costs.barh(places - bar, without, bar, label="no battery", color=COLOURS[NO_BATTERY])
    for number, (name, strategy, years) in enumerate(ways):
        colour = COLOURS[strategy]
        cost, saved = [year.cost for year in years], [year.saved for year in years]
        costs.barh(places + bar * number, cost, bar, label=name, color=colour)
        savings.barh(places + _BAR * (number - 0.5), saved, _BAR, label=name, color=colour)
    for axes, what in ((costs, "costs"), (savings, "saves against no battery")):
        axes.set_yticks(places, names, fontsize=9)
        axes.invert_yaxis()
        axes.axvline(0, color="black", linewidth=0.5)
        axes.set_title(f"what a year {what}, {report.currency}", loc="left", fontsize=10)
        axes.legend(fontsize=8, frameon=False)
    return png_base64(figure)
