"""The optimizer may die or hang, and whoever asks it hears so."""

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.core.errors import PlanFailed, PriceDataError
from holdfast.core.plan import PlanStatus
from holdfast.forecasting.history import PowerHistory
from holdfast.forecasting.site_forecast import SiteForecaster
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.site_prices import SitePrices
from holdfast.runtime.plan_worker import PlanWorker
from holdfast.scheduling.plan_question import PlanQuestion
from tests.builders import build_site

NOW = datetime(2026, 5, 8, 10, tzinfo=UTC)
SITE = build_site()


def question(hours: int = 4, soc_pct: float = 50.0) -> PlanQuestion:
    slots = tuple(
        PriceSlot(
            start_utc=NOW + timedelta(hours=hour),
            end_utc=NOW + timedelta(hours=hour + 1),
            price_per_kwh=0.1 + 0.1 * hour,
        )
        for hour in range(hours)
    )
    series = PriceSeries(currency="EUR", slots=slots)
    return PlanQuestion(
        now_utc=NOW,
        soc_pct=soc_pct,
        prices=SitePrices(currency="EUR", purchase=series, feed_in=series),
        forecast=SiteForecaster(PowerHistory()).forecast(NOW, 48.0),
    )


def test_it_plans_and_after_it_was_killed_it_plans_again() -> None:
    with PlanWorker(SITE) as worker:
        assert worker.make_plan(question()).status is PlanStatus.OPTIMAL
        pid = worker.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(PlanFailed, match="ended"):
            worker.make_plan(question())
        assert worker.make_plan(question()).status is PlanStatus.OPTIMAL
        assert worker.pid != pid


def test_one_that_hangs_is_ended() -> None:
    with PlanWorker(SITE, timeout_s=10.0) as worker:
        worker.make_plan(question())
        pid = worker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        worker._timeout_s = 0.2
        with pytest.raises(PlanFailed, match="no answer within"):
            worker.make_plan(question())
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_what_it_refuses_is_told_as_it_is() -> None:
    with PlanWorker(SITE) as worker:
        with pytest.raises(PriceDataError):
            worker.make_plan(question(hours=0))
        with pytest.raises(PlanFailed):
            worker.make_plan(question(soc_pct=101.0))
        pid = worker.pid
        assert worker.make_plan(question()).status is PlanStatus.OPTIMAL
        assert worker.pid == pid
