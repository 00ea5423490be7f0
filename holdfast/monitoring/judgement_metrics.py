"""Metrics of the judge of plans: who leads, and what plans earn. The names are an interface."""

from collections.abc import Callable, Iterable

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from holdfast.monitoring.judgement import Judgement
from holdfast.monitoring.metric_table import gauge
from holdfast.monitoring.plan_judge import WhoLeads


class JudgementCollector(Collector):
    """Turns the latest judgement into metrics; none while there is none."""

    def __init__(self, latest: Callable[[], Judgement | None]) -> None:
        self._latest = latest

    def collect(self) -> Iterable[Metric]:
        """Yields the metrics."""
        judgement = self._latest()
        if judgement is None:
            return
        yield gauge("holdfast_plans_lead", float(judgement.leads is WhoLeads.PLANS))
        found = judgement.weighed
        if found is not None:
            gain = gauge("holdfast_plans_gain")
            for bound in ("mean", "low", "high"):
                gain.add_metric([bound, judgement.currency], getattr(found, bound))
            yield gain
