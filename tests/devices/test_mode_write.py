"""Modes that a device keeps by itself: what is sent for one, and how it is told from a setpoint."""

import math

import pytest

from holdfast.core.commands import Point
from holdfast.core.device_mode import PLANNED, DeviceMode, number_of
from holdfast.core.errors import ConfigError
from holdfast.core.signals import Signal
from holdfast.devices.mode_write import ModeWrite
from holdfast.devices.profile import parse_profile
from holdfast.devices.register_image import NOTHING_SHOWN, LastShown
from tests.devices.test_verbs import HEAD, VERBS, table

LOAD, GRID, BACKUP = (
    number_of(mode)
    for mode in (DeviceMode.LOAD_FIRST, DeviceMode.GRID_FIRST, DeviceMode.BACKUP_RESERVE)
)
MODES = """
  - point: device_mode
    readback: device_mode
    writes_per_day: 24
    refresh_s: 20
    modes:
      load_first:
        - {address: 11, type: uint16, value: 9, stored: true}
      grid_first:
        - {address: 10, type: uint16, value: timeout}
        - {address: 11, type: uint16, value: 8}
"""
SETPOINT, MODE = Signal.SETPOINT_READBACK_W, Signal.DEVICE_MODE


def modes(text=MODES):
    return table(VERBS + text).points[Point.DEVICE_MODE]


def sent(number, shown=NOTHING_SHOWN, text=MODES):
    requests = modes(text).requests(number, shown)
    return [(request.address, list(request.words)) for request in requests]


def told(**registers):
    """What a poll of these registers tells; all others are 0."""
    profile = table(VERBS + MODES)
    places = {place for block in profile.blocks() for place in block.places}
    image = dict.fromkeys(places, 0)
    image |= {(None, "holding", int(name[1:])): word for name, word in registers.items()}
    return {one.signal: one for one in profile.told(image, dict.fromkeys(image, 7))}


def test_each_mode_is_its_writes_in_their_order():
    assert sent(LOAD) == [(11, [9])]
    assert sent(GRID) == [(10, [30]), (11, [8])]


def test_to_follow_its_setpoint_it_is_told_nothing_but_that():
    assert sent(0.0) == []


def test_what_is_kept_in_flash_is_not_written_again():
    held = LastShown(image={(None, "holding", 11): 9}, told={})
    assert sent(LOAD, held) == []
    assert sent(GRID, held) == [(10, [30]), (11, [8])]


@pytest.mark.parametrize("number", [BACKUP, -1.0, 1.5, 99.0, math.nan])
def test_a_mode_that_it_has_not_is_refused_by_name(number):
    with pytest.raises(ValueError, match=r"none of 1 \(load_first\), 3 \(grid_first\)"):
        sent(number)


def test_a_device_in_a_mode_shows_it_and_a_setpoint_of_nothing():
    shown = told(r11=9)
    assert (shown[MODE].value, shown[SETPOINT].value) == (LOAD, 0.0)
    shown = told(r11=8, r10=12345)
    assert (shown[MODE].value, shown[SETPOINT].value) == (GRID, 0.0)
    assert shown[MODE].time_ns == 7


def test_a_device_that_follows_its_setpoint_shows_no_mode():
    shown = told(r11=1, r12=25)
    assert (shown[MODE].value, shown[SETPOINT].value) == (0.0, 1000.0)


def test_a_device_that_shows_neither_is_asked_what_it_does_in_words():
    shown = told(r11=77)
    assert shown[MODE].value == 0.0
    assert math.isnan(shown[SETPOINT].value)
    assert shown[SETPOINT].hint == "what it holds is no command of ours"


def test_its_traits_are_those_of_its_table():
    profile = table(VERBS + MODES)
    traits = profile.traits[Point.DEVICE_MODE]
    assert traits.modes == {DeviceMode.LOAD_FIRST, DeviceMode.GRID_FIRST}
    assert (traits.writes_per_day, traits.refresh_ns) == (24, 20_000_000_000)
    assert traits.step == 1.0
    assert profile.traits[Point.SETPOINT_W].modes == set(PLANNED)
    row = modes()
    assert isinstance(row, ModeWrite)
    assert (row.signal, row.resolution, row.step, row.kept(3.0)) == (MODE, 1.0, 0.0, 3.0)
    assert row.sets_timer
    assert row.rests_on == set()
    assert MODE in profile.signals
    assert MODE in profile.required


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (MODES.replace("value: 8}", "value: 9}"), "shows grid_first shows load_first as well"),
        (MODES.replace("value: 8}", "value: 2}"), "shows grid_first shows discharge as well"),
        (MODES.replace("value: 9, stored: true", "value: power"), "load_first has power; a mode"),
        (MODES.replace("value: 9, stored: true", "value: soc"), "load_first has soc; a mode"),
        (MODES.replace("value: 8}", "value: 8, joined: true, function: multiple}"), "is joined at"),
        (MODES.split("      load_first")[0].replace("modes:", "modes: {}"), "at least 1"),
        (MODES.replace("readback: device_mode", "readback: pv_on"), "device_mode"),
    ],
)
def test_a_mode_that_cannot_be_told_apart_or_is_no_list_of_constants_is_refused(text, complaint):
    with pytest.raises(ConfigError, match=complaint):
        table(VERBS + text)


def test_modes_need_a_setpoint_that_is_told_in_verbs():
    plain = """
writes:
  - {point: setpoint_w, address: 11, type: int16, readback: setpoint_readback_w}
"""
    read = "  - {signal: setpoint_readback_w, address: 11, type: int16}"
    with pytest.raises(ConfigError, match="only where the setpoint is told in verbs"):
        table(read + plain + MODES)


def test_a_timer_that_nobody_set_cannot_be_told():
    unbound = parse_profile(HEAD + VERBS + MODES, source="modes.yaml")
    with pytest.raises(ValueError, match="the table stands for no unit"):
        unbound.points[Point.DEVICE_MODE].requests(GRID, NOTHING_SHOWN)
