"""An export limit that takes several registers: what is sent, and what counts as in force."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.commands import Point
from holdfast.core.errors import ConfigError
from holdfast.core.signals import SIGNALS, Signal
from holdfast.devices.limit_write import NO_LIMIT_W, LimitWrite
from holdfast.devices.register_image import NOTHING_SHOWN, LastShown
from tests.devices.test_verbs import HARDWARE, VERBS, table

LIMIT = """
  - point: export_limit_w
    readback: export_limit_readback_w
    writes_per_day: 96
    limit:
      - {address: 50, type: uint16, value: power, scale: 10, stored: true}
      - {address: 51, type: uint16, value: 170, stored: true}
"""
PLAIN = VERBS + LIMIT
SHOWN = Signal.EXPORT_LIMIT_READBACK_W


def limit(text: str = PLAIN) -> LimitWrite:
    row = table(text).points[Point.EXPORT_LIMIT_W]
    assert isinstance(row, LimitWrite)
    return row


def held(**registers: int) -> LastShown:
    image = {(None, "holding", int(name[1:])): word for name, word in registers.items()}
    return LastShown(image=image, told={})  # type: ignore[arg-type]


def sent(value: float, shown: LastShown = NOTHING_SHOWN) -> list[tuple[int, list[int]]]:
    return [(one.address, list(one.words)) for one in limit().requests(value, shown)]


def told(**registers: int) -> float:
    """What a poll of these registers tells; all others are 0."""
    profile = table(PLAIN)
    places = {place for block in profile.blocks() for place in block.places}
    image = dict.fromkeys(places, 0) | held(**registers).image
    return profile.value_of(SHOWN, image)


def test_the_limit_is_written_first_and_put_in_force_then():
    assert sent(5000.0) == [(50, [500]), (51, [170])]
    assert sent(0.0) == [(50, [0]), (51, [170])]


def test_a_limit_between_two_steps_is_the_lower_one():
    assert sent(5009.0)[0] == (50, [500])
    assert limit().kept(5009.0) == 5000.0
    assert limit().resolution == 10.0


def test_a_float_register_keeps_every_limit():
    exact = "type: float32, function: multiple, value: power"
    text = PLAIN.replace("type: uint16, value: power, scale: 10", exact)
    assert limit(text.replace("address: 51", "address: 52")).kept(5009.5) == 5009.5


def test_the_switch_may_come_first_where_a_device_wants_that():
    power, switch = LIMIT.splitlines(keepends=True)[-2:]
    row = limit(VERBS + LIMIT.replace(power + switch, switch + power))
    requests = row.requests(5009.0, NOTHING_SHOWN)
    assert [(one.address, *one.words) for one in requests] == [(51, 170), (50, 500)]
    assert row.resolution == 10.0
    assert row.value(held(r50=500, r51=170).image) == 5000.0


def test_what_is_kept_in_flash_is_not_written_again():
    assert sent(5000.0, held(r50=500, r51=170)) == []
    assert sent(4000.0, held(r50=500, r51=170)) == [(50, [400])]
    assert sent(5000.0, held(r50=500, r51=85)) == [(51, [170])]


def test_a_limit_counts_once_it_is_in_force_and_else_there_is_none():
    assert told(r50=500, r51=170) == 5000.0
    assert told(r50=0, r51=170) == 0.0
    assert told(r50=500, r51=85) == NO_LIMIT_W
    assert told(r50=500) == NO_LIMIT_W


def test_no_limit_is_a_value_that_the_signal_can_have():
    assert SIGNALS[SHOWN].is_plausible(NO_LIMIT_W)
    assert NO_LIMIT_W == 2.0**32 - 1.0, "all ones, as devices say it"


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, -math.inf])
def test_what_is_no_limit_is_never_sent(value):
    with pytest.raises(ValueError, match="is no limit of what is exported"):
        sent(value)


def test_more_than_the_register_holds_is_refused_and_nothing_goes_out():
    with pytest.raises(ValueError, match="uint16"):
        sent(700_000.0)


@given(value=st.floats(0.0, 655_350.0))
def test_it_shows_what_it_was_told_and_never_more(value):
    image = {}
    for request in limit().requests(value, NOTHING_SHOWN):
        image |= dict(zip(request.places, request.words, strict=True))
    assert value - 10.0 < limit().value(image) <= value + 1e-6


def test_it_belongs_to_the_inverter_and_is_read_with_the_rest():
    profile = table(PLAIN).bound(HARDWARE)
    assert SHOWN in profile.signals
    row = profile.points[Point.EXPORT_LIMIT_W]
    assert isinstance(row, LimitWrite)
    assert (row.signal, row.step, row.sets_timer) == (SHOWN, 0.0, False)
    assert row.rests_on == set()
    assert profile.traits[Point.EXPORT_LIMIT_W].writes_per_day == 96
    assert profile.traits[Point.EXPORT_LIMIT_W].step == 10.0


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("value: power", "value: 10", "it has no power; one power, and numbers beside"),
        ("value: 170", "value: power", "it has power and power; one power"),
        ("value: 170", "value: timeout", "it has power and timeout; one power"),
        ("value: power", "value: ac_power", "it has ac_power; one power"),
        ("value: power, scale: 10", "value: power, of_rated: true", "no share of what is"),
        (
            "value: 170",
            "value: 170, joined: true, function: multiple",
            "limit: what is joined at 51 follows no",
        ),
        ("export_limit_readback_w", "pv_on", "export_limit_readback_w"),
        ("point: export_limit_w", "point: pv_on", "export_limit_w"),
    ],
)
def test_a_limit_that_cannot_be_told_is_refused_with_a_reason(old, new, complaint):
    assert LIMIT.count(old) == 1
    with pytest.raises(ConfigError, match=complaint):
        table(VERBS + LIMIT.replace(old, new))
