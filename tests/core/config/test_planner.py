"""The planner section of site.yaml: whether plans are judged."""

import pytest
from pydantic import ValidationError

from holdfast.core.config.planner import PlannerOptions


def test_plans_are_judged_unless_the_owner_says_otherwise() -> None:
    assert PlannerOptions().judged is True
    assert PlannerOptions.model_validate({"judged": False}).judged is False
    with pytest.raises(ValidationError, match="judged"):
        PlannerOptions.model_validate({"judged": "perhaps"})
