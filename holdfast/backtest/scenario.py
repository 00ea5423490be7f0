"""A strategy is run through days with their prices; this module says how their time goes by."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from holdfast.backtest.data import Row, SiteData
from holdfast.core.config import Site
from holdfast.markets.site_prices import SitePrices
from holdfast.scheduling.power_sample import PowerSample
from holdfast.simulation.accelerated import Simulation


class Stage(ABC):
    """A stage is a simulation on which days are played, row after row."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    @abstractmethod
    def hold(self, row: Row) -> None:
        """The time of ``row`` begins."""

    @abstractmethod
    def run(self, span_s: float) -> None:
        """Lets ``span_s`` go by."""

    @abstractmethod
    def seen(self) -> Iterable[PowerSample]:
        """Returns what a planner saw of the row that has gone by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario(ABC):
    """A scenario is of days; it is a description that can go to another process."""

    data: SiteData
    """It holds load, PV and prices of each interval."""

    @abstractmethod
    def prices(self, currency: str) -> SitePrices:
        """Returns all prices that are ever published."""

    @abstractmethod
    def past(self, site: Site) -> Iterable[PowerSample]:
        """Returns what a planner saw before the first day."""

    @abstractmethod
    def stage(self, site: Site, *, seed: int, soc_pct: float) -> Stage:
        """Returns the site's plant on the first day; ``seed`` is that of its cells."""
