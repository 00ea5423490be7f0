"""Draws a report on one page: what an owner wants to know first, then a chart, then findings."""

import io
from typing import Any, Final
from zoneinfo import ZoneInfo

import matplotlib as mpl

from holdfast.api.report import PeriodFinding, PeriodReport, decode_report, title
from holdfast.api.work.job import run_job

mpl.use("pdf")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

_A4_IN: Final = (8.27, 11.69)
_LABELS: Final = {"day": "%H:%M", "month": "%d.", "year": "%b"}
_BARS: Final = (
    ("pv_wh", "PV", 1.0, "#e8a33d"),
    ("import_wh", "bought", 1.0, "#5b7db1"),
    ("discharge_wh", "out of the battery", 1.0, "#5aa469"),
    ("export_wh", "sold", -1.0, "#9db4d6"),
    ("charge_wh", "into the battery", -1.0, "#a7d3b0"),
    ("load_wh", "used", -1.0, "#b0a8b9"),
)
"""Holds what comes in above the line, and what goes out below it."""


def answer(question: dict[str, Any]) -> bytes:
    """Returns the PDF of the report in ``report``."""
    report = decode_report(question["report"].encode())
    figure = plt.figure(figsize=_A4_IN)
    grid = figure.add_gridspec(
        5, 1, height_ratios=(0.7, 2.6, 3.4, 2.4, 2.6), left=0.1, right=0.94, top=0.95, bottom=0.05,
        hspace=0.35,
    )  # fmt: skip
    heading, figures, energies, money, found = (figure.add_subplot(grid[row]) for row in range(5))
    _write_heading(heading, report)
    _write_figures(figures, report)
    _draw_energies(energies, report)
    _draw_money(money, report)
    _write_found(found, report)
    content = io.BytesIO()
    figure.savefig(content, format="pdf", metadata={"Title": f"{report.site}: {title(report)}"})
    plt.close(figure)
    return content.getvalue()


def _write_heading(axes: Axes, report: PeriodReport) -> None:
    axes.axis("off")
    axes.text(0.0, 0.75, report.site, fontsize=18, fontweight="bold", va="center", parse_math=False)
    axes.text(0.0, 0.15, title(report), fontsize=13, va="center")
    complete = f"measured {100.0 * report.whole.complete:.0f} % of the time"
    axes.text(1.0, 0.15, complete, fontsize=9, va="center", ha="right")


def _write_figures(axes: Axes, report: PeriodReport) -> None:
    """Writes energies on the left, money on the right."""
    axes.axis("off")
    energies = [
        ("used in the house", _kwh(report.whole.load_wh)),
        ("given by PV", _kwh(report.whole.pv_wh)),
        ("bought", _kwh(report.whole.import_wh)),
        ("sold", _kwh(report.whole.export_wh)),
        ("into the battery", _kwh(report.whole.charge_wh)),
        ("out of the battery", _kwh(report.whole.discharge_wh)),
    ]
    _write_table(axes, 0.0, "Energy", energies)
    _write_table(axes, 0.55, "Money", _money_rows(report))


def _money_rows(report: PeriodReport) -> list[tuple[str, str]]:
    money, currency = report.whole_money, report.currency
    rows = [
        ("paid", _amount(money.cost, currency)),
        ("without a battery", _amount(money.no_battery, currency)),
        ("with self-consumption", _amount(money.self_consumption, currency)),
        ("with all known before", _amount(money.perfect_foresight, currency)),
    ]
    if money.cost is not None and money.no_battery is not None:
        rows.append(("the battery saved", _amount(money.no_battery - money.cost, currency)))
    if money.cost is not None and money.perfect_foresight is not None:
        rows.append(
            ("could have saved more", _amount(money.cost - money.perfect_foresight, currency))
        )
    return rows


def _write_table(axes: Axes, left: float, heading: str, rows: list[tuple[str, str]]) -> None:
    axes.text(left, 0.97, heading, fontsize=11, fontweight="bold", va="top")
    for number, (name, value) in enumerate(rows):
        down = 0.78 - 0.14 * number
        axes.text(left, down, name, fontsize=10, va="top")
        axes.text(left + 0.4, down, value, fontsize=10, va="top", ha="right")


def _draw_energies(axes: Axes, report: PeriodReport) -> None:
    places = range(len(report.rows))
    above, below = [0.0] * len(report.rows), [0.0] * len(report.rows)
    for name, label, sign, colour in _BARS:
        heights = [sign * (getattr(row, name) or 0.0) / 1000.0 for row in report.rows]
        base = above if sign > 0 else below
        axes.bar(places, heights, bottom=base, color=colour, label=label, width=0.85)
        base[:] = [low + height for low, height in zip(base, heights, strict=True)]
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.set_ylabel("kWh: in above, out below")
    axes.legend(ncols=3, fontsize=7, frameon=False, loc="upper left")
    axes.margins(y=0.25)
    _label_times(axes, report)


def _draw_money(axes: Axes, report: PeriodReport) -> None:
    places = range(len(report.money))
    costs = [row.cost or 0.0 for row in report.money]
    axes.bar(places, costs, color="#5b7db1", width=0.85, label="paid")
    without = [
        (place, row.no_battery)
        for place, row in enumerate(report.money)
        if row.no_battery is not None
    ]
    if without:
        axes.plot(
            *zip(*without, strict=True), "_", color="#b04a4a", markersize=9, label="no battery"
        )
    axes.axhline(0.0, color="black", linewidth=0.6)
    axes.set_ylabel(report.currency)
    axes.legend(ncols=2, fontsize=7, frameon=False, loc="upper left")
    axes.margins(y=0.25)
    _label_times(axes, report)


def _label_times(axes: Axes, report: PeriodReport) -> None:
    zone = ZoneInfo(report.timezone)
    every = 2 if report.kind == "month" else 3 if report.kind == "day" else 1
    places = list(range(0, len(report.rows), every))
    labels = [
        f"{report.rows[place].start.astimezone(zone):{_LABELS[report.kind]}}" for place in places
    ]
    axes.set_xticks(places, labels, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _write_found(axes: Axes, report: PeriodReport) -> None:
    axes.axis("off")
    axes.text(
        0.0, 1.0, "What kept the battery from its work", fontsize=11, fontweight="bold", va="top"
    )
    if not report.found:
        axes.text(0.0, 0.86, "Nothing on record.", fontsize=9, va="top")
    for number, one in enumerate(report.found):
        axes.text(0.0, 0.86 - 0.08 * number, _finding(one), fontsize=8, va="top", parse_math=False)


def _finding(one: PeriodFinding) -> str:
    hours, minutes = divmod(round(one.lasted_s / 60.0), 60)
    lasted = f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
    text = f"{one.times}x, {lasted}: {one.key}: {one.text}"
    return text if len(text) <= 115 else f"{text[:114]}…"


def _kwh(energy_wh: float | None) -> str:
    return "not known" if energy_wh is None else f"{energy_wh / 1000.0:,.1f} kWh"


def _amount(value: float | None, currency: str) -> str:
    return "not known" if value is None else f"{value:,.2f} {currency}"


if __name__ == "__main__":
    run_job(answer)
