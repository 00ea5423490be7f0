"""Logs of earlier versions, recorded: whole as they were, and told in the words of today."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from holdfast.monitoring.audit.events import QuantityChanged, decode_event
from holdfast.monitoring.audit.log_lines import Line, decode_line, event_of
from holdfast.monitoring.audit.text import describe
from holdfast.monitoring.audit.verify import verify
from holdfast.monitoring.explain.situation import situation_at
from holdfast.monitoring.explain.text import explain
from holdfast.monitoring.quantities.quantity import QuantityName
from tests.builders import LOAD, UNIT

RECORDED = Path(__file__).parent / "recorded"
FILE = RECORDED / "audit-000001.jsonl"


def recorded() -> list[Line]:
    """Version 0.1.0 of July 2026: BOOT to an emergency stop, with each kind of actuator."""
    lines = [decode_line(raw) for raw in FILE.read_bytes().splitlines()]
    assert None not in lines
    return [line for line in lines if line is not None]


def quantities(name: QuantityName, owner: str) -> list[QuantityChanged]:
    events = [event_of(line) for line in recorded()]
    return [
        event
        for event in events
        if isinstance(event, QuantityChanged)
        and (event.quantity.name, event.quantity.owner) == (name, owner)
    ]


def test_the_chain_is_whole() -> None:
    head = (RECORDED / "audit.head").read_bytes()
    verdict = verify([(FILE.name, FILE.read_bytes())], head)
    assert (verdict.problem, verdict.lines) == (None, 23)


def test_every_line_is_understood() -> None:
    kinds = {b'"kind":"setpoint"', b'"kind":"load"', b'"kind":"export_limit"'}
    assert all(any(kind in line.event for line in recorded()) for kind in kinds)
    assert None not in [event_of(line) for line in recorded()]


def test_a_setpoint_is_the_power_of_a_battery_with_all_its_layers() -> None:
    told = quantities(QuantityName.BATTERY_POWER, UNIT)[2]
    power = told.quantity
    assert (power.source, power.reason) == ("plan", "charges: 6.1 ct now")
    assert (power.asked_of_site, power.asked, power.permitted) == (4000.0, 2394.0, 2394.0)
    assert (power.low, power.high, power.high_by) == (-5000.0, 2394.0, "charge_current_limit_a")
    assert (power.ramped, power.written, power.measured) == (1760.0, 1640.0, 1640.0)
    assert told.beside["charge_current_limit_a"] == 45.0
    assert told.slot is not None
    assert told.left_out == 8


def test_loads_thermostats_and_export_limits_are_quantities() -> None:
    assert [
        (told.quantity.written, told.quantity.limited_by)
        for told in quantities(QuantityName.LOAD, LOAD)
    ] == [(1.0, ""), (0.0, "state_stopped")]
    assert [
        (told.quantity.written, told.quantity.measured, told.beside)
        for told in quantities(QuantityName.ROOM_SETPOINT, "parlour")
    ] == [(20.0, 19.0, {"room_temperature_c": 19.0}), (7.0, 19.0, {"room_temperature_c": 19.0})]
    assert [
        (told.quantity.written, told.quantity.source)
        for told in quantities(QuantityName.EXPORT_LIMIT, UNIT)
    ] == [(10_000.0, "grid_connection"), (100.0, "plan"), (10_000.0, "grid_connection")]


def test_they_are_shown_and_explained_as_of_today() -> None:
    lines = recorded()
    shown = [describe(event) for line in lines if (event := event_of(line)) is not None]
    assert "load boiler on: local_rule asks (no plan for it: on)" in shown
    assert "export limit battery 100 W: plan asks (charges: 6.1 ct now)" in shown
    situation = situation_at(lines[:13][::-1])
    assert situation is not None
    said = explain(situation, ZoneInfo("Europe/Berlin"))
    assert said[:3] == (
        "The battery is set to charge with 2,394 W, at 50 % state of charge.",
        "The plan asks to charge with 4,000 W until 14:15; its reason: charges: 6.1 ct now.",
        "The battery may charge with no more than 2,394 W: the BMS permits 45 A at 53.2 V.",
    )
    assert "Room parlour is to keep 20.0 °C, at 19.0 °C: the thermostat heats by itself." in said


@pytest.mark.parametrize(
    "content",
    [
        b'{"kind":"setpoint"', b'{"kind":"setpoint"}', b'{"kind":"load","load":"boiler"}',
        b'{"kind":"export_limit","unit":7,"limit_w":"much","by_plan":1,"reason":"","changes":1}',
        b'{"kind":"export_limit","unit":"u","limit_w":1,"by_plan":1,"reason":"","changes":"x"}',
    ],
)  # fmt: skip
def test_one_in_pieces_is_no_event(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_event(content)
