"""Metrics of the history: how it fares, and what it has counted. The names are an interface."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from holdfast.monitoring.history.energies import Sum
from holdfast.monitoring.history.state import HistoryState
from holdfast.monitoring.metric_table import counter, gauge

DIRECTIONS: Mapping[Sum, str] = {
    Sum.IMPORT_WH: "import",
    Sum.EXPORT_WH: "export",
    Sum.PV_WH: "pv",
    Sum.LOAD_WH: "load",
    Sum.CHARGE_WH: "charge",
    Sum.DISCHARGE_WH: "discharge",
}
_J_PER_WH = 3600.0
UP_WITHIN_S = 180.0
"""The writer tells each second how it fares, unless the disk holds it up."""


class HistoryCollector(Collector):
    """Turns the latest state of the history into metrics; none while there is no writer."""

    def __init__(self, latest: Callable[[], tuple[HistoryState, float] | None]) -> None:
        """``latest`` gives the state with its age in s."""
        self._latest = latest

    def collect(self) -> Iterable[Metric]:
        """Yields the metrics."""
        found = self._latest()
        if found is not None:
            state, age_s = found
            is_up = not state.problem and age_s <= UP_WITHIN_S
            yield gauge("holdfast_history_up", float(is_up))
            yield from _writing(state)
            yield from _counted(state)
            yield from _saved(state)


def _writing(state: HistoryState) -> Iterator[Metric]:
    yield counter("holdfast_history_samples_lost", state.samples_lost)
    for name, at in (("written", state.written), ("backup", state.backup)):
        if at is not None:
            yield gauge(f"holdfast_history_{name}_timestamp_seconds", at.timestamp())
    if state.size_bytes is not None:
        yield gauge("holdfast_history_size_bytes", state.size_bytes)


def _counted(state: HistoryState) -> Iterator[Metric]:
    """Totals are of the disk: they go on after a restart, and never fall by what was not written
    yet, which Prometheus would take for a counter that began anew."""
    if not state.totals:
        return
    energy = counter("holdfast_energy_joules")
    for name, direction in DIRECTIONS.items():
        energy.add_metric([direction], state.totals[name] * _J_PER_WH)
    yield energy
    cost = gauge("holdfast_cost")
    cost.add_metric([state.currency], state.totals[Sum.COST])
    yield cost


def _saved(state: HistoryState) -> Iterator[Metric]:
    """Yields what today and this month have cost so far; what is not known is left out."""
    if not state.savings:
        return
    cost = gauge("holdfast_span_cost")
    saved = gauge("holdfast_span_saved")
    for span in state.savings:
        for way in ("paid", "no_battery", "self_consumption"):
            value = getattr(span, way)
            if value is not None:
                cost.add_metric([span.span, way, state.currency], value)
        for against in ("no_battery", "self_consumption"):
            value = getattr(span, f"saved_against_{against}")
            if value is not None:
                saved.add_metric([span.span, against, state.currency], value)
    yield cost
    yield saved
