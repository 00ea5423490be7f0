"""A site in one line, for a log; and what both that and its view say."""

from holdfast.client.status_outline import StatusOutline
from holdfast.monitoring.quantities.quantity import amount

WAITS_FOR_START = "IT WAS RUNNING when its controller ended, and waits for `holdfast start`"


def status_line(status: StatusOutline) -> str:
    """Says in one line what a site does."""
    first = status.first
    if status.left_out or first is None:
        return f"{status.state.name} {status.request_source}: alive; {status.left_out}"
    followed = f"{status.mode} of plan {status.plan_id}" if status.mode else "no plan"
    waits = f"{WAITS_FOR_START}; " if status.waits_for_start else ""
    return (
        f"{status.state.name} {waits}{status.request_source} ({followed}): "
        f"asked of the site {_w(status.request_w)}, of {first.name} {_w(first.asked_w)}, "
        f"written {_w(first.written_w)}, measured {_w(first.measured_w)}, "
        f"SOC {_value(first.soc_pct, '%')}, grid {_value(status.grid_w, 'W')}"
    )


def _w(power_w: float | None) -> str:
    return amount(power_w, "W")


def _value(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:.0f} {unit}"
