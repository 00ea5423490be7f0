"""A site is viewed in a terminal on one screen, from the controller's status."""

from collections.abc import Callable, Iterator
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from holdfast.cli.status_line import WAITS_FOR_START
from holdfast.core.plan import PlanSlot
from holdfast.core.signals import BARE_UNITS, SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.quantities.quantity import (
    Quantity,
    QuantityName,
    amount,
    number,
    words,
)
from holdfast.monitoring.status.comms import silence, silent_devices, troubled_devices
from holdfast.monitoring.status.histogram import BOUNDS_S, HistogramStatus
from holdfast.monitoring.status.schema import ConnectionStatus, FindingStatus, ModeStatus, Status

_COLOURS = {
    State.BOOT: "yellow",
    State.IDLE: "cyan",
    State.RUNNING: "green",
    State.ERROR: "red",
    State.STOPPED: "red",
}
_SHOWN = 8
"""So many lines tell what is wrong: with them the view fits 24 rows."""


def status_view(status: Status, timezone: str) -> RenderableType:
    """Shows everything a person wants to see at a glance."""
    title = Text.assemble(
        f"{status.site}  ",
        (status.state.name, f"bold {_COLOURS[status.state]}"),
        f"  authority {status.authority}  {status.utc.astimezone(ZoneInfo(timezone)):%H:%M:%S}",
    )
    return Panel(
        Group(
            _power(status),
            *_quantities(status),
            _why(status, timezone),
            *_wrong(status),
            _health(status),
        ),
        title=title,
    )


def _power(status: Status) -> Table:
    table = Table.grid(padding=(0, 3))
    grid_w = status.value(SITE, Signal.GRID_POWER_W)
    pv_w = status.value(SITE, Signal.PV_POWER_W)
    units = status.quantities_of(QuantityName.BATTERY_POWER)
    battery_w = [status.value(unit, Signal.BATTERY_POWER_W) for unit in units]
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
            for unit in units
        ),
    )
    return table


def _quantities(status: Status) -> Iterator[RenderableType]:
    """Yields each quantity's way through the layers, a table for each name; fits 80 columns."""
    for name in QuantityName:
        owned = status.quantities_of(name).values()
        if owned:
            yield _layers(name, tuple(owned))
            yield from (Text(_asked_by(quantity), "dim") for quantity in owned)


def _layers(name: QuantityName, owned: tuple[Quantity, ...]) -> Table:
    unit = owned[0].unit
    table = Table(box=None, padding=(0, 1), collapse_padding=True, pad_edge=False)
    table.add_column(words(name) if unit in BARE_UNITS else f"{words(name)}, {unit}")
    rows = [[quantity.owner] for quantity in owned]
    for heading, shown in _LAYERS.items():
        cells = [shown(quantity) for quantity in owned]
        if any(cells):
            table.add_column(heading, no_wrap=True)
            for row, cell in zip(rows, cells, strict=True):
                row.append(cell or "–")
    for row in rows:
        table.add_row(*row)
    return table


def _cell(layer: str) -> Callable[[Quantity], str]:
    def shown(quantity: Quantity) -> str:
        value = getattr(quantity, layer)
        return "" if value is None else number(value, quantity.unit)

    return shown


def _may(quantity: Quantity) -> str:
    ends = (quantity.low, quantity.high)
    if ends == (None, None):
        return ""
    return " … ".join(number(end, quantity.unit) for end in ends)


_LAYERS: dict[str, Callable[[Quantity], str]] = {
    "asked": _cell("asked"),
    "may": _may,
    "permitted": _cell("permitted"),
    "ramped": _cell("ramped"),
    "written": _cell("written"),
    "read back": _cell("read_back"),
    "measured": _cell("measured"),
}


def _asked_by(quantity: Quantity) -> str:
    bounds = [by for by in dict.fromkeys((quantity.low_by, quantity.high_by)) if by]
    bounded = f"; bounded by {' / '.join(bounds)}" if bounds else ""
    return f"{quantity.owner}: {quantity.source}: {quantity.reason}{bounded}"


def _mode(mode: ModeStatus) -> str:
    kept = f", kept by {' and '.join(mode.kept_by)}" if mode.kept_by else ""
    instead = ""
    if mode.instead_w is not None:
        instead = f"; without it: {mode.instead_mode} {_w(mode.instead_w)}"
    return f"mode {mode.mode} for {mode.for_s:.0f} s{kept}{instead}"


def _connection(connection: ConnectionStatus) -> Iterator[str]:
    """Yields what the limits at the meter leave, and what the grid operator says."""
    yield (
        f"at the meter: {_w(connection.low_w)} ({connection.low_by}) to "
        f"{_w(connection.high_w)} ({connection.high_by})"
    )
    told = {"consumption": connection.consumption, "production": connection.production}
    for direction, operator in told.items():
        if operator is not None:
            minutes = (operator.for_s / 60.0, operator.limited_s / 60.0, operator.exceeded_s / 60.0)
            since, limited, above = (f"{each:.0f} min" for each in minutes)
            yield (
                f"grid operator, {direction}: {operator.state} for {since}; "
                f"limited for {limited}, {above} of it above the limit"
            )


def _why(status: Status, timezone: str) -> Group:
    lines: list[RenderableType] = [
        f"{status.request_source} asks {_w(status.request_w)} of the site's batteries"
    ]
    if status.mode is not None:
        lines.append(escape(_mode(status.mode)))
    if status.connection is not None and status.mode is not None:
        lines += [escape(line) for line in _connection(status.connection)]
    if status.waits_for_start:
        lines.append(f"[red]{WAITS_FOR_START}[/]")
    if status.left_out:
        lines.append(f"[red]alive, and not all can be shown: {escape(status.left_out)}[/]")
    slot = _slot(status)
    if slot is not None and status.plan is not None:
        zone = ZoneInfo(timezone)
        then = "" if slot.soc_end_pct is None else f", then SOC {slot.soc_end_pct:.0f} %"
        lines.append(
            f"plan {escape(status.plan.plan_id)} ({status.plan.status}): {slot.mode} until "
            f"{slot.end.astimezone(zone):%H:%M}{then}; price "
            f"{slot.import_price_per_kwh:.3f} {status.currency}/kWh; plan is "
            f"{status.plan.age_s:.0f} s old"
        )
    if status.plan_refused:
        lines.append(f"[yellow]last plan refused: {escape(status.plan_refused)}[/]")
    if status.latched_faults:
        lines.append(f"[red]latched: {', '.join(status.latched_faults)}[/]")
    if not status.latches_on_disk:
        lines.append("[red]latches are NOT ON DISK: they would not survive a restart[/]")
    if status.emergency_stop_latched:
        lines.append("[red]emergency stop latched; `holdfast reset` on site leaves it[/]")
    return Group(*lines)


def _wrong(status: Status) -> Iterator[Text]:
    """Yields silent devices, one line each; findings; trouble; what the start waits for."""
    silent = {name for name, comms in status.comms.items() if silence(name, comms)}
    findings = [found for found in status.findings if _device(found) not in silent]
    told = {f"({found.row})" for found in status.findings}
    waits = [reason for reason in status.waits_for if reason.rpartition(" ")[2] not in told]
    lines = [
        *(Text(text, "red", overflow="ellipsis", no_wrap=True)
          for text in silent_devices(status)),
        *(Text(f"{found.level} {found.owner}/{found.row}: {found.text} ({found.reaction})", "red")
          for found in findings),
        *(Text(text, "yellow", overflow="ellipsis", no_wrap=True)
          for text in troubled_devices(status)),
        *(Text(f"waits: {reason}", "yellow", overflow="ellipsis", no_wrap=True)
          for reason in waits),
    ]  # fmt: skip
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield Text(f"and {len(lines) - _SHOWN} more: holdfast explain", "yellow")


def _device(found: FindingStatus) -> str:
    """Names the device whose silence ``found`` tells of, as its driver is called."""
    return f"{found.owner}/{found.row.removesuffix('_data_missing')}"


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
    """Returns the upper bound of the bucket that the share lies in."""
    wanted, seen = share * sum(histogram.counts), 0
    for bound_s, count in zip(BOUNDS_S, histogram.counts, strict=False):
        seen += count
        if seen >= wanted:
            return f"≤ {bound_s * 1e6:g} µs"
    return f"> {BOUNDS_S[-1] * 1e6:g} µs"


def _slot(status: Status) -> PlanSlot | None:
    return None if status.plan is None else status.plan.slot


def _w(power_w: float | None) -> str:
    return amount(power_w, "W")


def _value(status: Status, owner: str, signal: Signal, unit: str) -> str:
    value = status.value(owner, signal)
    return "–" if value is None else f"{value:.0f} {unit}"


def _direction(power_w: float | None, positive: str, negative: str) -> str:
    if power_w is None or abs(power_w) < 0.5:
        return ""
    return positive if power_w > 0 else negative
