"""What a profile demands of its device, and what it can write."""

import pytest

from holdfast.core.signals import Signal
from holdfast.devices.profile import CanProfile, ModbusProfile, load_profile, profile_names


@pytest.mark.parametrize("name", profile_names())
def test_what_is_required_of_a_device_is_some_of_what_it_provides(name):
    profile = load_profile(name)
    assert profile.required
    if isinstance(profile, ModbusProfile):
        assert profile.required == profile.signals
    else:
        assert profile.required <= profile.signals


def test_over_can_nothing_is_written_and_frames_that_not_every_pack_sends_are_not_required():
    profiles = [load_profile(name) for name in profile_names()]
    can = [profile for profile in profiles if isinstance(profile, CanProfile)]
    assert can
    for profile in can:
        assert profile.points == {}
        optional = {
            part.signal for frame in profile.frames if frame.optional for part in frame.parts
        }
        assert profile.signals - profile.required <= optional
    pylontech = load_profile("pylontech_lv_can")
    assert Signal.SOC_PCT in pylontech.required < pylontech.signals
