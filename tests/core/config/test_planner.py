"""The planner section of site.yaml: whether plans are judged."""

import pytest
from pydantic import ValidationError

from holdfast.core.config.planner import PlannerOptions


def test_plans_are_judged_unless_the_owner_says_otherwise() -> None:
    assert PlannerOptions().judged is True
    assert PlannerOptions.model_validate({"judged": False}).judged is False
    with pytest.raises(ValidationError, match="judged"):
        PlannerOptions.model_validate({"judged": "perhaps"})


def test_what_is_left_at_the_end_is_worth_what_the_owner_says() -> None:
    assert PlannerOptions().terminal_price_per_kwh is None
    assert PlannerOptions.model_validate({"terminal_price_per_kwh": 0}).terminal_price_per_kwh == 0
    for wrong in (-0.01, float("nan"), float("inf")):
        with pytest.raises(ValidationError, match="terminal_price_per_kwh"):
            PlannerOptions.model_validate({"terminal_price_per_kwh": wrong})
