"""The view of a site: what the site is asked for, and what of it each unit."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from holdfast.cli.status_line import WAITS_FOR_START, status_line
from holdfast.cli.view import status_view
from holdfast.client.status_outline import outline_of
from holdfast.core.ports import CommsCounters
from holdfast.core.signals import SITE, Signal
from holdfast.monitoring.quantities.quantity import Quantity, QuantityName
from holdfast.monitoring.status.codec import encode_status
from holdfast.monitoring.status.comms import comms_status
from holdfast.monitoring.status.schema import FindingStatus, Status
from holdfast.site.devices import physical_devices
from tests.builders import Bench, build_site, unit_content
from tests.monitoring.explain.test_text import status_of


def shown(status: Status, width: int = 120) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(status_view(status, "Europe/Berlin"))
    return out.getvalue()


def line(status: Status) -> str:
    return status_line(outline_of(encode_status(status)))


@pytest.fixture(scope="module")
def status() -> Status:
    """Two units of 5 kW, of which more is asked than both have."""
    bench = Bench(build_site(unit_content("left"), unit_content("right")))
    bench.start()
    bench.load_w = 15_000.0
    bench.run(3.0)
    return status_of(bench)


def test_the_wish_of_the_site_is_told_and_the_share_of_each_unit(status: Status) -> None:
    share_w = status.quantities_of(QuantityName.BATTERY_POWER)["left"].asked
    assert share_w is not None
    assert status.request_w < 2 * share_w == -10_000.0
    text = shown(status)
    assert f"default asks {status.request_w:,.0f} W of the site" in text
    for unit in ("left", "right"):
        (row,) = [line for line in text.splitlines() if f" {unit} " in line and "…" in line]
        assert f" {share_w:.0f} " in row
    assert (
        f"asked of the site {status.request_w:,.0f} W, of left {share_w:,.0f} W, written"
    ) in line(status)


def test_latches_that_are_not_saved_are_told(status: Status) -> None:
    assert "NOT ON DISK" not in shown(status)
    assert "latches are NOT ON DISK" in shown(replace(status, latches_on_disk=False))


def test_a_controller_whose_status_is_left_out_is_alive_all_the_same(status: Status) -> None:
    brief = replace(status, quantities=(), readings={}, left_out="record too long: 9 bytes")
    assert "alive, and not all can be shown: record too long: 9 bytes" in shown(brief)
    assert "alive; record too long: 9 bytes" in line(brief)


def test_brackets_in_texts_from_outside_are_shown_as_they_are(status: Status) -> None:
    odd = replace(status, plan_refused="slot [/] of [red]p1[/red]")
    assert "last plan refused: slot [/] of [red]p1[/red]" in shown(odd)


def test_a_site_that_waits_for_a_start_says_so_loudly(status: Status) -> None:
    assert WAITS_FOR_START not in shown(status) + line(status)
    waiting = replace(status, waits_for_start=True)
    assert WAITS_FOR_START in shown(waiting)
    assert WAITS_FOR_START in line(waiting)


def test_with_every_device_absent_the_view_fits_a_small_terminal() -> None:
    bench = Bench()
    alive = (SITE, Signal.WATCHDOG_ARMED)
    bench.values = {key: 0.0 if key == alive else None for key in bench.values}
    bench.run(1.0)
    counters = {
        one.name: CommsCounters(where="192.168.178.112:502, device 1")
        for one in physical_devices(bench.site)
    }
    for one in counters.values():
        for _ in range(12):
            one.silent("connection refused")
    comms = {name: comms_status(one, 0) for name, one in counters.items()}
    status = replace(status_of(bench), comms=comms)
    lines = shown(status, width=80).splitlines()
    assert len(lines) <= 24
    rows = [index for index, line in enumerate(lines) if "device 1: connection refused" in line]
    assert len(rows) == len(comms) == 5
    alarms = [index for index, line in enumerate(lines) if "alarm " in line]
    waits = [index for index, line in enumerate(lines) if "waits: " in line]
    assert max(rows) < min(alarms + waits)
    assert not alarms or max(alarms) < min(waits)
    assert "data that have never come" not in "".join(lines), "the silence says so"
    assert "more: holdfast explain" in "".join(lines)


def test_an_alarm_is_not_repeated_as_something_to_wait_for(status: Status) -> None:
    found = FindingStatus(
        owner="left", row="soc_high", level="alarm", reaction="log", for_s=1.0, text="soc is 99"
    )
    waits = ("left: soc is 99 (soc_high)", "site: the loop is open (emergency_loop_closed)")
    text = shown(replace(status, findings=(found,), waits_for=waits))
    assert text.count("soc is 99") == 1
    assert "waits: site: the loop is open" in text


def test_other_quantities_are_shown_only_where_there_are_any(status: Status) -> None:
    assert "boiler" not in shown(status)
    assert "room" not in shown(status)
    assert "export limit" not in shown(status)
    boiler = Quantity(
        owner="boiler",
        name="load",
        unit="0/1",
        asked=1.0,
        source="plan",
        reason="1,500 W of 2,000 W",
        low=0.0,
        high=0.0,
        high_by="state_stopped",
        limited_by="state_stopped",
        permitted=0.0,
        written=0.0,
        read_back=None,
        measured=None,
    )
    bath = Quantity(
        owner="bath",
        name="room_setpoint",
        unit="°C",
        asked=21.5,
        source="local_rule",
        reason="20 °C at least",
        permitted=21.5,
        written=21.5,
        read_back=21.5,
        measured=20.46,
    )
    limit = Quantity(
        owner="left",
        name="export_limit",
        unit="W",
        asked=100.0,
        source="plan",
        reason="sun",
        permitted=100.0,
        written=100.0,
        read_back=4000.0,
        measured=None,
    )
    others = (boiler, bath, limit)
    text = shown(replace(status, quantities=(*status.quantities, *others)))
    lines = [" ".join(line.strip("│ ").split()) for line in text.splitlines()]
    for expected in (
        ["load asked may permitted written", "boiler on off … off off off",
         "boiler: plan: 1,500 W of 2,000 W; bounded by state_stopped"],
        ["room setpoint, °C asked permitted written read back measured",
         "bath 21.5 21.5 21.5 21.5 20.5", "bath: local_rule: 20 °C at least"],
        ["export limit, W asked permitted written read back", "left 100 100 100 4000",
         "left: plan: sun"],
    ):  # fmt: skip
        at = lines.index(expected[0])
        assert lines[at : at + 3] == expected


def test_a_battery_of_ten_kilowatts_fits_a_terminal(status: Status) -> None:
    power = replace(
        status.quantities[0],
        asked=-10_000.0,
        low=-10_000.0,
        high=10_000.0,
        permitted=-10_000.0,
        ramped=-10_000.0,
        written=-10_000.0,
        read_back=-10_000.0,
        measured=-10_000.0,
    )
    out = io.StringIO()
    status = replace(status, quantities=(power,))
    Console(file=out, width=80).print(status_view(status, "Europe/Berlin"))
    (row,) = [line for line in out.getvalue().splitlines() if line.startswith("│ left  ")]
    assert row.split() == ["│", "left", "-10000", "-10000", "…", "10000", *5 * ["-10000"], "│"]


def test_a_device_that_answers_and_fails_again_and_again_is_told_with_the_reason(
    status: Status,
) -> None:
    one = CommsCounters(where="192.0.2.12:502, device 1")
    for _ in range(4):
        one.heard(0)
        one.failed("read at 0 was answered with exception 6 (device busy)")
    one.heard(0)
    troubled = replace(status, comms={"battery/inverter": comms_status(one, 0)})
    (line,) = (line for line in shown(troubled, width=200).splitlines() if "exception 6" in line)
    assert "battery/inverter at 192.0.2.12:502, device 1: 4 of the last 100 requests" in line
    assert "exception 6" not in shown(status)
