"""What the batteries do where nobody asks: what a mode needs stands beside it."""

import pytest
from pydantic import ValidationError

from holdfast.core.asked_slot import SlotTerms
from holdfast.core.config.modes import Modes
from holdfast.core.strategy_name import StrategyName
from tests.builders import build_site, device, room_content, unit_content


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


@pytest.mark.parametrize(
    "mode", ["self_consumption", "hold", "passive", "charge_only", "load_balancer"]
)
def test_any_other_mode_that_goes_on_for_ever_may_be_the_default(mode):
    assert Modes.model_validate({"default": mode}).default == mode


@pytest.mark.parametrize(
    "mode", ["power", "charge", "soc", "full_charge", "stored_value", "nothing"]
)
def test_what_ends_or_needs_a_power_is_no_default(mode):
    beside = {"soc_target_pct": 50.0, "import_max_w": 3000.0}
    with pytest.raises(ValidationError, match="default"):
        Modes.model_validate({"default": mode, **beside})


def test_a_site_that_says_nothing_serves_itself_and_asks_for_no_bounds():
    assert Modes().default == "self_consumption"
    assert Modes().terms == SlotTerms(grid_target_w=0.0)
    assert Modes().standing == SlotTerms()
    assert Modes().levelling_minutes == 15.0


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("soc_target_pct", 0.0, 100.0),
        ("soc_ceiling_pct", 0.0, 100.0),
        ("levelling_minutes", 1.0, 240.0),
        ("dwell_s", 0.0, 60.0),
    ],
)
def test_each_number_has_bounds(name, low, high):
    for value in (low, high):
        assert getattr(Modes.model_validate({name: value}), name) == value
    for value in (low - 0.5, high + 0.5):
        with pytest.raises(ValidationError, match=name):
            Modes.model_validate({name: value})


@pytest.mark.parametrize(
    "name", ["grid_target_w", "soc_target_pct", "soc_ceiling_pct", "import_max_w", "export_max_w"]
)
def test_what_stands_beside_the_default_is_what_it_works_with(name):
    terms = Modes.model_validate({name: 70.0}).terms
    assert terms == SlotTerms(**{"grid_target_w": 0.0, name: 70.0})


def test_both_caps_hold_whoever_asks():
    modes = Modes(import_max_w=3000.0, export_max_w=0.0, soc_ceiling_pct=80.0, grid_target_w=50.0)
    assert modes.standing == SlotTerms(import_max_w=3000.0, export_max_w=0.0)


def test_a_cap_holds_whoever_asks_and_a_target_only_where_nobody_does():
    modes = build_site(modes={"import_max_w": 3000.0, "soc_target_pct": 60.0}).modes
    assert modes.standing.import_max_w == 3000.0
    assert modes.standing.soc_target_pct is None
    assert modes.terms.soc_target_pct == 60.0


def test_a_mode_stays_for_five_seconds_unless_the_owner_says_otherwise():
    assert build_site().modes.dwell_s == 5.0
    assert build_site(modes={"dwell_s": 0}).modes.dwell_s == 0.0


PRICES = {
    "purchase": {"source": {"kind": "file", "path": "prices.xml"}},
    "feed_in": {"source": {"kind": "fixed", "price_per_kwh": 0.08}},
}


@pytest.mark.parametrize("strategy", StrategyName)
def test_a_strategy_has_what_it_needs(strategy):
    planner = {"strategy": strategy.value}
    whole = {"planner": planner, "prices": PRICES, "rooms": [room_content()]}
    assert build_site(**whole).planner.strategy is strategy
    without_rooms = {"planner": planner, "prices": PRICES}
    if strategy is StrategyName.PRE_HEATING:
        with pytest.raises(ValidationError, match="pre_heating needs rooms"):
            build_site(**without_rooms)
    else:
        assert build_site(**without_rooms)
    without_prices = {"planner": planner, "rooms": [room_content()]}
    if strategy in {StrategyName.OPTIMIZER, StrategyName.SELF_CONSUMPTION}:
        assert build_site(**without_prices)
    else:
        with pytest.raises(ValidationError, match=f"{strategy} needs prices"):
            build_site(**without_prices)


def test_a_plan_leaves_no_inverter_to_a_rule_that_nobody_knows():
    with pytest.raises(ValidationError, match="own_rule nobody knows"):
        build_site(planner={"device_modes": ["own_rule"]})
    modes = ("load_first", "battery_first", "grid_first", "time_of_use", "backup_reserve")
    assert build_site(planner={"device_modes": list(modes)}).planner.device_modes == modes
    assert build_site().planner.device_modes == ()


def test_a_site_is_planned_by_its_least_cost_unless_its_owner_says_otherwise():
    assert build_site().planner.strategy is StrategyName.OPTIMIZER


def test_the_least_power_of_an_inverter_is_below_its_most():
    with pytest.raises(ValidationError, match="min_power_w"):
        build_site(unit_content(inverter_hardware={"min_power_w": 5000}))
    for charge_w, discharge_w in ((5000, 3000), (3000, 5000)):
        hardware = {"charge_power_max_w": charge_w, "discharge_power_max_w": discharge_w}
        with pytest.raises(ValidationError, match="min_power_w"):
            build_site(unit_content(inverter_hardware={**hardware, "min_power_w": 3000}))
        whole = unit_content(inverter_hardware={**hardware, "min_power_w": 2999})
        assert build_site(whole).storage[0].inverter_hardware.min_power_w == 2999.0
    (unit,) = build_site().storage
    assert unit.inverter_hardware.min_power_w == 0.0


@pytest.mark.parametrize(
    ("told", "efficient_from_w"),
    [({}, 300.0), ({"efficient_from_w": 0}, 0.0), ({"efficient_from_w": 700}, 700.0)],
)
def test_an_inverter_is_efficient_from_a_tenth_of_what_it_can_do_in_both_directions(
    told, efficient_from_w
):
    hardware = {"charge_power_max_w": 3000, "discharge_power_max_w": 5000, **told}
    (unit,) = build_site(unit_content(inverter_hardware=hardware)).storage
    assert unit.efficient_from_w == pytest.approx(efficient_from_w)
    hardware = {"charge_power_max_w": 5000, "discharge_power_max_w": 3000, **told}
    (unit,) = build_site(unit_content(inverter_hardware=hardware)).storage
    assert unit.efficient_from_w == pytest.approx(efficient_from_w)


def test_a_metered_load_is_a_load_with_a_device():
    loads = [{"name": "car", "meter": device("generic_load_meter", "car")}]
    site = build_site(metered_loads=loads)
    assert site.load_names == ("car",)
    assert site.metered_loads[0].from_battery is True, "as any other load"
    for taken in ("battery", "site"):
        with pytest.raises(ValidationError, match="names of storage, loads and rooms must differ"):
            build_site(metered_loads=[{**loads[0], "name": taken}])
