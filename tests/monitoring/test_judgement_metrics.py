"""What metrics tell of the judge of plans."""

from dataclasses import replace
from datetime import UTC, datetime

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import CollectorRegistry

from holdfast.monitoring.judgement import Judgement
from holdfast.monitoring.judgement_metrics import JudgementCollector
from holdfast.monitoring.plan_judge import Weighed, WhoLeads

NEW = Judgement(site="Test site", currency="EUR", made=datetime(2026, 11, 29, tzinfo=UTC))
WEIGHED = Weighed(days=28, total=-1.4, mean=-0.05, low=-0.07, high=-0.03)


def told(judgement: Judgement | None) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(JudgementCollector(lambda: judgement))
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
    }


def test_they_tell_who_leads_and_what_plans_earn() -> None:
    assert told(None) == {}
    assert told(NEW) == {("holdfast_plans_lead",): 1.0}
    assert told(replace(NEW, leads=WhoLeads.RULE, weighed=WEIGHED)) == {
        ("holdfast_plans_lead",): 0.0,
        ("holdfast_plans_gain", "mean", "EUR"): -0.05,
        ("holdfast_plans_gain", "low", "EUR"): -0.07,
        ("holdfast_plans_gain", "high", "EUR"): -0.03,
    }
