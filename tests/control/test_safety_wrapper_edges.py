"""The operating modes on a site whose two directions differ."""

import pytest

from holdfast.control.mode_manager import Request, Source
from holdfast.control.safety_wrapper import SafetyWrapper
from holdfast.core.state_machine import State
from holdfast.safety.assessment import Assessment
from holdfast.safety.envelope import up_to
from tests.builders import T0, UNIT, build_site, unit_content

LOPSIDED = unit_content(
    inverter_hardware={"charge_power_max_w": 3000, "discharge_power_max_w": 6000}
)
TOO_WIDE = up_to(charge_w=9000.0, discharge_w=9000.0, by="a_layer_gone_mad")


def permitted(envelope=TOO_WIDE, **changes):
    site = build_site(LOPSIDED, **changes)
    assessment = Assessment(findings=(), envelopes={UNIT: envelope}, blocks=())
    request = Request(power_w=1.0, source=Source.PLAN, reason="", expires_ns=T0 + 1)
    permits = SafetyWrapper(site).authorise(request, State.RUNNING, assessment, T0)
    return permits[UNIT].envelope


@pytest.mark.parametrize(
    ("mode", "low_w", "high_w", "low_by", "high_by"),
    [
        ("auto", -6000.0, 3000.0, "site.yaml", "site.yaml"),
        ("charge_only", 0.0, 3000.0, "mode_charge_only", "mode_charge_only"),
        ("passive", 0.0, 0.0, "mode_passive", "mode_passive"),
    ],
)
def test_a_mode_permits_each_direction_up_to_what_site_yaml_does(
    mode, low_w, high_w, low_by, high_by
):
    envelope = permitted(operating_mode=mode)
    assert (envelope.min_w, envelope.max_w) == (low_w, high_w)
    assert (envelope.min_by, envelope.max_by) == (low_by, high_by)


def test_limited_authority_and_a_mode_both_narrow():
    envelope = permitted(operating_mode="charge_only", authority="limited", limited_power_w=700)
    assert (envelope.min_w, envelope.max_w) == (0.0, 700.0)
