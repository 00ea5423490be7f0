"""Rows of documents: what is a value, what is none, and what makes a document not count."""

import json
import math
from time import tzset
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from holdfast.core.signals import Signal
from holdfast.devices.json_path import Document, parse_document
from holdfast.devices.json_rows import (
    JsonDocument,
    JsonValue,
    Message,
    Unfit,
    check_documents,
)
from tests.devices.test_json_path import JSON

POWER, VOLTAGE, ON = Signal.GRID_POWER_W, Signal.GRID_VOLTAGE_V, Signal.LOAD_ON


def row(signal: Signal = POWER, **keys: Any) -> dict[str, Any]:
    return {"signal": signal, **keys}


def table(*rows: dict[str, Any], **keys: Any) -> JsonDocument:
    return JsonDocument.model_validate({"values": rows, **keys})


def read(document: JsonDocument, content: object) -> Message | Unfit:
    parsed = parse_document(json.dumps(content).encode())
    assert isinstance(parsed, Document)
    return document.read(parsed)


def values(document: JsonDocument, content: object) -> dict[Signal, float]:
    message = read(document, content)
    assert isinstance(message, Message)
    return dict(message.values)


def why(document: JsonDocument, content: object) -> str:
    unfit = read(document, content)
    assert isinstance(unfit, Unfit)
    return unfit.why


def test_a_value_is_scaled_and_a_word_is_not() -> None:
    document = table(row(json="p", scale=-1000, words={"none": 0, "high": 7}))
    assert values(document, {"p": 1.5}) == {POWER: -1500.0}
    assert values(document, {"p": "2"}) == {POWER: -2000.0}
    assert values(document, {"p": "high"}) == {POWER: 7.0}


def test_parts_are_added() -> None:
    document = table(
        row(json="in", scale=1000, also=[{"json": "out", "scale": -1000}, {"json": "more"}])
    )
    assert values(document, {"in": 1, "out": 0.25, "more": 3}) == {POWER: 753.0}
    assert "is not there" in why(document, {"in": 1, "more": 3})
    assert math.isnan(values(document, {"in": 1, "out": "x", "more": 3})[POWER])


def test_the_message_itself_may_be_the_number() -> None:
    assert values(table(row()), 230) == {POWER: 230.0}
    assert why(table(row()), None) == "the message is not there, for grid_power_w"


def test_true_false_null_and_numbers_need_no_quotation_marks_to_be_words() -> None:
    document = table(row(ON, json="on", words={True: 1, False: 0, None: 0, 2: 1}))
    for content, value in ((True, 1.0), (False, 0.0), (None, 0.0), (2, 1.0)):
        assert values(document, {"on": content}) == {ON: value}


def test_what_is_no_number_is_told_and_is_not_available() -> None:
    message = read(table(row(json="p"), row(VOLTAGE, json="v")), {"p": "open", "v": 230})
    assert isinstance(message, Message)
    power, voltage = message.told(77)
    assert math.isnan(power.value)
    assert power.doubt == "the device says that it is not available; p is 'open'"
    assert (voltage.value, voltage.hint) == (230.0, "")
    assert power.time_ns == voltage.time_ns == 77


def test_without_a_value_that_has_to_come_nothing_of_it_counts() -> None:
    document = table(row(json="p"), row(VOLTAGE, json="v", optional=True))
    assert values(document, {"p": 1}) == values(document, {"p": 1, "v": None}) == {POWER: 1.0}
    assert why(document, {"v": 230}) == "p is not there, for grid_power_w"
    assert why(document, {"p": None, "v": 230}) == "p is not there, for grid_power_w"


def test_what_is_expected_has_to_stand_in_it() -> None:
    document = table(row(json="p"), expects={"ok": True, "s.code": 0, "kind": "em"})
    good = {"p": 1, "ok": True, "s": {"code": 0}, "kind": "em"}
    assert values(document, good) == {POWER: 1.0}
    assert why(document, good | {"ok": False}) == "ok is false, and not true"
    assert why(document, good | {"s": {}}) == "s.code is null, and not 0"
    assert why(document, good | {"kind": []}) == "kind is no word, and not em"


@pytest.mark.parametrize(
    ("time", "stamp_s"),
    [
        (1_700_000_000, 1_700_000_000.0),
        (1_700_000_000_500, 1_700_000_000.5),
        ("1700000000", 1_700_000_000.0),
        ("2023-11-14T22:13:20", 1_700_000_000.0),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000.0),
        (99_999_999_999, 99_999_999_999.0),
        (100_000_000_000, 100_000_000.0),
        (-1_700_000_000_500, -1_700_000_000.5),
        (999_999_999_999_999, 999_999_999_999.999),
    ],
)
def test_times_are_seconds_milliseconds_or_words_of_iso_8601(time: object, stamp_s: float) -> None:
    message = read(table(row(json="p"), time="t"), {"p": 1, "t": time})
    assert isinstance(message, Message)
    assert message.stamp_s == stamp_s


def test_a_time_without_a_zone_does_not_depend_on_where_the_computer_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as somewhere:
        somewhere.setenv("TZ", "Asia/Tokyo")
        tzset()
        message = read(table(row(json="p"), time="t"), {"p": 1, "t": "2023-11-14T22:13:20"})
    tzset()
    assert isinstance(message, Message)
    assert message.stamp_s == 1_700_000_000.0


@pytest.mark.parametrize("time", [None, True, [], "noon", 1e15, -1e300, "9999999999999999"])
def test_without_a_time_that_is_one_nothing_counts(time: object) -> None:
    assert why(table(row(json="p"), time="t"), {"p": 1, "t": time}) == "t is no time"


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_the_ends_of_the_calendar_are_no_error(time: str) -> None:
    read(table(row(json="p"), time="t"), {"p": 1, "t": time})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (row(json="p", scale=0), "scale 0 makes every value 0"),
        (row(json="a b"), "is no path"),
        (row(ON, words={"on": 2}), "load_on cannot be 2, for which on is"),
        (row(words={"x": math.inf}), "finite"),
        (row(unit="W"), "unit"),
        (row(json="x" * 201), "200"),
        (row(words={"x": "y"}), "words"),
        (row(words={(): 1}), "words"),
    ],
)
def test_a_row_that_is_wrong_is_refused(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as error:
        table(wrong)
    assert told in str(error.value)


def test_a_document_holds_a_value_at_least() -> None:
    with pytest.raises(ValidationError, match="values"):
        table()


def test_a_signal_stands_in_one_place() -> None:
    power, voltage = table(row(json="p")), table(row(VOLTAGE, json="v"))
    check_documents((power, voltage))
    for twice in ((power, voltage, power), (table(row(json="p"), row(json="q")),)):
        with pytest.raises(ValueError, match=r"^signal listed twice: grid_power_w$"):
            check_documents(twice)


def test_a_row_has_a_name() -> None:
    assert JsonValue.model_validate(row(json="a[0]")).place == "a[0]"


@given(content=JSON)
def test_no_document_makes_a_table_raise(content: object) -> None:
    document = table(
        row(json="a", words={"x": 0}, also=[{"json": "b"}]),
        row(VOLTAGE, json="a[0]", optional=True),
        expects={"b": 0},
        time="a.b",
    )
    for one in (document, table(row(json="a")), table(row())):
        message = read(one, content)
        assert isinstance(message, Unfit) or {t.signal for t in message.told(0)} <= {POWER, VOLTAGE}
