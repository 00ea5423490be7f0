"""The plan that a site follows, and what becomes of one that is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.core.errors import PlanRefused
from holdfast.core.plan import Plan
from holdfast.runtime.plan_holder import PlanHolder
from tests.builders import build_site
from tests.runtime.test_incoming import UTC_NOW, a_plan


def plan_of_now(plan_id: str) -> Plan:
    plan = a_plan()
    late = datetime.now(UTC).replace(second=0, microsecond=0) - UTC_NOW
    slots = tuple(replace(s, start=s.start + late, end=s.end + late) for s in plan.slots)
    created, expires = plan.created + late, plan.expires + late
    return replace(plan, plan_id=plan_id, created=created, expires=expires, slots=slots)


def held(holder: PlanHolder) -> str | None:
    return None if holder.accepted is None else holder.accepted.plan.plan_id


def test_a_refused_plan_leaves_the_one_before_and_says_why_until_one_is_accepted() -> None:
    holder = PlanHolder(build_site())
    assert (held(holder), holder.refused) == (None, "")
    holder.take(plan_of_now("one"))
    assert (held(holder), holder.refused) == ("one", "")
    stale = replace(plan_of_now("two"), expires=datetime.now(UTC) - timedelta(minutes=1))
    with pytest.raises(PlanRefused, match="expired"):
        holder.take(stale)
    assert held(holder) == "one"
    assert "expired" in holder.refused
    holder.take(plan_of_now("three"))
    assert (held(holder), holder.refused) == ("three", "")
