"""losses and hybrid of a storage unit: what no inverter can do is refused by name."""

import pytest
import yaml
from pydantic import ValidationError

from holdfast.core.config.losses import EfficiencyPoint, Hybrid, Losses, points_of
from holdfast.site.site_file import parse_site
from tests.builders import site_content, unit_content
from tests.core.config.test_site import changed, refusal


def points(*pairs: tuple[float, float]) -> list[dict[str, float]]:
    return [{"power_pct": power, "efficiency_pct": pct} for power, pct in pairs]


def wrong(content: dict[str, object]) -> str:
    with pytest.raises(ValidationError) as caught:
        Losses.model_validate(content)
    (error,) = caught.value.errors()
    return ".".join(str(part) for part in error["loc"]) + ": " + error["msg"]


def test_who_says_nothing_has_one_efficiency_and_no_taper() -> None:
    losses = Losses()
    assert not losses.are_known
    assert (losses.charge, losses.discharge, losses.standby_w) == ((), (), 0.0)
    assert (losses.taper_from_pct, losses.taper_to_pct) == (None, 10.0)
    unit = parse_site(changed("storage.0.hybrid", None)).storage[0]
    assert unit.losses == losses
    assert unit.hybrid is None


@pytest.mark.parametrize(
    "content",
    [{"charge": points((50, 95))}, {"discharge": points((50, 95))}, {"standby_w": 0.5}],
)
def test_each_of_the_keys_tells_of_losses(content: dict[str, object]) -> None:
    assert Losses.model_validate(content).are_known


def test_a_taper_tells_nothing_of_losses() -> None:
    assert not Losses.model_validate({"taper_from_pct": 95}).are_known


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            {"charge": points((50, 95), (50, 96))},
            "charge: power_pct must rise from point to point, and 50 comes after 50",
        ),
        (
            {"charge": points((50, 95), (20, 90))},
            "charge: power_pct must rise from point to point, and 20 comes after 50",
        ),
        ({"discharge": points((50, 95), (20, 90))}, "discharge: power_pct must rise"),
        (
            {"charge": points((50, 96), (60, 80))},
            "charge: 80 % at 60 % of the power, after 96 % at 50 %, puts no more into the battery",
        ),
        ({"charge": points((40, 96), (80, 48))}, "charge: 48 % at 80 % of the power"),
        (
            {"discharge": points((40, 50), (80, 100))},
            "discharge: 100 % at 80 % of the power, after 50 % at 40 %, takes no more from the",
        ),
        ({"charge": points((50, 100.1))}, "charge.0.efficiency_pct"),
        ({"charge": points((50, 19.9))}, "charge.0.efficiency_pct"),
        ({"charge": points((100.1, 96))}, "charge.0.power_pct"),
        ({"charge": points((0, 96))}, "charge.0.power_pct"),
        ({"charge": points(*((1.0 + n, 90) for n in range(21)))}, "charge"),
        ({"standby_w": -0.1}, "standby_w"),
        ({"standby_w": float("nan")}, "standby_w"),
        ({"taper_from_pct": 100}, "taper_from_pct"),
        ({"taper_from_pct": 101}, "taper_from_pct"),
        ({"taper_from_pct": 49.9}, "taper_from_pct"),
        ({"taper_to_pct": 0}, "taper_to_pct"),
        ({"taper_to_pct": 100}, "taper_to_pct"),
    ],
)
def test_what_no_inverter_does_is_refused_by_name(content: dict[str, object], why: str) -> None:
    assert why in wrong(content)


def test_what_is_just_right_is_taken() -> None:
    losses = Losses.model_validate(
        {
            "charge": points((20, 100), (100, 20.01)),
            "discharge": points((40, 50.1), (80, 100)),
            "taper_from_pct": 50,
            "taper_to_pct": 99.9,
        }
    )
    assert losses.charge[0] == EfficiencyPoint(power_pct=20, efficiency_pct=100)
    assert losses.taper_from_pct == 50
    late = Losses.model_validate({"taper_from_pct": 99.5, "taper_to_pct": 0.5})
    assert (late.taper_from_pct, late.taper_to_pct) == (99.5, 0.5)
    for share_pct in (50.5, 100):
        assert Hybrid(ac_max_w=1, pv_to_battery_pct=share_pct).pv_to_battery_pct == share_pct
    many = Losses.model_validate({"charge": points(*((1.0 + n, 90) for n in range(20)))})
    assert len(many.charge) == 20


def test_the_last_efficiency_holds_up_to_full_power() -> None:
    def pairs(*found: tuple[float, float]) -> list[tuple[float, float]]:
        curve = Losses.model_validate({"charge": points(*found)}).charge
        return [(p.power_pct, p.efficiency_pct) for p in points_of(curve, 96.0)]

    assert pairs() == [(100, 96)]
    assert pairs((10, 90), (50, 95)) == [(10, 90), (50, 95), (100, 95)]
    assert pairs((10, 90), (100, 94)) == [(10, 90), (100, 94)]


def test_an_inverter_draws_less_to_be_on_than_to_serve() -> None:
    """The site's inverter discharges with 5 kW at 96 %; at 1 % of it 40 % are left."""
    text = changed("storage.0.losses", {"standby_w": 5208.0})
    assert parse_site(text).storage[0].losses.standby_w == 5208.0
    assert (
        "standby_w (5209) must be below what is drawn at the first point of losses.discharge"
        in (refusal(changed("storage.0.losses", {"standby_w": 5209.0})))
    )
    curve = {"standby_w": 125.0, "discharge": points((1, 40))}
    assert "(125) must be below what is drawn at the first point of losses.discharge (125 W)" in (
        refusal(changed("storage.0.losses", curve))
    )
    assert parse_site(changed("storage.0.losses", curve | {"standby_w": 124.9}))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({}, "storage[0].hybrid.ac_max_w"),
        ({"ac_max_w": 0}, "storage[0].hybrid.ac_max_w"),
        ({"ac_max_w": 5000, "pv_to_battery_pct": 50}, "storage[0].hybrid.pv_to_battery_pct"),
        ({"ac_max_w": 5000, "pv_to_battery_pct": 100.1}, "storage[0].hybrid.pv_to_battery_pct"),
    ],
)
def test_a_hybrid_that_is_none_is_refused_by_name(content: dict[str, float], why: str) -> None:
    assert why in refusal(changed("storage.0.hybrid", content))


def test_of_several_units_none_is_the_one_with_the_pv() -> None:
    content = site_content(unit_content("first"), unit_content("second"))
    content["storage"][1]["hybrid"] = {"ac_max_w": 5000}
    told = refusal(yaml.safe_dump(content))
    assert "storage second: hybrid: of several units nobody knows which has the PV" in told
    del content["storage"][1]["hybrid"]
    assert len(parse_site(yaml.safe_dump(content)).storage) == 2


@pytest.mark.parametrize("has_pv", [False, True])
@pytest.mark.parametrize("has_hybrid", [False, True])
@pytest.mark.parametrize("cut_w", [None, 4000.0])
def test_what_a_hybrid_gives_to_ac_is_told_once(
    has_pv: bool, has_hybrid: bool, cut_w: float | None
) -> None:
    """The forecast must not cut off what the battery could take."""
    content = site_content(unit_content(hybrid={"ac_max_w": 5000} if has_hybrid else None))
    if has_pv:
        array = {"azimuth_deg": 180, "tilt_deg": 30, "peak_w": 8000}
        content["location"] = {"latitude_deg": 50, "longitude_deg": 8}
        content["pv"] = {"arrays": [array], "inverter_ac_max_w": cut_w}
    text = yaml.safe_dump(content)
    if has_pv and has_hybrid and cut_w is not None:
        assert "pv.inverter_ac_max_w: hybrid.ac_max_w says it" in refusal(text)
    else:
        assert len(parse_site(text).storage) == 1


def test_a_hybrid_says_what_it_gives_to_ac() -> None:
    hybrid = parse_site(changed("storage.0.hybrid", {"ac_max_w": 5000})).storage[0].hybrid
    assert hybrid == Hybrid(ac_max_w=5000, pv_to_battery_pct=None)
    direct = {"ac_max_w": 5000, "pv_to_battery_pct": 97}
    assert parse_site(changed("storage.0.hybrid", direct)).storage[0].hybrid == Hybrid(
        ac_max_w=5000, pv_to_battery_pct=97
    )
