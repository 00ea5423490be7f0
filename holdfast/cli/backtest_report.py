"""A backtest becomes one self-contained HTML page: figures are inline pictures, without script."""

from collections.abc import Mapping
from html import escape
from pathlib import Path

from holdfast.backtest.bill import NO_BATTERY, Bill, Comparison
from holdfast.backtest.data import SiteData
from holdfast.backtest.run import RunResult
from holdfast.backtest.strategies import Strategy
from holdfast.cli.backtest_figures import draw_figures
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2733; background: #f4f6f8; margin: 0; }
main { max-width: 1000px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 26px; margin: 8px 0 4px; } h2 { font-size: 19px; margin: 32px 0 8px; }
p.sub { color: #5b6b7a; margin: 0 0 16px; }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; }
.tile { background: #fff; border-radius: 8px; padding: 12px 18px; flex: 1 1 180px; }
.tile b { display: block; font-size: 26px; } .tile span { color: #5b6b7a; font-size: 14px; }
.card { background: #fff; border-radius: 8px; padding: 12px; overflow-x: auto; }
.card img { width: 100%; display: block; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: right; padding: 6px 8px; border-bottom: 1px solid #e4e9ee; }
th:first-child, td:first-child { text-align: left; } td { white-space: nowrap; }
tr.chosen { font-weight: 600; background: #eaf4ef; } .bad { color: #b3261e; }
"""


def write_report(
    path: Path,
    site: Site,
    data: SiteData,
    comparison: Comparison,
    results: Mapping[Strategy, RunResult],
    words: Mapping[str, str],
) -> None:
    """Writes the page. Raises ConfigError if it cannot be written."""
    figures = draw_figures(site, data, comparison, results, words)
    pictures = "".join(
        f'<h2>{escape(figure.title)}</h2><p class="sub">{escape(figure.text)}</p>'
        f'<div class="card"><img alt="{escape(figure.title)}" '
        f'src="data:image/png;base64,{figure.png_base64}"></div>'
        for figure in figures
    )
    title = f"{site.name}: backtest"
    span = f"{data.start:%d.%m.%Y %H:%M} to {data.end:%d.%m.%Y %H:%M} UTC, {data.days:.0f} days"
    if data.missing:
        span += f"; {data.missing} rows are missing and left out"
    content = (
        f"<h1>{escape(title)}</h1>"
        f'<p class="sub">{escape(span)}</p>{_tiles(comparison, site.currency)}'
        f"<h2>Beside each other</h2>{_table(comparison, site.currency, words)}{pictures}"
    )
    write_page(path, title, content)


def write_page(path: Path, title: str, content: str) -> None:
    """Writes ``content`` as a page in the style of reports. Raises ConfigError if it cannot be."""
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>{content}</main></body></html>\n"
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--report {path}: cannot be written: {error}") from error


def _tiles(comparison: Comparison, currency: str) -> str:
    bill = comparison.bills[comparison.strategy]
    saving = comparison.savings[NO_BATTERY]
    tiles = [
        (f"{bill.cost:.2f} {currency}", "paid, less what is left in the battery"),
        (_percent(saving.percent), f"saved against no battery ({saving.amount:.2f} {currency})"),
    ]
    if comparison.strategy is not Strategy.PERFECT:
        tiles.append((_percent(comparison.share_of_perfect_pct), "of what perfect foresight saves"))
    tiles += [
        (f"{bill.full_cycles:.1f}", f"full cycles ({bill.discharged_kwh:.0f} kWh delivered)"),
        (f"{bill.wear_cost:.2f} {currency}", "wear, not part of the cost"),
        (str(bill.damage), "times damaged"),
    ]
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><b>{escape(value)}</b><span>{escape(text)}</span></div>'
            for value, text in tiles
        )
        + "</div>"
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f} %"


_HEADS = (
    "", "cost {0}", "saved {0}", "wear {0}", "imported kWh", "exported kWh",
    "PV throttled kWh", "delivered kWh",
    "SOC at end",
    "plans", "not RUNNING", "damage",
)  # fmt: skip


def _table(comparison: Comparison, currency: str, words: Mapping[str, str]) -> str:
    without = comparison.cost_without_battery
    lines = [("", (words[NO_BATTERY], f"{without:.2f}", *("",) * (len(_HEADS) - 2)))]
    for strategy, bill in sorted(comparison.bills.items(), key=lambda item: -item[1].cost):
        mark = ' class="chosen"' if strategy is comparison.strategy else ""
        lines.append((mark, _cells(words[strategy], bill, without)))
    heads = "".join(f"<th>{escape(head.format(currency))}</th>" for head in _HEADS)
    body = "".join(
        f"<tr{mark}>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        for mark, cells in lines
    )
    return f'<div class="card"><table><tr>{heads}</tr>{body}</table></div>'


def _cells(name: str, bill: Bill, without: float) -> tuple[str, ...]:
    plans = ", ".join(f"{count} {status}" for status, count in bill.plans.items())
    return (
        name,
        f"{bill.cost:.2f}",
        f"{without - bill.cost:.2f}",
        f"{bill.wear_cost:.2f}",
        f"{bill.import_kwh:.0f}",
        f"{bill.export_kwh:.0f}",
        f"{bill.pv_throttled_kwh:.0f}",
        f"{bill.discharged_kwh:.0f}",
        f"{bill.soc_end_pct:.0f} %",
        plans,
        str(bill.cycles_not_running),
        str(bill.damage),
    )
