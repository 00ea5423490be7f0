"""The view of a site in a terminal: one screen, from the controller's status."""

from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from holdfast.core.plan import PlanSlot
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.histogram import BOUNDS_S, HistogramStatus
from holdfast.monitoring.load_status import LoadStatus
from holdfast.monitoring.status import Status

_COLOURS = {
    State.BOOT: "yellow",
    State.IDLE: "cyan",
    State.RUNNING: "green",
    State.ERROR: "red",
    State.STOPPED: "red",
}
_SHOWN_FINDINGS = 6


def status_view(status: Status, timezone: str) -> RenderableType:
    """Everything a person wants to see at a glance."""
    title = Text.assemble(
        f"{status.site}  ",
        (status.state.name, f"bold {_COLOURS[status.state]}"),
        f"  authority {status.authority}  {status.utc.astimezone(ZoneInfo(timezone)):%H:%M:%S}",
    )
    return Panel(
        Group(
            _power(status),
            _setpoints(status),
            *_loads(status),
            _why(status, timezone),
            _health(status),
        ),
        title=title,
    )


def status_line(status: Status) -> str:
    """The same in one line, for a log."""
    unit, layers = next(iter(status.setpoints.items()))
    slot = _slot(status)
    followed = f"{slot.mode} of plan {status.plan.plan_id}" if slot and status.plan else "no plan"
    return (
        f"{status.state.name} {status.request_source} ({followed}): "
        f"asked of the site {_w(status.request_w)}, of {unit} {_w(layers.asked_w)}, "
        f"written {_w(layers.written_w)}, measured {_w(layers.measured_w)}, "
        f"SOC {_value(status, unit, Signal.SOC_PCT, '%')}, "
        f"grid {_value(status, SITE, Signal.GRID_POWER_W, 'W')}"
    )


def _power(status: Status) -> Table:
    table = Table.grid(padding=(0, 3))
    grid_w = status.value(SITE, Signal.GRID_POWER_W)
    pv_w = status.value(SITE, Signal.PV_POWER_W)
    battery_w = [status.value(unit, Signal.BATTERY_POWER_W) for unit in status.setpoints]
    known_w = [power_w for power_w in battery_w if power_w is not None]
    load_w = None
    if grid_w is not None and pv_w is not None and len(known_w) == len(battery_w):
        load_w = grid_w + pv_w - sum(known_w)
    table.add_row(
        f"grid [bold]{_w(grid_w)}[/] {_direction(grid_w, 'import', 'export')}",
        f"PV [bold]{_w(pv_w)}[/]",
        f"load [bold]{_w(load_w)}[/]",
        *(
            f"{unit} [bold]{_value(status, unit, Signal.SOC_PCT, '%')}[/] "
            f"{_w(status.value(unit, Signal.BATTERY_POWER_W))} "
            f"{_direction(status.value(unit, Signal.BATTERY_POWER_W), 'charging', 'discharging')}"
            for unit in status.setpoints
        ),
    )
    return table


def _setpoints(status: Status) -> Group:
    """The way of each unit's share through the layers; fits 80 columns."""
    columns = (
        "W",
        "asked",
        "may",
        "permitted",
        "ramped",
        "written",
        "read back",
        "measured",
    )
    table = Table(*columns, box=None, padding=(0, 1), collapse_padding=True, pad_edge=False)
    bounds = []
    for unit, layers in status.setpoints.items():
        may = f"{layers.permitted_min_w:.0f} … {layers.permitted_max_w:.0f}"
        table.add_row(
            unit,
            _number(layers.asked_w),
            may,
            _number(layers.permitted_w),
            _number(layers.ramped_w),
            _number(layers.written_w),
            _number(layers.read_back_w),
            _number(layers.measured_w),
        )
        bounds.append(
            f"[dim]{unit} may what {layers.permitted_min_by} / {layers.permitted_max_by} leave[/]"
        )
    return Group(table, *bounds)


def _loads(status: Status) -> list[Table]:
    """One row for each load behind a switch; fits 80 columns. Nothing if there is none."""
    if not status.loads:
        return []
    table = Table("load", "asked", "is", "room", "why", box=None, padding=(0, 1), pad_edge=False)
    for name, load in status.loads.items():
        why = f"{load.source}: {load.reason}"
        table.add_row(
            name,
            _asked(load),
            {True: "on", False: "off", None: "–"}[load.on],
            "" if load.temperature_c is None else f"{load.temperature_c:.1f} °C",
            why if load.may_run else f"{why} [yellow](off by {load.blocked_by})[/]",
        )
    return [table]


def _asked(load: LoadStatus) -> str:
    if load.asked_setpoint_c is not None:
        return f"{load.asked_setpoint_c:.1f} °C"
    return "on" if load.asked_on else "off"


def _why(status: Status, timezone: str) -> Group:
    asks = f"{status.request_source} asks {_w(status.request_w)} of the site"
    lines: list[RenderableType] = [f"why: {asks}: {status.request_reason}"]
    slot = _slot(status)
    if slot is not None and status.plan is not None:
        zone = ZoneInfo(timezone)
        then = "" if slot.soc_end_pct is None else f", then SOC {slot.soc_end_pct:.0f} %"
        lines.append(
            f"plan {status.plan.plan_id} ({status.plan.status}): {slot.mode} until "
            f"{slot.end.astimezone(zone):%H:%M}{then}; price "
            f"{slot.import_price_per_kwh:.3f} {status.currency}/kWh; plan is "
            f"{status.plan.age_s:.0f} s old"
        )
    if status.plan_refused:
        lines.append(f"[yellow]last plan refused: {status.plan_refused}[/]")
    lines += [f"[yellow]waits: {reason}[/]" for reason in status.waits_for[:_SHOWN_FINDINGS]]
    lines += [
        f"[red]{found.level} {found.owner}/{found.row}: {found.text} ({found.reaction})[/]"
        for found in status.findings[:_SHOWN_FINDINGS]
    ]
    if status.latched_faults:
        lines.append(f"[red]latched: {', '.join(status.latched_faults)}[/]")
    if not status.latches_on_disk:
        lines.append("[red]latches are NOT ON DISK: they would not survive a restart[/]")
    if status.emergency_stop_latched:
        lines.append("[red]emergency stop latched; `holdfast reset` on site leaves it[/]")
    return Group(*lines)


def _health(status: Status) -> str:
    loop = status.loop
    errors = sum(comms.errors for comms in status.comms.values())
    return (
        f"[dim]{loop.cycles} cycles of {loop.period_s * 1000:g} ms, {loop.missed} missed; "
        f"cycle {_percentile(loop.cycle, 0.5)} median, late {_percentile(loop.lateness, 0.999)} "
        f"p99.9; {len(status.comms)} devices, {errors} comms errors; "
        f"real time {'yes' if loop.real_time else 'no'}[/]"
    )


def _percentile(histogram: HistogramStatus, share: float) -> str:
    """Upper bound of the bucket that the share lies in."""
    wanted, seen = share * sum(histogram.counts), 0
    for bound_s, count in zip(BOUNDS_S, histogram.counts, strict=False):
        seen += count
        if seen >= wanted:
            return f"≤ {bound_s * 1e6:g} µs"
    return f"> {BOUNDS_S[-1] * 1e6:g} µs"


def _slot(status: Status) -> PlanSlot | None:
    return None if status.plan is None else status.plan.slot


def _w(power_w: float | None) -> str:
    return "–" if power_w is None else f"{power_w:.0f} W"


def _number(power_w: float | None) -> str:
    return "–" if power_w is None else f"{power_w:.0f}"


def _value(status: Status, owner: str, signal: Signal, unit: str) -> str:
    value = status.value(owner, signal)
    return "–" if value is None else f"{value:.0f} {unit}"


def _direction(power_w: float | None, positive: str, negative: str) -> str:
    if power_w is None or abs(power_w) < 0.5:
        return ""
    return positive if power_w > 0 else negative
