"""``holdfast limits`` prints the limit table, with the values of a site."""

import argparse
from collections.abc import Container, Iterable, Iterator
from itertools import groupby

from holdfast.cli.arguments import add_config, add_json
from holdfast.cli.columns import print_columns
from holdfast.cli.json_output import print_json
from holdfast.cli.markdown import table_head, table_row
from holdfast.safety.clearing import SERVICE_ONLY
from holdfast.safety.derating import DERATINGS, PACK_VOLTAGE_CHARGE
from holdfast.safety.escalation import ESCALATIONS
from holdfast.safety.faults import FAULTS, Clearing, FaultRow
from holdfast.safety.goals import GOALS
from holdfast.safety.interlocks import INTERLOCKS, InterlockRow
from holdfast.safety.limits import Limit, build_limits
from holdfast.safety.trend_analyzer import PREDICTIONS, TRENDS
from holdfast.simulation.demo_site import simulated_site
from holdfast.site.assurance import unwatched
from holdfast.site.limit_rows import limit_rows
from holdfast.site.reaction_times import reaction_rows
from holdfast.site.site_file import load_site

DESCRIPTION = """\
Print every limit with its levels for this site, what happens at each, how many samples it
takes, how it clears, and where it comes from. `limits:` in site.yaml may tighten a level.
--markdown prints the whole reference: limits, derating, trends, interlocks and faults, with
the values of the demonstration's battery.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of this command."""
    add_config(parser)
    add_json(parser)
    parser.add_argument("--markdown", action="store_true", help="print the reference page")


def execute(options: argparse.Namespace) -> int:
    """Prints the table."""
    if options.markdown:
        print(reference_page(), end="")
        return 0
    site = load_site(options.config)
    if options.json:
        print_json(limit_rows(site))
        return 0
    limits, idle = build_limits(site), unwatched(site)
    for owner, rows in groupby(limits, key=lambda limit: limit.owner):
        print(owner)
        print_columns(_table(rows, idle), gap=1)
    print("m/n: samples that must be beyond. *: a trip that only service clears.")
    if idle:
        print("-: not watched, for no device of this site tells its signal.")
    print("--json and docs/limits.md tell signal and source of each, too.")
    return 0


def _table(limits: Iterable[Limit], idle: Container[str]) -> Iterator[tuple[str, ...]]:
    """Yields rows that fit 80 columns."""
    yield "limit", "warning", "alarm", "trip", "", "at alarm", "m/n", "hold"
    for limit in limits:
        warning, alarm, trip, unit, reaction, samples, hold, _ = _cells(limit)
        star = "*" if limit.row.clearing is Clearing.SERVICE else ""
        yield (
            f"{'-' if limit.key in idle else ''}{limit.row.id}",
            warning,
            alarm,
            f"{trip}{star}",
            unit,
            reaction,
            samples.replace(" of ", "/"),
            hold,
        )


def _cells(limit: Limit) -> tuple[str, ...]:
    levels = {level.name.lower(): f"{value:g}" for level, value in limit.levels}
    m, n = limit.row.samples
    return (
        *(levels.get(name, "") for name in ("warning", "alarm", "trip")),
        limit.unit,
        limit.row.reaction.name.lower(),
        f"{m} of {n}",
        f"{limit.row.hold_s:g} s",
        _cleared(limit.row.clearing),
    )


def _cleared(clearing: Clearing) -> str:
    return "" if clearing is Clearing.BY_ITSELF else f"by {clearing}"


def reference_page() -> str:
    """Returns all tables of the safety path, as ``docs/limits.md`` shows them."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Limits, trends, escalation, interlocks, faults"
    yield ""
    yield "Made by `holdfast limits --markdown`; do not edit. Values are those of a battery of"
    yield "16 LFP cells, 110 A, with a 5 kW inverter on a 230 V grid; yours: `holdfast limits`."
    for title, section in (
        ("Limits", _limits),
        ("One sample is enough", _far),
        ("Reaction times", _reaction_times),
        ("Goals", _goals),
        ("Derating", _derating),
        ("Trends", _trends),
        ("Escalation", _escalation),
        ("Interlocks", _interlocks),
        ("Faults", _faults),
        ("For service only", _service_only),
    ):
        yield ""
        yield f"## {title}"
        yield ""
        yield from section()


def _limits() -> Iterator[str]:
    yield "A warning is logged, a trip trips: 0 W, inverter off, contactor open, latched. An alarm"
    yield "clears by itself once the value has been inside by the hysteresis for the hold time."
    yield "A trip stays latched until an operator (`holdfast reset`) clears it, or service after an"
    yield "inspection (`holdfast reset --service`)."
    yield "On an island only the battery's own may end a discharge; the others block charging."
    yield ""
    yield from table_head(
        "limit",
        "warning",
        "alarm",
        "trip",
        "unit",
        "at alarm",
        "m of n",
        "hold",
        "trip cleared",
        "battery's own",
        "source",
    )
    for limit in build_limits(simulated_site()):
        own = _yes(limit.row.of_battery)
        yield table_row(limit.row.id, *_cells(limit), own, limit.row.source)


def _far() -> Iterator[str]:
    yield "Farther out than these one sample is enough for the reaction at alarm, and for 0 W at"
    yield "once where that is a ramp; the trip, which latches, waits for its samples all the same."
    yield ""
    yield from table_head("limit", "from", "unit", "source")
    for limit in build_limits(simulated_site()):
        if limit.far is not None:
            yield table_row(limit.row.id, f"{limit.far:g}", limit.unit, limit.row.far_source)


def _reaction_times() -> Iterator[str]:
    yield "From an event to the command on the wire, at the longest, with cycles of 20 ms and"
    yield "devices that answer at once; what an answer takes comes on top, once a sample. A ramp to"
    yield "zero takes 0.5 s more. A single poll or burst with a value that cannot be true is left"
    yield "out: one sample more. Of an inverter that gets more than 0.5 s to answer (`timeout_s`"
    yield "in site.yaml) data are lost after twice that, or after the `max_age_s` of its table,"
    yield "which a slow meter's table may have as well."
    yield ""
    heading, *rows = reaction_rows(cycle_s=0.02)
    yield from table_head(*heading)
    for row in rows:
        yield table_row(*row)


def _goals() -> Iterator[str]:
    yield "What has to be guarded, and who does it: Holdfast by its rows, where devices are sure to"
    yield "tell what that takes; or a device by itself, as its table says (`guards`). What nobody"
    yield "guards bounds the authority of the site, unless its owner accepts it in words (`accepts`"
    yield "in site.yaml). `holdfast check` says how it is on your site."
    yield ""
    yield from table_head(
        "goal", "that", "watched by", "of signals", "unguarded", "accepted", "but"
    )
    for goal, row in GOALS.items():
        signals = ", ".join(sorted(row.needs))
        boxes = f"{signals}; {row.boxes} devices" if row.boxes > 1 else signals
        unguarded, accepted = row.unguarded.key, row.accepted.key
        may_be = accepted if row.accepted > row.unguarded else ""
        condition = f"limited, unless {row.second_way} is guarded" if row.second_way else ""
        yield table_row(goal, row.text, ", ".join(row.rows), boxes, unguarded, may_be, condition)


def _derating() -> Iterator[str]:
    yield "Share of the rated current that is left at a distance from the hardware's own limit."
    yield ""
    yield from table_head("curve", "signal", "distance: share", "source")
    for curve in (*DERATINGS, PACK_VOLTAGE_CHARGE):
        points = ", ".join(f"{distance:g}: {share:.0%}" for distance, share in curve.points)
        yield table_row(curve.id, curve.signal, points, curve.source)


def _trends() -> Iterator[str]:
    yield from table_head("trend", "signal", "window", "per minute", "at alarm", "source")
    for trend in TRENDS:
        levels = ", ".join(f"{level.name.lower()} {value:g}" for level, value in trend.levels)
        reaction = trend.reaction.name.lower()
        yield table_row(
            trend.id, trend.signal, f"{trend.window_s:g} s", levels, reaction, trend.source
        )
    yield ""
    yield "A limit that will be met soon narrows the envelope before it is met:"
    yield ""
    yield from table_head("prediction", "limit", "horizon")
    for prediction in PREDICTIONS:
        yield table_row(prediction.id, prediction.limit, f"{prediction.horizon_s:g} s")


def _escalation() -> Iterator[str]:
    yield "What comes again and again is a fault of its own, until the oldest is long enough ago."
    yield ""
    yield from table_head("fault", "counts", "times", "within", "source")
    for name, rule in ESCALATIONS.items():
        yield table_row(
            name, rule.what, f"{rule.times}", f"{rule.within_s / 60:g} min", rule.source
        )


def _interlocks() -> Iterator[str]:
    yield "Each needs its signal to be fresh, and to have the value that is wanted. On an island a"
    yield "value that is not known blocks no discharge, unless the row is the battery's own."
    yield ""
    yield from table_head("interlock", "blocks", "needs", "battery's own", "says while it blocks")
    for interlock in INTERLOCKS:
        own = _yes(interlock.of_battery)
        yield table_row(interlock.id, interlock.action, _needed(interlock), own, interlock.text)


def _faults() -> Iterator[str]:
    yield "What clears by itself stays for its hold time after its cause is gone. Each gap in the"
    yield "data of a BMS costs that much production: it may have been a restart of the BMS."
    yield ""
    yield from table_head("fault", "reaction", "guards", "clears", "hold", "what it is", "source")
    for name, fault in FAULTS.items():
        clears = fault.clearing if fault.clearing is Clearing.BY_ITSELF else f"by {fault.clearing}"
        reaction, guards = fault.reaction.name.lower(), fault.guards.value
        yield table_row(name, reaction, guards, clears, _hold(fault), fault.text, fault.source)


def _service_only() -> Iterator[str]:
    yield "What an operator may not clear, and a name in the latch file that no table knows:"
    yield ""
    yield from table_head("latched", "why, and what first")
    for row, why in SERVICE_ONLY.items():
        yield table_row(row, why)


def _hold(fault: FaultRow) -> str:
    if fault.bms_hold_s is None:
        return f"{fault.hold_s:g} s" if fault.hold_s else ""
    return f"{fault.hold_s:g} s, BMS {fault.bms_hold_s:g} s"


def _needed(interlock: InterlockRow) -> str:
    wanted = interlock.wanted
    if wanted is None:
        return interlock.signal
    return f"{interlock.signal} = {'as configured' if callable(wanted) else f'{wanted:g}'}"


def _yes(value: bool) -> str:  # noqa: FBT001 - a cell
    return "yes" if value else ""
