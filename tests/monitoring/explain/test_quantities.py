"""Loads, rooms, export limits in words: what each does, and nothing of what is not known."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from holdfast.core.commands import Command
from holdfast.core.signals import Signal
from holdfast.monitoring.explain.quantities import quantity_sentences
from holdfast.monitoring.explain.situation import Situation, situation_at
from holdfast.monitoring.explain.text import explain
from holdfast.monitoring.quantities.quantity import Quantity
from tests.builders import LOAD, UNIT, build_site, device, load_content, unit_content
from tests.monitoring.audit.test_observer import NOON, AuditBench
from tests.monitoring.explain.test_text import BERLIN, lines_of, said
from tests.monitoring.quantities.test_table import WHY, limiting


def recorded(bench: AuditBench) -> str:
    situation = situation_at(lines_of(*bench.events))
    assert situation is not None
    return "\n".join(explain(situation, BERLIN))


def sentences(
    *quantities: Quantity, was: bool = False, readings: Mapping[str, float] | None = None
) -> list[str]:
    situation = Situation(
        time=NOON,
        recorded=was,
        quantities=quantities,
        readings={quantities[0].owner: readings or {}},
    )
    return [text for text in quantity_sentences(situation) if text]


def with_loads() -> AuditBench:
    bench = AuditBench(build_site(loads=[load_content(without_plan="on")]))
    bench.start()
    bench.run(1.0)
    return bench


def test_what_a_load_does_is_told_with_its_reason() -> None:
    bench = with_loads()
    does = "Load boiler is on: no plan for it: on."
    assert does in said(bench)
    assert does in recorded(bench)
    bench.step(Command.EMERGENCY_STOP)
    bench.run(0.1)
    blocked = "Load boiler is off: it may not run, since the emergency stop is latched."
    assert blocked in said(bench)
    assert blocked in recorded(bench)


def test_a_thermostat_says_what_it_keeps_and_how_warm_it_is() -> None:
    room = Quantity(
        owner="bath",
        name="room_setpoint",
        unit="°C",
        asked=22.0,
        source="plan",
        reason="r",
        permitted=22.0,
        written=22.0,
        read_back=21.5,
        measured=20.46,
    )
    warm: dict[str, float] = {Signal.ROOM_TEMPERATURE_C: 20.46}
    assert sentences(room, readings=warm) == ["Room bath is to keep 21.5 °C, at 20.5 °C: r."]
    load = replace(room, name="load", unit="0/1", asked=1.0, written=None, read_back=1.0)
    assert sentences(load, room, readings=warm | {Signal.LOAD_ON: 1.0}) == [
        "Room bath is heated and is to keep 21.5 °C, at 20.5 °C: r."
    ]
    assert sentences(room, was=True) == ["Room bath is to keep 22.0 °C: r."]
    blocked = replace(room, limited_by="battery/cell_voltage_high")
    assert sentences(blocked, readings=warm) == [
        "Room bath is to keep 21.5 °C, at 20.5 °C: it may not run, since battery/cell_voltage_high."
    ]


def test_a_load_of_which_nothing_is_known_is_told_by_its_finding_alone() -> None:
    bench = with_loads()
    bench.set(Signal.LOAD_ON, None, LOAD)
    bench.run(61.0, dt_s=0.2)
    text = said(bench)
    assert "Load boiler" not in text
    assert "load switch does not answer" in text
    assert "nan" not in text


def test_an_export_limit_is_told_while_a_plan_has_set_it() -> None:
    bench = AuditBench(build_site(unit_content(inverter=device("generic_hybrid"))))
    bench.start()
    bench.run(1.0)
    assert "export" not in said(bench) + recorded(bench)
    bench.run(1.0, plan=limiting(bench, 100.0))
    sentence = (
        f"The inverter of battery was told to let the site export 100 W at most, by throttling "
        f"PV: {WHY}."
    )
    assert sentence in said(bench)
    assert sentence in recorded(bench)
    bench.run(1.0)
    assert sentence not in said(bench) + recorded(bench)


@pytest.mark.parametrize(
    ("shown_w", "told"),
    [(None, []), (10_010.0, []), (10_010.1, ["10,000 W at most, and shows 10,010 W."])],
)
def test_an_inverter_that_shows_another_limit_is_told_of(
    shown_w: float | None, told: list[str]
) -> None:
    limit = Quantity(
        owner=UNIT,
        name="export_limit",
        unit="W",
        asked=10_000.0,
        source="grid_connection",
        reason="r",
        permitted=10_000.0,
        written=10_000.0,
        read_back=shown_w,
        measured=None,
    )
    assert [text.partition("export ")[2] for text in sentences(limit)] == told
    assert sentences(limit, was=True) == [], "what was read back is from before"


STAYS_ON = "the grid connection has no room for more import, or that cannot be told"


@pytest.mark.parametrize(
    ("written", "shown", "limited_by", "told"),
    [
        (0.0, 0.0, "", ["PV behind battery is switched off: paid."]),
        (0.0, None, "", ["PV behind battery is switched off: paid."]),
        (0.0, 1.0, "", ["PV behind battery was told to be off, and shows on."]),
        (1.0, 1.0, "", []),
        (None, 1.0, "", []),
        (1.0, 1.0, "room_for_import",
         [f"PV behind battery stays on, since {STAYS_ON}."]),
    ],
)  # fmt: skip
def test_pv_that_is_off_or_stays_on_is_told_of(
    written: float | None, shown: float | None, limited_by: str, told: list[str]
) -> None:
    switch = Quantity(
        owner=UNIT,
        name="pv_switch",
        unit="0/1",
        asked=0.0,
        source="plan",
        reason="paid",
        limited_by=limited_by,
        permitted=written,
        written=written,
        read_back=shown,
        measured=None,
    )
    assert sentences(switch) == told
    was = [] if written is None or (written and not limited_by) else told
    if (written, shown) == (0.0, 1.0):
        was = ["PV behind battery is switched off: paid."]
    assert sentences(switch, was=True) == was


def test_a_quantity_without_words_of_its_own_is_told_all_the_same() -> None:
    other = Quantity(
        owner="left",
        name="reactive_power",
        unit="var",
        asked=300.0,
        source="grid_operator",
        reason="cos phi",
        limited_by="site.yaml",
        permitted=200.0,
        written=200.0,
        read_back=150.0,
        measured=None,
    )
    assert sentences(other) == ["Reactive power of left is 150 var, limited by site.yaml: cos phi."]
    assert sentences(replace(other, read_back=None)) == []
    assert sentences(replace(other, read_back=None, limited_by=""), was=True) == [
        "Reactive power of left is 200 var: cos phi."
    ]


def device_mode(**values: object) -> Quantity:
    content: dict[str, object] = {
        "owner": UNIT,
        "name": "device_mode",
        "unit": "mode",
        "asked": 1.0,
        "source": "plan",
        "reason": "the sun will do",
        "permitted": 1.0,
        "written": 1.0,
        "read_back": 1.0,
        "measured": None,
    }
    return Quantity(**(content | values))  # type: ignore[arg-type]


def test_an_inverter_that_is_left_to_itself_is_told_of_with_its_reason() -> None:
    led = ["The inverter of battery is left to load_first: the sun will do."]
    assert sentences(device_mode()) == led
    assert sentences(device_mode(), was=True) == led
    idle = device_mode(asked=0.0, permitted=0.0, written=0.0, read_back=0.0)
    assert sentences(idle) == sentences(idle, was=True) == []
    assert sentences(device_mode(read_back=None)) == []


def test_a_mode_that_may_not_be_is_told_with_what_keeps_it_from_that() -> None:
    kept = device_mode(permitted=0.0, written=0.0, read_back=0.0, limited_by="soc_low")
    (told,) = sentences(kept)
    assert told == (
        "The inverter of battery was to be left to load_first, and follows its setpoint: not all "
        "that it might do is permitted (soc_low)."
    )
