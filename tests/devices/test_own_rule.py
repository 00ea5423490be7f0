"""A device that was given back shows that as a mode, whether its table names one or not."""

import pytest

from holdfast.core.commands import Point
from holdfast.core.device_mode import DeviceMode, number_of
from holdfast.core.signals import Signal
from holdfast.devices.profile import parse_profile
from holdfast.devices.register_image import NOTHING_SHOWN
from tests.devices.test_mode_write import MODES
from tests.devices.test_verbs import HEAD, VERBS, table

OWN_RULE = number_of(DeviceMode.OWN_RULE)
NO_RELEASE = VERBS[: VERBS.index("      release:")]
RELEASED_AS_LOAD_FIRST = MODES.replace("value: 9, stored: true", "value: 9")


def told(text, **registers):
    profile = table(text)
    places = {place for block in profile.blocks() for place in block.places}
    image = dict.fromkeys(places, 0)
    image |= {(None, "holding", int(name[1:])): word for name, word in registers.items()}
    return {one.signal: one.value for one in profile.told(image, dict.fromkeys(image, 7))}


def test_a_table_with_a_verb_release_has_a_mode_for_it():
    row = table(VERBS).points[Point.DEVICE_MODE]
    (request,) = row.requests(OWN_RULE, NOTHING_SHOWN)
    assert (request.address, request.words) == (11, (9,))
    assert row.requests(0.0, NOTHING_SHOWN) == ()


def test_wherever_the_setpoint_stands_in_the_table():
    limit = "  - {signal: export_limit_readback_w, address: 40, type: uint16}\n"
    row = limit.replace("{signal:", "{point: export_limit_w, readback:")
    text = VERBS.replace("writes:\n", f"writes:\n{row}")
    profile = parse_profile(HEAD + limit + text, source="x.yaml")
    assert profile.points[Point.DEVICE_MODE].modes.keys() == {DeviceMode.OWN_RULE}


def test_one_that_is_told_its_setpoint_as_a_number_or_nothing_at_all_has_none():
    read = "  - {signal: setpoint_readback_w, address: 40, type: int16}\n"
    number = (
        "writes:\n"
        "  - {point: setpoint_w, readback: setpoint_readback_w, address: 40, type: int16}\n"
    )
    for text in (read + number, read, NO_RELEASE):
        profile = parse_profile(HEAD + text, source="x.yaml")
        assert Point.DEVICE_MODE not in profile.points


def test_one_that_was_given_back_shows_that_and_a_setpoint_of_nothing():
    shown = told(VERBS, r11=9)
    assert shown[Signal.DEVICE_MODE] == OWN_RULE
    assert shown[Signal.SETPOINT_READBACK_W] == 0.0
    assert told(VERBS, r11=2, r12=10)[Signal.DEVICE_MODE] == 0.0


def test_beside_other_modes_it_is_one_more():
    other = MODES.replace("value: 9,", "value: 7,")
    assert table(VERBS + other).traits[Point.DEVICE_MODE].modes == {
        DeviceMode.LOAD_FIRST,
        DeviceMode.GRID_FIRST,
        DeviceMode.OWN_RULE,
    }
    assert told(VERBS + other, r11=9)[Signal.DEVICE_MODE] == OWN_RULE


@pytest.mark.parametrize("text", [VERBS + MODES, VERBS + RELEASED_AS_LOAD_FIRST])
def test_a_mode_that_is_the_same_keeps_its_name(text):
    assert DeviceMode.OWN_RULE not in table(text).traits[Point.DEVICE_MODE].modes
    assert told(text, r11=9)[Signal.DEVICE_MODE] == number_of(DeviceMode.LOAD_FIRST)


def test_it_is_refreshed_and_spared_as_its_setpoint_is():
    text = VERBS.replace("    verbs:", "    refresh_s: 3\n    verbs:")
    traits = table(text).traits[Point.DEVICE_MODE]
    assert (traits.refresh_ns, traits.writes_per_day) == (3_000_000_000, None)


def test_without_the_verb_there_is_none():
    assert Point.DEVICE_MODE not in table(NO_RELEASE).points


def test_where_a_register_holds_the_number_that_one_counts():
    plain = "  - {point: device_mode, address: 20, type: uint16, readback: device_mode}\n"
    head = HEAD + "  - {signal: device_mode, address: 20, type: uint16}\n"
    profile = parse_profile(head + VERBS + plain, source="x.yaml")
    assert DeviceMode.OWN_RULE not in profile.traits[Point.DEVICE_MODE].modes
