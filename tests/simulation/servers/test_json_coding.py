"""What the simulated site sends as JSON reads, by the same table, as what the plant is like."""

import json

import pytest

from holdfast.core.signals import SIGNALS, Signal
from holdfast.devices.http_profile import HttpProfile
from holdfast.devices.json_path import parse_document
from holdfast.devices.json_rows import JsonDocument, Message
from holdfast.devices.mqtt_profile import MqttProfile
from holdfast.devices.profile import load_profile, profile_names
from holdfast.simulation.servers.json_coding import command_in, document_of, word_at

UTC_S = 1_764_000_000.25
TABLES = [
    table
    for name in profile_names()
    if isinstance(table := load_profile(name), HttpProfile | MqttProfile)
]


def read(document: JsonDocument, payload: bytes) -> Message:
    parsed = parse_document(payload)
    message = document.read(parsed)
    assert isinstance(message, Message), message
    return message


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_document_of_every_table_reads_as_the_plant_is(
    table: HttpProfile | MqttProfile,
) -> None:
    for document in table.reads:
        for fraction in (0.0, 0.25):
            told = {
                row.signal: SIGNALS[row.signal].high * fraction
                if SIGNALS[row.signal].unit != "0/1"
                else float(fraction > 0)
                for row in document.values
            }
            message = read(document, document_of(document, told, UTC_S))
            assert message.values == pytest.approx(told)
            assert message.hints == {}
            assert message.stamp_s in {None, UTC_S}


def test_what_is_delivered_and_what_is_returned_stand_where_each_belongs() -> None:
    row = {
        "signal": "grid_power_w", "json": "house.taken[1]", "scale": 1000,
        "also": [{"json": "house.given", "scale": -1000}],
    }  # fmt: skip
    document = JsonDocument.model_validate({"values": [row], "expects": {"ok": True, "at": 0}})
    sent = document_of(document, {Signal.GRID_POWER_W: -1500.0}, UTC_S)
    assert json.loads(sent) == {"ok": True, "at": 0, "house": {"taken": [None, 0], "given": 1.5}}
    assert read(document, sent).values[Signal.GRID_POWER_W] == -1500.0


def test_a_command_is_understood_as_its_table_says_it() -> None:
    for table in TABLES:
        for point, write in table.points.items():
            assert isinstance(table, MqttProfile)
            for value in (0.0, 1.0):
                assert command_in(write, write.message(value).encode()) == value, point
            assert command_in(write, b"nonsense") is None


def test_whether_it_is_there_is_a_word_or_stands_in_a_message() -> None:
    assert word_at("", "online") == b"online"
    assert json.loads(word_at("state.now", "true")) == {"state": {"now": True}}
