"""The view of a site: what the site is asked for, and what of it each unit."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from holdfast.cli.view import status_line, status_view
from holdfast.core.signals import Signal
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
