"""A folder tells of one site what a plan is made from, without a running site beside it.

==============  ===================================================================
site.yaml       the site; its prices are read as they are known, nobody is asked
soc_pct.txt     what the battery holds, in per cent; may be given instead
measured.csv    what was measured, as ``holdfast backtest --data`` reads it; counts
                if the site's ``state_dir`` has no history
plan.json       the plan that was made last
==============  ===================================================================
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from holdfast.backtest.data_file import Gaps, read_data
from holdfast.backtest.world import quarter_means
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError, PriceDataError
from holdfast.core.quarter_hours import quarter_of
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.markets.price_cache import PriceCache
from holdfast.markets.price_collector import open_collector
from holdfast.markets.site_prices import SitePrices, SiteTariffs
from holdfast.runtime.planner import planner_of
from holdfast.scheduling.batch_planner import AskedOfSite
from holdfast.scheduling.plan_question import PlanQuestion
from holdfast.site.devices import abilities
from holdfast.site.files import SiteFiles, write_atomically
from holdfast.site.site_file import load_site

_MOST_SOC_BYTES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFolder:
    """Names the files of one site in a batch."""

    path: Path

    @property
    def config(self) -> Path:
        """Returns the site's configuration."""
        return self.path / "site.yaml"

    @property
    def soc(self) -> Path:
        """Returns the file of its state of charge, in per cent."""
        return self.path / "soc_pct.txt"

    @property
    def measured(self) -> Path:
        """Returns the file of what was measured."""
        return self.path / "measured.csv"

    @property
    def plan(self) -> Path:
        """Returns the file of the plan that is made for it."""
        return self.path / "plan.json"

    def ask(self, now_utc: datetime, otherwise_soc_pct: float | None) -> AskedOfSite:
        """Returns what its optimizer is asked with at ``now_utc``.

        ``otherwise_soc_pct`` counts where the folder has no state of charge. Raises HoldfastError.
        """
        site = load_site(self.config)
        files = SiteFiles.of(site)
        soc_pct = self._soc_pct(otherwise_soc_pct)
        prices = _known_prices(site, files, now_utc)
        rolling = planner_of(site, files)
        if not len(rolling.history) and self.measured.exists():
            _take_measured(self.measured, rolling.history, now_utc)
        forecast = rolling.forecast(now_utc, prices.purchase, path_days=site.planner.scenario_days)
        memory = rolling.memory
        return AskedOfSite(
            site=site,
            abilities=abilities(site),
            question=PlanQuestion(
                now_utc=now_utc,
                soc_pct=soc_pct,
                prices=prices,
                forecast=forecast,
                peaks_w=memory.peaks_w,
                loads_now=memory.loads_now,
            ),
        )

    def keep(self, content: bytes) -> None:
        """Writes the plan beside its site. Raises OSError."""
        write_atomically(self.plan, content)

    def _soc_pct(self, otherwise: float | None) -> float:
        try:
            with self.soc.open(encoding="utf-8") as file:
                text = file.read(_MOST_SOC_BYTES).strip()
        except FileNotFoundError as error:
            if otherwise is None:
                raise ConfigError(
                    f"{self.soc}: is missing; write the state of charge in per cent into it, or "
                    "give it with --soc"
                ) from error
            return otherwise
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self.soc}: is no text") from error
        try:
            soc_pct = float(text)
        except ValueError:
            soc_pct = -1.0
        if not 0.0 <= soc_pct <= 100.0:
            raise ConfigError(f"{self.soc}: {text[:40]!r} is no percentage from 0 to 100")
        return soc_pct


def folders_in(path: Path) -> list[SiteFolder]:
    """Returns the folders in ``path`` in order of their names, but for hidden ones.

    Raises ConfigError if there are none.
    """
    try:
        found = sorted(each for each in path.iterdir() if each.is_dir() and each.name[0] != ".")
    except OSError as error:
        raise ConfigError(f"--batch {path}: cannot be read: {error}") from error
    if not found:
        raise ConfigError(f"--batch {path}: there is no folder in it; each site has one of its own")
    return [SiteFolder(path=each) for each in found]


def _known_prices(site: Site, files: SiteFiles, now_utc: datetime) -> SitePrices:
    """Returns what is known of prices without asking anybody: a batch waits for nobody."""
    if site.prices is None:
        raise ConfigError("prices: is missing; without prices there is nothing to plan")
    sources = open_collector(site, PriceCache(files.prices, write_atomically), datetime.now(UTC))
    horizon = timedelta(hours=site.planner.horizon_h)
    try:
        return SiteTariffs(site, sources.read).prices(now_utc, now_utc + horizon)
    except PriceDataError as error:
        raise PriceDataError(f"prices: {error}; a batch asks no source") from error


def _take_measured(path: Path, history: PowerHistory, now_utc: datetime) -> None:
    """Takes what was measured before ``now_utc``; what comes later nobody can know."""
    data = read_data(path, gaps=Gaps.SKIP)
    present = quarter_of(now_utc)
    for field, means in (
        (Field.LOAD_W, quarter_means(data, lambda row: row.load_w)),
        (Field.PV_W, quarter_means(data, lambda row: row.pv_w)),
    ):
        first, last = min(means), min(max(means) + 1, present)
        values = [means.get(quarter, np.nan) for quarter in range(first, last)]
        history.put(field, first, np.array(values, np.float64))
