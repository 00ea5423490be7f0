"""Lists of writes: what goes out together, and what a device shows of a list afterwards."""

import pytest

from holdfast.core.commands import Point
from holdfast.devices.modbus_profile import ModbusProfile
from holdfast.devices.profile import load_profile
from holdfast.devices.register_image import NOTHING_SHOWN
from holdfast.devices.stepped_write import check_joined, power_in, shows
from holdfast.devices.verb_step import VerbStep
from holdfast.devices.verbs import VerbWrite


def step(address, value=1.0, **keys):
    keys = {"type": "uint16", "function": "multiple"} | keys
    return VerbStep.model_validate({"address": address, "value": value} | keys)


def verbs():
    """Those of a device that ships, whatever they are: its lists are replaced."""
    profile = load_profile("growatt_sph")
    assert isinstance(profile, ModbusProfile)
    found = profile.points[Point.SETPOINT_W]
    assert isinstance(found, VerbWrite)
    return found


@pytest.mark.parametrize(
    ("joined", "sent"),
    [
        ({11}, [(10, 2), (20, 1), (30, 1)]),
        ({31}, [(10, 1), (20, 1), (30, 2)]),
        ({11, 31}, [(10, 2), (20, 1), (30, 2)]),
    ],
)
def test_what_is_joined_goes_out_with_the_step_before_it_wherever_that_stands(joined, sent):
    steps = tuple(
        step(address, joined=address in joined)
        for address in (10, 11, 20, 30, 31)
        if address in joined or address % 10 == 0
    )
    requests = verbs().requests_of(steps, 0.0, NOTHING_SHOWN)
    assert [(request.address, len(request.words)) for request in requests] == sent


def test_what_is_joined_follows_the_last_register_of_the_step_before_it():
    two = step(10, type="uint32")
    check_joined("charge", (two, step(12, joined=True)))
    with pytest.raises(ValueError, match="joined at 11 follows no register"):
        check_joined("charge", (two, step(11, joined=True)))


def test_the_first_step_is_joined_to_nothing_though_the_last_stands_before_it():
    with pytest.raises(ValueError, match="joined at 11 follows no register"):
        check_joined("charge", (step(11, joined=True), step(20), step(10)))


def test_a_list_is_shown_where_all_that_it_leaves_is():
    steps = (step(10, 7.0), step(11, 8.0))
    first, second = (None, "holding", 10), (None, "holding", 11)
    assert shows(steps, {first: 7, second: 8})
    assert not shows(steps, {first: 7, second: 9})
    assert not shows(steps, {first: 7})


def test_a_power_is_told_by_its_registers_alone():
    steps = (step(10, "power", type="int16"),)
    place = (None, "holding", 10)
    assert power_in(steps, {place: 700}, 0.0) == 700.0
    assert power_in(steps, {place: 700, (None, "holding", 11): 5}, 0.0) == 700.0
    assert power_in(steps, {}, 0.0) is None
