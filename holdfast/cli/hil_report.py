"""The fault campaign as one page without scripts: matrix, times, and the worst cases drawn."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from holdfast.cli.backtest_report import write_page
from holdfast.cli.hil_plots import case_plot, times_plot
from holdfast.testing.campaign.evidence import LayerResult
from holdfast.testing.campaign.quiet import QuietDay
from holdfast.testing.campaign.soak import SoakDay
from holdfast.testing.campaign.suites import PairResult, RowResult, SuiteResult, is_passed
from holdfast.testing.faults.scenes import SiteScene

_WORST = 6
"""So many of the slowest reactions are drawn."""


def write_run_report(
    path: Path, content: Mapping[str, Any], results: Mapping[str, Sequence[SuiteResult]]
) -> None:
    """Writes the page of suites. Raises ConfigError if it cannot be written."""
    every = [one for suite in results.values() for one in suite]
    rows = [one for one in every if isinstance(one, RowResult)]
    pairs = [one for one in every if isinstance(one, PairResult)]
    quiet = [one for one in every if isinstance(one, QuietDay)]
    layers = [one for one in every if isinstance(one, LayerResult)]
    parts = [_head(content, sum(map(is_passed, every)), len(every))]
    if rows:
        parts += [_matrix(rows), _times(rows), _worst(rows)]
    if pairs:
        parts.append(_pairs(pairs))
    if quiet:
        parts.append(_quiet(quiet))
    if layers:
        parts.append(_layers(layers))
    write_page(path, "Fault campaign", "".join(parts))


def write_soak_report(path: Path, content: Mapping[str, Any], days: Sequence[SoakDay]) -> None:
    """Writes the page of a soak. Raises ConfigError if it cannot be written."""
    names = ("damage", "missed", "late", "outside", "false_trips", "not_recovered")
    tiles = [(str(content[name]), name.replace("_", " ")) for name in names]
    tiles.append((f"{content['availability_pct']:.1f} %", "of the time in operation"))
    heads = ("again with", "at", "faults", "while", "what was wrong")
    wrong = [
        (
            one["again"],
            "" if one["at_s"] is None else f"{one['at_s']:.0f} s",
            " + ".join(one["faults"]),
            one["scene"],
            "; ".join(one["wrong"]),
        )
        for one in content["wrong"]
    ]
    by_day = [
        (
            str(day.day),
            str(len(day.incidents)),
            str(sum(bool(one.wrong) for one in day.incidents)),
            f"{100.0 * day.running_s / day.simulated_s:.1f} %",
        )
        for day in days
    ]
    write_page(
        path,
        "Soak with faults",
        f"<h1>Soak with faults</h1>{_sub(content)}{_tiles(tiles)}"
        f"<h2>What was wrong</h2>{_table(heads, wrong)}"
        f"<h2>Day by day</h2>{_table(('day', 'faults', 'wrong', 'in operation'), by_day)}",
    )


def _sub(content: Mapping[str, Any]) -> str:
    without = ", ".join(content["without"])
    text = f"Holdfast {content['version']}, seed {content['seed']}"
    return f'<p class="sub">{escape(text + (f", without {without}" if without else ""))}</p>'


def _head(content: Mapping[str, Any], passed: int, runs: int) -> str:
    tiles = [(f"{passed} of {runs}", "as they have to be"), (f"{content['took_s']:.0f} s", "took")]
    return f"<h1>Fault campaign</h1>{_sub(content)}{_tiles(tiles)}"


def _tiles(tiles: Iterable[tuple[str, str]]) -> str:
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><b>{escape(value)}</b><span>{escape(text)}</span></div>'
            for value, text in tiles
        )
        + "</div>"
    )


def _matrix(rows: Sequence[RowResult]) -> str:
    """Draws up faults by scenes."""
    heads = ("fault", "what follows", "within", *SiteScene)
    by_fault: dict[str, list[RowResult]] = {}
    for one in rows:
        by_fault.setdefault(one.fault, []).append(one)
    lines = []
    for name, runs in by_fault.items():
        scenes = {one.scene: one for one in runs}
        cells = [_cell(scenes.get(scene)) for scene in SiteScene]
        lines.append((name, runs[0].outcome, f"{runs[0].within_s:.2f} s", *cells))
    return f"<h2>Each fault in each scene</h2>{_table(heads, lines)}"


def _cell(one: RowResult | None) -> str:
    if one is None:
        return ""
    reached = "never" if one.reached_s is None else f"{one.reached_s:.2f} s"
    return reached if is_passed(one) else f"{reached} ✗ {'; '.join(one.wrong)}"


def _times(rows: Sequence[RowResult]) -> str:
    shares = [one.reached_s / one.within_s for one in rows if one.reached_s is not None]
    return (
        "<h2>How soon</h2>"
        '<p class="sub">What of the time that each reaction may take it took.</p>'
        f'<div class="card">{times_plot(shares)}</div>'
    )


def _worst(rows: Sequence[RowResult]) -> str:
    """Draws what was wrong, else what came closest to its time."""
    drawn = sorted(rows, key=_closeness, reverse=True)[:_WORST]
    return "<h2>The worst cases</h2>" + "".join(
        f'<p class="sub">{escape(f"{one.fault}, {one.scene}: {one.outcome}, {_cell(one)}")}</p>'
        f'<div class="card">{case_plot(one.points, one.reached_s)}</div>'
        for one in drawn
    )


def _closeness(one: RowResult) -> tuple[bool, float]:
    return bool(one.wrong), (one.reached_s or 0.0) / one.within_s


def _pairs(pairs: Sequence[PairResult]) -> str:
    wrong = [
        (" + ".join(one.faults), one.scene, "; ".join(one.wrong)) for one in pairs if one.wrong
    ]
    text = f"{len(pairs) - len(wrong)} of {len(pairs)} as they have to be"
    table = _table(("faults", "while", "what was wrong"), wrong) if wrong else ""
    return f'<h2>Two at a time</h2><p class="sub">{text}</p>{table}'


def _quiet(days: Sequence[QuietDay]) -> str:
    alarms = sum(sum(day.alarms.values()) for day in days)
    return f'<h2>Without a fault</h2><p class="sub">{len(days)} days, {alarms} alarms</p>'


def _layers(layers: Sequence[LayerResult]) -> str:
    return "<h2>Without a layer</h2>" + _table(
        ("without", "shows in", "damage, by what", "reactions missed", "commands outside"),
        (tuple(_layer(one)) for one in layers),
    )


def _layer(one: LayerResult) -> Iterator[str]:
    yield " and ".join(one.layers)
    yield one.says
    yield "; ".join(f"{kind}: {', '.join(names)}" for kind, names in one.damage.items())
    yield ", ".join(one.missed)
    yield ", ".join(one.outside)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in heads)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td class="bad">{escape(cell)}</td>' if "✗" in cell else f"<td>{escape(cell)}</td>"
            for cell in row
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="card"><table><tr>{head}</tr>{body}</table></div>'
