"""Metrics of the notifications: how each recipient fares. The names are an interface."""

import time
from collections.abc import Callable, Iterable, Mapping

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from holdfast.monitoring.metric_table import counter, gauge
from holdfast.monitoring.notification.ledger import Ledger


class NotificationCollector(Collector):
    """Turns the ledgers of all recipients into metrics; none while there are none."""

    def __init__(
        self, ledgers: Callable[[], Mapping[str, Ledger]], now_s: Callable[[], float] = time.time
    ) -> None:
        self._ledgers = ledgers
        self._now_s = now_s

    def collect(self) -> Iterable[Metric]:
        """Yields the metrics."""
        delivered = counter("holdfast_messages_delivered")
        failed = counter("holdfast_messages_failed")
        waiting = gauge("holdfast_notices_waiting")
        failing = gauge("holdfast_recipient_failing_seconds")
        ledgers = self._ledgers()
        for name, ledger in ledgers.items():
            delivered.add_metric([name], ledger.delivered)
            failed.add_metric([name], ledger.failed)
            waiting.add_metric([name], len(ledger.waiting) + ledger.left_out)
            since = ledger.failing_since
            failing.add_metric(
                [name], max(0.0, self._now_s() - since.timestamp()) if since else 0.0
            )
        if ledgers:
            yield from (delivered, failed, waiting, failing)
