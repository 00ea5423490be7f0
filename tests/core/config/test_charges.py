"""What a tariff may charge beside the price of a kWh, as site.yaml says it."""

from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.core.config.charges import CapacityCharge, DemandCharge, Quota, StandingCharge

WHOLE: dict[type[Any], dict[str, Any]] = {
    DemandCharge: {"price_per_kw": 5.0, "period": "month"},
    CapacityCharge: {"subscribed_kw": 4.0, "excess_per_kw": 2.0, "period": "month"},
    StandingCharge: {"price": 60.0, "per": "month"},
    Quota: {"energy_kwh": 50.0, "period": "month"},
}


@pytest.mark.parametrize("charge", WHOLE)
def test_each_charge_names_its_price_and_what_it_is_for(charge: type[Any]) -> None:
    assert charge.model_validate(WHOLE[charge])
    for name in WHOLE[charge]:
        less = {key: value for key, value in WHOLE[charge].items() if key != name}
        with pytest.raises(ValidationError, match=name):
            charge.model_validate(less)


@pytest.mark.parametrize(
    ("charge", "name", "periods"),
    [
        (DemandCharge, "period", ["day", "month", "year"]),
        (CapacityCharge, "period", ["day", "month", "year"]),
        (StandingCharge, "per", ["day", "month", "year"]),
        (Quota, "period", ["day", "month"]),
    ],
)
def test_it_is_for_a_period_of_the_calendar(
    charge: type[Any], name: str, periods: list[str]
) -> None:
    for period in periods:
        assert getattr(charge.model_validate(WHOLE[charge] | {name: period}), name) == period
    for period in ("week", "quarter", *({"year"} - set(periods))):
        with pytest.raises(ValidationError, match=name):
            charge.model_validate(WHOLE[charge] | {name: period})


@pytest.mark.parametrize(
    ("charge", "name"),
    [
        (DemandCharge, "price_per_kw"),
        (DemandCharge, "least_kw"),
        (CapacityCharge, "price_per_kw"),
        (CapacityCharge, "excess_per_kw"),
        (StandingCharge, "price"),
        (Quota, "price_per_kwh"),
    ],
)
def test_what_is_left_out_costs_nothing_and_nothing_is_paid_out(
    charge: type[Any], name: str
) -> None:
    if name not in WHOLE[charge]:
        assert getattr(charge.model_validate(WHOLE[charge]), name) == 0.0
    assert getattr(charge.model_validate(WHOLE[charge] | {name: 0}), name) == 0.0
    with pytest.raises(ValidationError, match=name):
        charge.model_validate(WHOLE[charge] | {name: -0.5})


def test_a_demand_charge_is_for_the_last_period_or_the_mean_of_some() -> None:
    assert DemandCharge.model_validate(WHOLE[DemandCharge]).mean_of == 1
    for count in (1, 24):
        charge = DemandCharge.model_validate(WHOLE[DemandCharge] | {"mean_of": count})
        assert charge.mean_of == count
    for count in (0, 25):
        with pytest.raises(ValidationError, match="mean_of"):
            DemandCharge.model_validate(WHOLE[DemandCharge] | {"mean_of": count})


def test_a_standing_charge_has_a_short_name_on_the_bill() -> None:
    for name in ("x", "x" * 40):
        assert StandingCharge.model_validate(WHOLE[StandingCharge] | {"name": name}).name == name
    for name in ("", "x" * 41):
        with pytest.raises(ValidationError, match="name"):
            StandingCharge.model_validate(WHOLE[StandingCharge] | {"name": name})
