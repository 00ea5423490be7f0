"""The planner process watches the site, makes plans, and hands them to the controller.

It may die at any time: the plan that the controller holds expires by itself.
"""

import logging
import os
import sys
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from holdfast.client.judgement_reader import rule_leads
from holdfast.client.status_reader import StatusReader
from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError
from holdfast.core.signals import SITE, Signal
from holdfast.forecasting.site_forecast import site_forecaster
from holdfast.forecasting.weather import WeatherForecast
from holdfast.markets.periods import begin_of
from holdfast.markets.site_prices import SitePrices, SiteTariffs
from holdfast.monitoring.status.schema import Status
from holdfast.runtime.askers import askers_of
from holdfast.runtime.child_workshop import ChildWorkshop
from holdfast.runtime.measured import (
    load_history,
    load_memory,
    model_registry,
    sample_of,
    values_of,
)
from holdfast.runtime.plan_handover import PlanHandover
from holdfast.runtime.plan_worker import PlanWorker
from holdfast.runtime.price_watch import PriceWatch
from holdfast.runtime.process import run_process
from holdfast.runtime.rule_desk import RuleDesk
from holdfast.runtime.warning_watch import WarningWatch
from holdfast.runtime.weather_watch import WeatherWatch
from holdfast.scheduling.planner_memory import encode
from holdfast.scheduling.rolling_planner import RollingPlanner
from holdfast.scheduling.rules.facts import Known
from holdfast.site.devices import abilities
from holdfast.site.files import SiteFiles, write_atomically

_log = logging.getLogger(__name__)

NICE = 10
OBSERVE_EVERY_S = 1.0
WORTH_RESTING_S = 120.0
"""Who is not asked for longer ends: it holds 45 MB, and to begin anew takes it 0.7 s."""
RETRY_AFTER_S = 10.0
SAVE_HISTORY_EVERY_S = 900.0
"""Each save writes a file of some hundred kB: cards wear."""


class Planner:
    """Observes once a second, plans once an interval."""

    def __init__(
        self,
        site: Site,
        files: SiteFiles,
        prices: PriceWatch,
        weather: WeatherWatch,
        worker: PlanWorker,
        warnings: WarningWatch | None = None,
    ) -> None:
        """Without ``warnings`` nobody warns of bad weather."""
        self._site = site
        self._warnings = WarningWatch(None) if warnings is None else warnings
        self._weather_now: WeatherForecast | None = None
        self._prices = prices
        self._weather = weather
        self._files = files
        self._status = StatusReader(files)
        self._workshop, history = ChildWorkshop(), load_history(files)
        forecaster = site_forecaster(site, history, model_registry(files), self._workshop)
        memory = load_memory(site, files)
        self._worker = worker
        self._rolling = RollingPlanner(
            site, history, worker.make_plan, forecaster, memory, abilities(site)
        )
        self._desk = RuleDesk(site, files, prices.read, memory.full_charge)
        self._saved = encode(memory)
        self._plan_s = 0.0
        self._save_s = time.monotonic() + SAVE_HISTORY_EVERY_S
        self._handover = PlanHandover(site, files, *askers_of(site, files, self._desk))

    def work(self) -> None:
        """Looks at the site once. Raises RuntimeError if prices or weather go unwatched."""
        self._prices.check()
        self._weather.check()
        self._warnings.check()
        weather = self._weather.take()
        if weather is not None:
            self._weather_now = weather
            self._rolling.forecaster.take_weather(weather)
        self._rolling.forecaster.collect_pv()
        status = self._status.fresh()
        if status is None:
            return
        self._rolling.observe(sample_of(self._site, status))
        self._handover.see(None if status.plan is None else status.plan.plan_id)
        now_s = time.monotonic()
        socs_pct = _units_soc_pct(self._site, status)
        self._desk.look(self._known(status, socs_pct), self._warnings.known)
        if now_s >= self._plan_s and socs_pct is not None:
            done = self._plan(socs_pct)
            wait_s = self._site.planner.interval_s if done else RETRY_AFTER_S
            self._plan_s = now_s + wait_s
            if wait_s > WORTH_RESTING_S:
                self._worker.close()
        elif self._handover.look(None if socs_pct is None else _together_pct(self._site, socs_pct)):
            # The rest is planned around it; what was asked for is in force already.
            self._plan_s = min(self._plan_s, now_s + RETRY_AFTER_S)
        if now_s >= self._save_s:
            self._save_s = now_s + SAVE_HISTORY_EVERY_S
            self.save_history()

    def close(self) -> None:
        """Saves what was measured, and ends work that is still going on."""
        self._workshop.close()
        self._handover.close()
        self.save_history()
        self.save_memory()

    def save_history(self) -> None:
        """Brings what was measured to disk."""
        try:
            write_atomically(self._files.history, self._rolling.history.to_bytes())
        except OSError as error:
            _log.error("history is not on disk: %s", error)

    def save_memory(self) -> None:
        """Brings to disk what loads had and rooms have, if that has changed."""
        content = encode(replace(self._rolling.memory, full_charge=self._desk.memory))
        if content == self._saved:
            return
        try:
            write_atomically(self._files.planner_memory, content)
        except OSError as error:
            _log.error("what loads had is not on disk: %s", error)
        else:
            self._saved = content

    def _known(self, status: Status, socs_pct: list[float] | None) -> Known:
        """Returns what rules may look at, prices left out."""
        question = self._rolling.question
        battery_w = values_of(status, self._site.unit_names, Signal.BATTERY_POWER_W)
        return Known(
            utc=datetime.now(UTC),
            forecast=None if question is None else question.forecast,
            weather=self._weather_now,
            soc_pct=None if socs_pct is None else _together_pct(self._site, socs_pct),
            grid_w=status.value(SITE, Signal.GRID_POWER_W),
            pv_w=status.value(SITE, Signal.PV_POWER_W),
            load_w=sample_of(self._site, status).load_w,
            battery_w=sum(battery_w.values())
            if len(battery_w) == len(self._site.storage)
            else None,
        )

    def _known_prices(self, utc: datetime) -> SitePrices:
        tariffs = SiteTariffs(self._site, self._prices.read)
        # Strategies judge a day as a whole: from its beginning.
        begin = begin_of(utc, "day", ZoneInfo(self._site.timezone))
        return tariffs.prices(begin, utc + timedelta(hours=self._site.planner.horizon_h))

    def _plan(self, socs_pct: list[float]) -> bool:
        """Makes a plan and hands it over; says whether it was accepted."""
        utc, soc_pct = datetime.now(UTC), _together_pct(self._site, socs_pct)
        try:
            plan = self._rolling.plan(
                utc,
                soc_pct,
                self._known_prices(utc),
                socs_pct,
                self._handover.ask(),
                rule_leads=rule_leads(self._site, self._files, utc),
            )
        except HoldfastError as error:
            self._handover.fail(f"no plan: {error}", soc_pct)
            accepted = False
        else:
            accepted = self._handover.take(plan, self._rolling.question)
        self.save_memory()
        return accepted


def planner_of(site: Site, files: SiteFiles) -> RollingPlanner:
    """Returns a planner with what one of ``site`` brought to disk, and what is measured now."""
    history = load_history(files)
    forecaster = site_forecaster(site, history, model_registry(files))
    rolling = RollingPlanner(
        site,
        history,
        forecaster=forecaster,
        memory=load_memory(site, files),
        abilities=abilities(site),
    )
    status = StatusReader(files).fresh()
    if status is not None:
        rolling.observe(sample_of(site, status))
    return rolling


def _units_soc_pct(site: Site, status: Status) -> list[float] | None:
    """Returns the SOC of each unit, in per cent; None if one cannot be read."""
    found = values_of(status, site.unit_names, Signal.SOC_PCT)
    return list(found.values()) if len(found) == len(site.storage) else None


def _together_pct(site: Site, socs_pct: list[float]) -> float:
    """Returns the SOC of all units together, in per cent."""
    capacities_wh = [unit.battery.capacity_wh for unit in site.storage]
    stored = sum(pct * wh for pct, wh in zip(socs_pct, capacities_wh, strict=True))
    return min(stored / sum(capacities_wh), 100.0)


def run(site: Site, files: SiteFiles, _: Path, end: threading.Event) -> None:
    """Plans until told to end."""
    os.nice(NICE)
    prices, weather = PriceWatch(site, files), WeatherWatch(site, files)
    warnings = WarningWatch(site.storm_reserve)
    with PlanWorker(site) as worker:
        planner = Planner(site, files, prices, weather, worker, warnings)
        prices.start(end)
        weather.start(end)
        warnings.start(end)
        while not end.wait(OBSERVE_EVERY_S):
            planner.work()
        planner.close()


def main() -> int:
    """Runs the process; returns its exit code."""
    return run_process("planner", "Makes plans for one site.", run)


if __name__ == "__main__":
    sys.exit(main())
