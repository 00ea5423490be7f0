"""Signals from outside count as long as their sender says, and as the kind they were said to be."""

from datetime import UTC, datetime, timedelta

import pytest

from holdfast.core.errors import ConfigError
from holdfast.scheduling.rules.fact_table import FactKind
from holdfast.scheduling.rules.signals import (
    ExternalSignal,
    decode_signals,
    encode_signals,
    known_signals,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=30)
KINDS = {"hot": FactKind.TRUTH, "vpp_w": FactKind.NUMBER, "tariff": FactKind.TEXT}


def signals(**values: float | bool | str) -> dict[str, ExternalSignal]:
    return {name: ExternalSignal(value=value, until=LATER) for name, value in values.items()}


def test_what_is_written_is_read_again() -> None:
    given = signals(hot=True, vpp_w=1500, tariff="low")
    assert decode_signals(encode_signals(given)) == given


def test_a_signal_counts_until_its_end_and_is_then_not_known() -> None:
    given = decode_signals(encode_signals(signals(hot=True, vpp_w=1500, tariff="low")))
    known = known_signals(given, KINDS, NOW)
    assert known == {"hot": True, "vpp_w": 1500.0, "tariff": "low"}
    assert type(known["vpp_w"]) is float
    assert known_signals(given, KINDS, LATER) == {}


@pytest.mark.parametrize("value", [1.0, "yes", float("nan")])
def test_one_of_another_kind_is_not_known(value: float | str) -> None:
    assert known_signals(signals(hot=value), KINDS, NOW) == {}
    assert known_signals(signals(vpp_w=True), KINDS, NOW) == {}
    assert known_signals(signals(vpp_w=float("inf")), KINDS, NOW) == {}


def test_one_that_no_rule_file_names_is_not_known() -> None:
    assert known_signals(signals(other=True), KINDS, NOW) == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no table of signals"),
        (b"[1]", "is no table of signals"),
        (b"{", "is no table of signals"),
        (b"[" * 50_000, "is no table of signals"),
        (b'{"a": 1}', "is no table of signals"),
        (b'{"a": {"value": 1}}', "is no table of signals"),
        (b'{"a": {"value": [1], "until": "2026-03-02T12:00:00Z"}}', "is no table of signals"),
        (b'{"a": {"value": 1, "until": "2026-03-02T12:00:00"}}', "a: until has no offset"),
        (b" " * 70_000, "has 70000 bytes, and 65536 are permitted"),
    ],
)
def test_a_file_of_something_else_is_refused(content: bytes, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        decode_signals(content)
