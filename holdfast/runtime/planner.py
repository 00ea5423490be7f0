"""The planner process: watches the site, makes plans, and hands them to the controller.

It may die at any time: the plan that the controller holds expires by itself.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.core.config import Site
from holdfast.core.errors import HoldfastError, NotRunning
from holdfast.core.plan import Plan
from holdfast.core.signals import SITE, Signal
from holdfast.forecasting.history import PowerHistory
from holdfast.forecasting.registry import ModelRegistry
from holdfast.forecasting.workshop import ChildWorkshop
from holdfast.markets.site_prices import SitePriceBook, SitePrices
from holdfast.monitoring.status import Status
from holdfast.runtime.control_socket import ControlClient
from holdfast.runtime.files import SiteFiles, write_atomically
from holdfast.runtime.messages import PlanMessage
from holdfast.runtime.plan_worker import PlanWorker
from holdfast.runtime.price_watch import PriceWatch
from holdfast.runtime.process import run_process
from holdfast.runtime.status_reader import StatusReader
from holdfast.runtime.weather_watch import WeatherWatch
from holdfast.scheduling.desk_memory import DeskMemory, decode, encode
from holdfast.scheduling.export_limit import may_be_throttled
from holdfast.scheduling.planning_desk import PlanningDesk, PowerSample, site_forecaster

_log = logging.getLogger(__name__)

NICE = 10
OBSERVE_EVERY_S = 1.0
RETRY_AFTER_S = 10.0
SAVE_HISTORY_EVERY_S = 900.0
"""A file of some hundred kB each time: cards wear."""
FRESH_S = 3.0
_ON = 0.5
"""Half of the way from off, 0, to on, 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """What the planner last did; the content of ``plan.json``."""

    utc: datetime
    plan: Plan | None
    accepted: bool
    problem: str
    """Why there is no plan, or why it was refused; empty if all is well."""


_REPORT = TypeAdapter(PlanReport)


def read_report(files: SiteFiles) -> PlanReport | None:
    """What the planner last did; None if there is no readable report."""
    try:
        return _REPORT.validate_json(files.plan.read_bytes())
    except (OSError, ValueError):
        return None


class Planner:
    """Observes once a second, plans once an interval."""

    def __init__(
        self,
        site: Site,
        files: SiteFiles,
        prices: PriceWatch,
        weather: WeatherWatch,
        worker: PlanWorker,
    ) -> None:
        self._site = site
        self._prices = prices
        self._weather = weather
        self._files = files
        self._status = StatusReader(files)
        self._workshop, history = ChildWorkshop(), load_history(files)
        forecaster = site_forecaster(site, history, model_registry(files), self._workshop)
        memory = load_memory(site, files)
        self._desk = PlanningDesk(site, history, worker.make_plan, forecaster, memory)
        self._saved = encode(memory)
        self._plan_s = 0.0
        self._save_s = time.monotonic() + SAVE_HISTORY_EVERY_S
        self._problem = ""

    def work(self) -> None:
        """One look at the site. Raises RuntimeError if prices or weather are no longer watched."""
        self._prices.check()
        self._weather.check()
        weather = self._weather.take()
        if weather is not None:
            self._desk.forecaster.take_weather(weather)
        self._desk.forecaster.collect_pv()
        found = self._status.latest()
        if found is None or found[1] > FRESH_S:
            return
        status, _ = found
        self._desk.observe(_sample(self._site, status))
        now_s = time.monotonic()
        socs_pct = _units_soc_pct(self._site, status)
        if now_s >= self._plan_s and socs_pct is not None:
            done = self._plan(socs_pct)
            self._plan_s = now_s + (self._site.planner.interval_s if done else RETRY_AFTER_S)
        if now_s >= self._save_s:
            self._save_s = now_s + SAVE_HISTORY_EVERY_S
            self.save_history()

    def close(self) -> None:
        """Save what was measured, and end work that is still going on."""
        self._workshop.close()
        self.save_history()
        self.save_memory()

    def save_history(self) -> None:
        """Bring what was measured to disk."""
        try:
            write_atomically(self._files.history, self._desk.history.to_bytes())
        except OSError as error:
            _log.error("history is not on disk: %s", error)

    def save_memory(self) -> None:
        """Bring to disk what loads had and rooms have, if that has changed."""
        content = encode(self._desk.memory)
        if content == self._saved:
            return
        try:
            write_atomically(self._files.desk, content)
        except OSError as error:
            _log.error("what loads had is not on disk: %s", error)
        else:
            self._saved = content

    def _known_prices(self, utc: datetime) -> SitePrices:
        book = SitePriceBook(self._site, self._prices.read)
        return book.prices(utc, utc + timedelta(hours=self._site.planner.horizon_h))

    def _plan(self, socs_pct: list[float]) -> bool:
        utc = datetime.now(UTC)
        plan, accepted, problem = None, False, ""
        try:
            soc_pct = _together_pct(self._site, socs_pct)
            plan = self._desk.plan(utc, soc_pct, self._known_prices(utc), socs_pct)
            with ControlClient(self._files.control_socket) as client:
                reply = client.send(PlanMessage(plan=plan))
            accepted, problem = reply.accepted, plan.note if reply.accepted else reply.reason
        except NotRunning as error:
            problem = str(error)
        except HoldfastError as error:
            problem = f"no plan: {error}"
        if problem != self._problem:
            _log.warning("%s", problem or "plans are accepted again")
            self._problem = problem
        report = PlanReport(utc=utc, plan=plan, accepted=accepted, problem=problem)
        try:
            write_atomically(self._files.plan, to_json(report))
        except OSError as error:
            _log.error("the report is not on disk: %s", error)
        self.save_memory()
        return accepted


def load_history(files: SiteFiles) -> PowerHistory:
    """What was measured so far; empty if there is nothing usable."""
    for path in (files.history, files.old_history):
        try:
            return PowerHistory.from_bytes(path.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            _log.warning("%s: the history is lost and begins anew: %s", path.name, error)
    return PowerHistory()


def load_memory(site: Site, files: SiteFiles) -> DeskMemory:
    """What the planner's desk knew; nothing, with a warning, if there is nothing usable."""
    try:
        return decode(files.desk.read_bytes())
    except FileNotFoundError:
        if site.loads or site.rooms or (site.prices is not None and site.prices.demand_charges):
            _log.warning(
                "there is no %s: what loads had, and the highest import, count from now on",
                files.desk.name,
            )
    except (OSError, ValueError) as error:
        _log.warning(
            "%s: what loads had, and the highest import, count from now on: %s",
            files.desk.name, error,
        )  # fmt: skip
    return DeskMemory()


def model_registry(files: SiteFiles) -> ModelRegistry:
    """The learned models of a site."""
    return ModelRegistry(files.models, write_atomically)


def _sample(site: Site, status: Status) -> PowerSample:
    grid_w = status.value(SITE, Signal.GRID_POWER_W)
    pv_w = status.value(SITE, Signal.PV_POWER_W)
    battery_w = [status.value(unit, Signal.BATTERY_POWER_W) for unit in site.unit_names]
    known_w = [power_w for power_w in battery_w if power_w is not None]
    load_w = None
    if grid_w is not None and pv_w is not None and len(known_w) == len(battery_w):
        # Samples of several devices are not taken at one instant.
        load_w = max(grid_w + pv_w - sum(known_w), 0.0)
    switched = _values(status, site.switches, Signal.LOAD_ON)
    return PowerSample(
        utc=status.utc,
        load_w=load_w,
        # Throttled PV says nothing of the sun, and is nothing to learn from.
        pv_w=None if pv_w is None or _throttles(status, grid_w) else max(pv_w, 0.0),
        grid_w=grid_w,
        on={name: value >= _ON for name, value in switched.items()},
        room_c=_values(status, [room.name for room in site.rooms], Signal.ROOM_TEMPERATURE_C),
    )


def _throttles(status: Status, grid_w: float | None) -> bool:
    held_w = [limit.read_back_w for limit in status.export_limits.values()]
    return may_be_throttled(min((w for w in held_w if w is not None), default=None), grid_w)


def _values(status: Status, names: Iterable[str], signal: Signal) -> dict[str, float]:
    """Of loads, rooms or units, by name, where they are good."""
    found = ((name, status.value(name, signal)) for name in names)
    return {name: value for name, value in found if value is not None}


def _units_soc_pct(site: Site, status: Status) -> list[float] | None:
    """SOC of each unit; None if one cannot be read."""
    found = _values(status, site.unit_names, Signal.SOC_PCT)
    return list(found.values()) if len(found) == len(site.storage) else None


def _together_pct(site: Site, socs_pct: list[float]) -> float:
    """SOC of all units together."""
    capacities_wh = [unit.battery.capacity_wh for unit in site.storage]
    stored = sum(pct * wh for pct, wh in zip(socs_pct, capacities_wh, strict=True))
    return min(stored / sum(capacities_wh), 100.0)


def run(site: Site, files: SiteFiles, end: threading.Event) -> None:
    """Plan until told to end."""
    os.nice(NICE)
    prices, weather = PriceWatch(site, files), WeatherWatch(site, files)
    with PlanWorker(site) as worker:
        planner = Planner(site, files, prices, weather, worker)
        prices.start(end)
        weather.start(end)
        while not end.wait(OBSERVE_EVERY_S):
            planner.work()
        planner.close()


def main() -> int:
    """Entry point of the process."""
    return run_process("planner", "Makes plans for one site.", run)


if __name__ == "__main__":
    sys.exit(main())
