"""The batch planner answers questions of many sites; each gets what it would get alone."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.core.abilities import SETPOINT_ONLY
from holdfast.core.plan import PlanStatus
from holdfast.core.strategy_name import StrategyName
from holdfast.forecasting.forecast import Basis, PowerForecast
from holdfast.forecasting.site_forecast import SiteForecast
from holdfast.scheduling.batch_planner import AskedOfSite, BatchPlanner
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.simulation.demo_site import demo_content, demo_prices, sample_site_prices
from holdfast.simulation.sample_prices import FIRST_START_UTC
from holdfast.site.site_file import parse_site

NOW = FIRST_START_UTC + timedelta(hours=9)


def power(watt: float, hours: int = 48) -> PowerForecast:
    return PowerForecast(start_utc=NOW, mean_w=(watt,) * (4 * hours), basis=Basis.HISTORY)


def asked(soc_pct: float = 40.0, load_w: float = 700.0, hours: int = 48, **changes: Any) -> Any:
    content = demo_content(Path("/nowhere")) | {"prices": demo_prices("sample")} | changes
    site = parse_site(yaml.safe_dump(content))
    forecast = SiteForecast(load=power(load_w, hours), pv=power(0.0, hours))
    question = PlanQuestion(
        now_utc=NOW, soc_pct=soc_pct, prices=sample_site_prices(site), forecast=forecast
    )
    return AskedOfSite(site=site, abilities=SETPOINT_ONLY, question=question)


def many() -> list[AskedOfSite]:
    """Sites of different kinds, some with plans of other lengths."""
    wears: dict[str, Any] = {"planner": {"wear_cost_per_kwh": 0.06}}
    ages: dict[str, Any] = {"planner": {"ageing_cost_per_kwh_day": 0.02}}
    picked: dict[str, Any] = {"planner": {"strategy": "percentile_95"}}
    return [
        asked(), asked(20.0, **wears), asked(hours=30), asked(**ages), asked(90.0, **picked),
        asked(55.0, 3000.0, 30), asked(10.0, 0.0), asked(**wears),
    ]  # fmt: skip


def test_answers_do_not_depend_on_the_order_of_questions() -> None:
    questions = many()
    alone = [BatchPlanner().plan(each) for each in questions]
    together = [answer.plan for answer in BatchPlanner().answers(questions)]
    backwards = [answer.plan for answer in BatchPlanner().answers(reversed(questions))]
    assert together == alone
    assert backwards[::-1] == alone


def test_each_site_has_the_strategy_that_its_owner_picked() -> None:
    statuses = [answer.plan and answer.plan.status for answer in BatchPlanner().answers(many())]
    assert statuses.count(PlanStatus.STRATEGY) == 1
    assert many()[4].site.planner.strategy is StrategyName.PERCENTILE_95


def test_a_question_without_an_answer_costs_itself() -> None:
    good = asked()
    late = replace(good, question=replace(good.question, now_utc=NOW + timedelta(days=90)))
    first, second, third = BatchPlanner().answers([good, late, good])
    assert first == third
    assert second.plan is None
    assert "no price is known" in second.problem


@pytest.mark.parametrize("soc_pct", [float("nan"), -1.0])
def test_what_no_optimizer_can_answer_is_left_to_a_rule(soc_pct: float) -> None:
    """As live: a site with prices has a plan."""
    plan = BatchPlanner().plan(asked(soc_pct))
    assert plan.status is PlanStatus.TIME_OF_USE
    assert "the optimizer gave no plan" in plan.note
