"""What the batteries do where nobody asks: what a mode needs stands beside it."""

import pytest
from pydantic import ValidationError

from tests.builders import build_site, device, unit_content


@pytest.mark.parametrize(
    ("mode", "needed", "value"),
    [
        ("pv_optimizer", "soc_ceiling_pct", 80.0),
        ("peak_shaving", "import_max_w", 3000.0),
        ("commercial", "import_max_w", 3000.0),
    ],
)
def test_a_default_mode_has_what_it_needs(mode, needed, value):
    with pytest.raises(ValidationError, match=f"default: {mode} needs {needed} beside it"):
        build_site(modes={"default": mode})
    modes = build_site(modes={"default": mode, needed: value}).modes
    assert getattr(modes.terms, needed) == value


def test_a_cap_holds_whoever_asks_and_a_target_only_where_nobody_does():
    modes = build_site(modes={"import_max_w": 3000.0, "soc_target_pct": 60.0}).modes
    assert modes.standing.import_max_w == 3000.0
    assert modes.standing.soc_target_pct is None
    assert modes.terms.soc_target_pct == 60.0


def test_a_mode_stays_for_five_seconds_unless_the_owner_says_otherwise():
    assert build_site().modes.dwell_s == 5.0
    assert build_site(modes={"dwell_s": 0}).modes.dwell_s == 0.0


def test_a_strategy_has_what_it_needs():
    with pytest.raises(ValidationError, match="pre_heating needs rooms"):
        build_site(planner={"strategy": "pre_heating"})
    with pytest.raises(ValidationError, match="percentile_95 needs prices"):
        build_site(planner={"strategy": "percentile_95"})


def test_a_plan_leaves_no_inverter_to_a_rule_that_nobody_knows():
    with pytest.raises(ValidationError, match="own_rule nobody knows"):
        build_site(planner={"device_modes": ["own_rule"]})


def test_the_least_power_of_an_inverter_is_below_its_most():
    with pytest.raises(ValidationError, match="min_power_w"):
        build_site(unit_content(inverter_hardware={"min_power_w": 5000}))


def test_a_metered_load_is_a_load_with_a_device():
    loads = [{"name": "car", "meter": device("generic_load_meter", "car")}]
    assert build_site(metered_loads=loads).load_names == ("car",)
