"""The targets can fail: a decoder that is broken on purpose is found out."""

import pytest

from fuzz.table import TARGETS
from holdfast.core.signals import SignalRow
from holdfast.devices.drivers import can_burst, modbus_link
from holdfast.markets.sources import slots


def seeds_of(name):
    return list(TARGETS[name].seeds())


def run_all(name, inputs=None):
    for data in inputs or seeds_of(name):
        TARGETS[name].run(data)


@pytest.mark.parametrize("name", ["modbus_tables", "can_bursts", "json_documents"])
def test_a_value_out_of_its_range_that_is_believed(name, monkeypatch):
    wild = {
        "modbus_tables": [bytes([index]) + b"\x7f\xff" * 500 for index in range(40)],
        "can_bursts": [bytes([0, index, 8]) + b"\xfe\x7f" * 4 for index in range(7)],
        "json_documents": [
            bytes([index]) + b'{"active_power_w": 1e300, "total_power": 1e300}'
            for index in range(9)
        ],
    }[name]  # fmt: skip
    run_all(name, wild)
    monkeypatch.setattr(SignalRow, "is_plausible", lambda _row, _value: True)
    with pytest.raises(AssertionError):
        run_all(name, wild)


def test_an_error_that_its_callers_do_not_expect(monkeypatch):
    def broken(*_):
        raise KeyError("broken on purpose")

    monkeypatch.setattr(can_burst.BurstCollector, "_check_count", broken)
    with pytest.raises(KeyError, match="on purpose"):
        run_all("can_bursts")


def test_an_answer_to_another_question_that_is_taken(monkeypatch):
    one_register_of_nine = bytes([0, 4, 1, 0x41, 5, 7, 3, 2, 0, 9])
    run_all("modbus_tcp_stream", [one_register_of_nine])
    monkeypatch.setattr(modbus_link, "mismatch", lambda *_: None)
    with pytest.raises(AssertionError):
        run_all("modbus_tcp_stream", [one_register_of_nine])


def test_a_table_that_is_refused_without_its_line(monkeypatch):
    malformed = [b"name: x\nprotocol: modbus\n"]
    run_all("device_tables", malformed)
    monkeypatch.setattr("holdfast.core.mistakes.lines_of", lambda _text: lambda _keys: "?")
    with pytest.raises(AssertionError, match="not told where"):
        run_all("device_tables", malformed)


def test_a_price_that_nobody_pays(monkeypatch):
    dear = [seed.replace(b"10.5", b"1e7") for seed in seeds_of("prices_awattar")]
    run_all("prices_awattar", dear)
    monkeypatch.setattr(slots, "plausible_slots", lambda _currency, all_slots, _: list(all_slots))
    with pytest.raises(AssertionError):
        run_all("prices_awattar", dear)
