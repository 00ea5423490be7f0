"""What the fault campaign came to, for programs and for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from holdfast import __version__
from holdfast.cli.columns import print_columns
from holdfast.testing.campaign.evidence import LayerResult
from holdfast.testing.campaign.quiet import QuietDay
from holdfast.testing.campaign.soak import SoakDay, SoakIncident
from holdfast.testing.campaign.suites import PairResult, RowResult, SuiteResult, is_passed


def suite_content(results: Sequence[SuiteResult]) -> dict[str, object]:
    """Returns what came of a suite, for programs."""
    return {
        "runs": len(results),
        "passed": sum(map(is_passed, results)),
        "results": [_content(one) for one in results],
    }


def _content(result: SuiteResult) -> dict[str, object]:
    content = asdict(result)
    content.pop("points", None)
    return {**content, "passed": is_passed(result)}


def soak_content(
    days: Sequence[SoakDay], seed: int, faults: int, without: Sequence[str]
) -> dict[str, Any]:
    """Returns what came of a soak, for programs."""
    incidents = [one for day in days for one in day.incidents]
    counts = {
        "damage": sum(len(one.damage) for one in incidents),
        "missed": sum(len(one.missed) for one in incidents),
        "late": sum(len(one.late) for one in incidents),
        "outside": sum(len(one.outside) for one in incidents),
        "false_trips": sum(len(one.false_trips) for one in incidents)
        + sum(len(day.false_trips) for day in days),
        "not_recovered": sum(len(one.not_recovered) for one in incidents),
    }
    simulated_s = sum(day.simulated_s for day in days)
    cpu_s = sum(day.cpu_s for day in days)
    return {
        "version": __version__,
        "seed": seed,
        "days": [day.day for day in days],
        "faults_a_day": faults,
        "without": list(without),
        "incidents": len(incidents),
        "two_at_a_time": sum(len(one.faults) > 1 for one in incidents),
        **counts,
        "passed": not any(counts.values()),
        "availability_pct": 100.0 * sum(day.running_s for day in days) / simulated_s,
        "cycles": sum(day.cycles for day in days),
        "times_real_time_a_core": simulated_s / cpu_s,
        "cpu_s": cpu_s,
        "wrong": [_wrong(one, seed) for one in incidents if one.wrong]
        + [
            {
                "again": f"--seed {seed} --only {day.day}",
                "at_s": None,
                "faults": [],
                "scene": "",
                "wrong": list(day.false_trips),
            }
            for day in days
            if day.false_trips
        ],
    }


def _wrong(one: SoakIncident, seed: int) -> dict[str, object]:
    return {
        "again": f"--seed {seed} --only {one.day}",
        "at_s": one.at_s,
        "faults": list(one.faults),
        "scene": one.scene,
        "wrong": list(one.wrong),
    }


def print_run(content: Mapping[str, object], results: Mapping[str, Sequence[SuiteResult]]) -> None:
    """Prints for people what came of suites."""
    for name, suite in results.items():
        wrong = [one for one in suite if not is_passed(one)]
        print(f"{name}: {len(suite) - len(wrong)} of {len(suite)} as they have to be")
        for one in wrong:
            print(f"  {_named(one)}: {'; '.join(_told(one))}")
        layers = [one for one in suite if isinstance(one, LayerResult)]
        if layers:
            heads = ("without", "shows in", "damage", "missed", "commands outside")
            print_columns([heads, *map(_layer_cells, layers)])
    print(f"took {content['took_s']:.0f} s")


def _layer_cells(one: LayerResult) -> tuple[str, ...]:
    damage = ", ".join(f"{kind} by {len(names)}" for kind, names in one.damage.items()) or "-"
    return (" and ".join(one.layers), one.says, damage, str(len(one.missed)), str(len(one.outside)))


def _named(one: SuiteResult) -> str:
    match one:
        case RowResult():
            return f"{one.fault} ({one.scene})"
        case PairResult():
            return f"{one.faults[0]} + {one.faults[1]} ({one.scene})"
        case QuietDay():
            return f"day {one.day}, {one.meter} meter"
        case LayerResult():
            return " and ".join(one.layers)


def _told(one: SuiteResult) -> tuple[str, ...]:
    match one:
        case RowResult() | PairResult():
            return one.wrong
        case QuietDay():
            return tuple(f"{row}: {count}" for row, count in one.alarms.items())
        case LayerResult():
            return ()


def print_soak(content: Mapping[str, Any], days: Sequence[SoakDay]) -> None:
    """Prints for people what came of a soak."""
    print(
        f"{len(days)} days, {content['incidents']} times a fault, {content['two_at_a_time']} of "
        "them with another one"
    )
    for name in ("damage", "missed", "late", "outside", "false_trips", "not_recovered"):
        print(f"  {name.replace('_', ' '):<14} {content[name]}")
    print(f"  availability   {content['availability_pct']:.1f} %")
    for one in content["wrong"]:
        at = "" if one["at_s"] is None else f" at {one['at_s']:.0f} s of the day"
        faults = " + ".join(one["faults"]) or "no fault"
        print(f"{one['again']}{at}, {one['scene']}: {faults}: {'; '.join(one['wrong'])}")
    print(
        f"{content['times_real_time_a_core']:.0f} times real time a core; took "
        f"{content['took_s']:.0f} s"
    )
