"""The ramp where numbers are small."""

import pytest

from holdfast.control.power_ramper import MAX_STEP_S, PowerRamper
from tests.builders import build_site, permit_of, unit_content

RAMPER = PowerRamper(build_site(unit_content(operation={"ramp_w_per_s": 2000})))


def test_a_late_cycle_counts_for_a_second_at_most():
    assert MAX_STEP_S == 1.0
    assert RAMPER.approach(0.0, 5000.0, permit_of(), 3600.0).power_w == 2000.0


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_less_than_a_watt_is_approached_from_its_own_side(sign):
    setpoint = RAMPER.approach(0.0, sign * 0.5, permit_of(), 0.0001)
    assert setpoint.power_w == pytest.approx(sign * 0.2)
    setpoint = RAMPER.approach(sign * 0.2, sign * 0.5, permit_of(), 0.0001)
    assert setpoint.power_w == pytest.approx(sign * 0.4)
