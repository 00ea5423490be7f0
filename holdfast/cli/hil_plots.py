"""Pictures of the fault campaign, drawn as SVG that stands in the page itself."""

from collections.abc import Sequence

_WIDTH, _HEIGHT, _LEFT, _GAP = 900, 150, 60, 20
_BINS = 20
_COLOURS = ("#8a5a00", "#0b6e99", "#b3261e", "#2e7d32")

Points = Sequence[tuple[float, float, float, float, float]]


def times_plot(shares: Sequence[float]) -> str:
    """Draws how many reactions took which share of their time."""
    bins = [0] * _BINS
    for share in shares:
        bins[min(int(share * _BINS), _BINS - 1)] += 1
    most = max([*bins, 1])
    wide = (_WIDTH - _LEFT) / _BINS
    bars = "".join(
        f'<rect x="{_LEFT + index * wide:.1f}" y="{_HEIGHT * (1 - count / most):.1f}" '
        f'width="{wide - 2:.1f}" height="{_HEIGHT * count / most:.1f}" fill="{_COLOURS[1]}"/>'
        for index, count in enumerate(bins)
    )
    labels = _text(0, 12, str(most)) + "".join(
        _text(_LEFT + (_WIDTH - _LEFT) * share - 12, _HEIGHT + 16, f"{share:.0%}")
        for share in (0.0, 0.25, 0.5, 0.75, 0.99)
    )
    return _svg(_HEIGHT + 24, bars + labels)


def case_plot(points: Points, reached_s: float | None) -> str:
    """Draws setpoint and power above, the voltages of the cells below, over time."""
    if len(points) < 2:
        return ""
    end_s = points[-1][0]
    powers = _panel(points, (1, 2), ("setpoint", "power"), "W", 0, end_s)
    below = _HEIGHT + _GAP
    volts = _panel(points, (3, 4), ("lowest cell", "highest cell"), "V", below, end_s)
    mark = ""
    if reached_s is not None and reached_s <= end_s:
        at = _LEFT + (_WIDTH - _LEFT) * reached_s / end_s
        mark = (
            f'<line x1="{at:.1f}" y1="0" x2="{at:.1f}" y2="{below + _HEIGHT}" stroke="#5b6b7a" '
            'stroke-dasharray="4 3"/>'
        )
    axis = _text(_LEFT, below + _HEIGHT + 16, "0 s") + _text(
        _WIDTH - 60, below + _HEIGHT + 16, f"{end_s:.1f} s"
    )
    return _svg(below + _HEIGHT + 24, powers + volts + mark + axis)


def _panel(
    points: Points,
    columns: tuple[int, int],
    names: tuple[str, str],
    unit: str,
    top: float,
    end_s: float,
) -> str:
    values = [point[column] for point in points for column in columns]
    low, high = min(values), max(values)
    high = high if high > low else low + 1.0
    drawn = [_text(0, top + 12, f"{high:.4g} {unit}"), _text(0, top + _HEIGHT, f"{low:.4g} {unit}")]
    for number, (column, name) in enumerate(zip(columns, names, strict=True)):
        colour = _COLOURS[number + (0 if unit == "W" else 2)]
        path = " ".join(
            f"{_LEFT + (_WIDTH - _LEFT) * point[0] / end_s:.1f},"
            f"{top + _HEIGHT * (1.0 - (point[column] - low) / (high - low)):.1f}"
            for point in points
        )
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        drawn.append(_text(_LEFT + 8 + 120 * number, top + 12, name, colour))
    return "".join(drawn)


def _text(x: float, y: float, text: str, colour: str = "#1c2733") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="12" fill="{colour}">{text}</text>'


def _svg(height: float, content: str) -> str:
    return (
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" width="100%" '
        f'xmlns="http://www.w3.org/2000/svg" role="img">{content}</svg>'
    )
