"""What every benchmark tells: percentiles, budgets, the machine; as a table or as JSON."""

import argparse
import json
import math
import os
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from holdfast.core.errors import HoldfastError

PERCENTILES = {"p50": 50.0, "p99": 99.0, "p99_9": 99.9}
US_PER_MS = 1000.0


class CannotRun(HoldfastError):
    """The benchmark could not measure what it is for; the text says why."""


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest of the ``ordered`` values that ``percent`` of them do not exceed.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 50.0), percentile([1.0, 2.0, 3.0, 4.0], 99.0)
    (2.0, 4.0)
    """
    return ordered[max(rank(percent, len(ordered)), 1) - 1]


def rank(percent: float, count: int) -> int:
    """How many of ``count`` values are ``percent`` of them, rounded up.

    >>> rank(99.9, 1000), rank(99.9, 1001)
    (999, 1000)
    """
    return math.ceil(round(percent * count / 100.0, 6))


def summarise(values: Sequence[float]) -> dict[str, float]:
    """Count, median, p99, p99.9 and maximum. Raises CannotRun if there is no value."""
    if not values:
        raise CannotRun("nothing was measured")
    ordered = sorted(values)
    found = {name: percentile(ordered, percent) for name, percent in PERCENTILES.items()}
    return {"count": len(ordered), **found, "max": ordered[-1]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One budget of the design, and what was measured."""

    what: str
    unit: str
    budget: float
    measured: float
    met: bool


def at_most(what: str, unit: str, budget: float, measured: float) -> Budget:
    """A budget that is met at or below it; not by what is no number."""
    return Budget(what=what, unit=unit, budget=budget, measured=measured, met=measured <= budget)


def at_least(what: str, unit: str, budget: float, measured: float) -> Budget:
    """A budget that is met at or above it."""
    return Budget(what=what, unit=unit, budget=budget, measured=measured, met=measured >= budget)


@dataclass(slots=True, kw_only=True)
class Report:
    """What one run of a benchmark has come to."""

    settings: dict[str, Any]
    results: dict[str, Any]
    """By name; a mapping of numbers becomes a row of the table."""
    unit: str
    """Of the numbers in ``results``, where their name does not say it."""
    budgets: list[Budget]
    notes: list[str] = field(default_factory=list)


def machine() -> dict[str, Any]:
    """What the figures were measured on, and how busy it is."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
        models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        models = []
    return {
        "cpu": models[0] if models else platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_average": os.getloadavg()[0],
    }


def new_parser(name: str, text: str) -> argparse.ArgumentParser:
    """A parser with what all benchmarks understand."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=text,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


def at_least_one(text: str) -> int:
    """An argument that counts something."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def run(name: str, options: argparse.Namespace, measure: Callable[[], Report]) -> int:
    """Measure and tell. 0 even if a budget is missed, 1 if it could not run."""
    before = machine()
    try:
        report = measure()
    except (HoldfastError, OSError) as error:
        print(f"{name} could not run: {error}", file=sys.stderr)
        return 1
    after = {"load_average_after": os.getloadavg()[0]}
    if options.json:
        content = {"benchmark": name, "machine": before | after, **asdict(report)}
        print(json.dumps(_finite(content), indent=2))
    else:
        _print(name, before, report)
    return 0


def _finite(content: Any) -> Any:
    """The same with what is not finite as null: JSON has no word for it."""
    match content:
        case dict():
            return {str(key): _finite(value) for key, value in content.items()}
        case list() | tuple():
            return [_finite(value) for value in content]
        case float() if not math.isfinite(content):
            return None
        case _:
            return content


def _print(name: str, on: Mapping[str, Any], report: Report) -> None:
    settings = ", ".join(f"{key} {value}" for key, value in report.settings.items())
    print(f"{name}: {settings}")
    print(", ".join(f"{key} {_shown(value)}" for key, value in on.items()))
    print()
    _print_rows("", report.results, report.unit)
    print()
    for budget in report.budgets:
        verdict = "met   " if budget.met else "MISSED"
        print(
            f"{verdict} {budget.what}: {_shown(budget.measured)} {budget.unit}"
            f" (budget {_shown(budget.budget)} {budget.unit})"
        )
    for note in report.notes:
        print(f"note: {note}")


def _print_rows(path: str, results: Mapping[str, Any], unit: str) -> None:
    """Numbers of one mapping in one line; mappings below it in lines of their own."""
    plain = {key: value for key, value in results.items() if not isinstance(value, dict)}
    if plain:
        cells = "  ".join(f"{key} {_shown(value):>8}" for key, value in plain.items())
        print(f"{path or 'overall':<34} {cells}  [{unit}]")
    for key, value in results.items():
        if isinstance(value, dict):
            _print_rows(f"{path} {key}".strip(), value, unit)


def _shown(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 1e3 else f"{value:.4g}"
    return str(value)
