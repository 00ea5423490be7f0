"""The view of a site: what the site is asked for, and what of it each unit."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from holdfast.cli.view import status_line, status_view
from holdfast.core.signals import Signal
from holdfast.monitoring.load_status import LoadStatus
from holdfast.monitoring.status import Status
from tests.builders import Bench, build_site, unit_content
from tests.monitoring.test_explain import status_of


def shown(status: Status) -> str:
    out = io.StringIO()
    Console(file=out, width=120).print(status_view(status, "Europe/Berlin"))
    return out.getvalue()


@pytest.fixture(scope="module")
def status() -> Status:
    """Two units of 5 kW, of which more is asked than both have."""
    bench = Bench(build_site(unit_content("left"), unit_content("right")))
    bench.start()
    bench.set(Signal.GRID_POWER_W, 3000.0)
    bench.run(3.0)
    return status_of(bench)


def test_the_wish_of_the_site_is_told_and_the_share_of_each_unit(status: Status) -> None:
    share_w = status.setpoints["left"].asked_w
    assert status.request_w < 2 * share_w == -10_000.0
    text = shown(status)
    assert f"self_consumption asks {status.request_w:.0f} W of the site" in text
    for unit in ("left", "right"):
        (row,) = [line for line in text.splitlines() if f" {unit} " in line and "…" in line]
        assert f" {share_w:.0f} " in row
    assert (
        f"asked of the site {status.request_w:.0f} W, of left {share_w:.0f} W, written"
    ) in status_line(status)


def test_latches_that_are_not_saved_are_told(status: Status) -> None:
    assert "NOT ON DISK" not in shown(status)
    assert "latches are NOT ON DISK" in shown(replace(status, latches_on_disk=False))


def test_loads_are_shown_only_where_there_are_any(status: Status) -> None:
    assert "boiler" not in shown(status)
    assert "room" not in shown(status)
    boiler = LoadStatus(
        asked_on=True, asked_setpoint_c=None, source="plan", reason="1,500 W of 2,000 W",
        may_run=False, blocked_by="state_stopped", on=None, setpoint_c=None, temperature_c=None,
    )  # fmt: skip
    bath = replace(
        boiler, asked_setpoint_c=21.5, source="local_rule", reason="20 °C at least", may_run=True,
        blocked_by="", on=True, setpoint_c=21.5, temperature_c=20.46,
    )  # fmt: skip
    parlour = replace(bath, asked_on=False, asked_setpoint_c=None, on=False)
    loads = {"boiler": boiler, "bath": bath, "parlour": parlour}
    rows = [line.split() for line in shown(replace(status, loads=loads)).splitlines()]
    (heads,) = [row for row in rows if "asked" in row and "room" in row]
    assert heads == ["│", "load", "asked", "is", "room", "why", "│"]
    by_name = {row[1]: " ".join(row[2:-1]) for row in rows if len(row) > 2 and row[1] in loads}
    assert by_name == {
        "boiler": "on – plan: 1,500 W of 2,000 W (off by state_stopped)",
        "bath": "21.5 °C on 20.5 °C local_rule: 20 °C at least",
        "parlour": "off off 20.5 °C local_rule: 20 °C at least",
    }
