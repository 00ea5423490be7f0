"""The rule desk looks at rules, storm reserve and full charge with what the planner knows now.

A file of rules that is wrong costs the rules alone: none fires, and it is told why. It is read
again when it changes, so that nobody has to restart a site for it.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from holdfast.core.asked_slot import AskedSlot
from holdfast.core.config import Site
from holdfast.core.errors import ConfigError, PriceDataError
from holdfast.core.strict_yaml import MAX_CHARACTERS
from holdfast.core.texts import MAX_NOTE, shown
from holdfast.markets.site_prices import SitePrices, SiteTariffs, SourceReader
from holdfast.runtime.warning_watch import KnownWarnings
from holdfast.scheduling.full_charge import FullChargeAsker, FullChargeMemory
from holdfast.scheduling.rules.book import NO_RULES, read_rules
from holdfast.scheduling.rules.engine import RuleEngine
from holdfast.scheduling.rules.fact_table import Facts
from holdfast.scheduling.rules.facts import Known, day_bounds, facts_of, is_holiday
from holdfast.scheduling.rules.report import RuleReport, encode_report
from holdfast.scheduling.rules.signals import MAX_BYTES, decode_signals, known_signals
from holdfast.scheduling.storm_reserve import StormAsker
from holdfast.site.files import SiteFiles, Stamp, file_stamp, write_atomically

_log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=5)
PRICES_KEPT = timedelta(minutes=1)
REPORT_EVERY = timedelta(minutes=1)


class RuleAsker:
    """Asks what the rules of a site's file ask."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._site, self._files = site, files
        self._zone = ZoneInfo(site.timezone)
        self._engine = RuleEngine(NO_RULES, site.timezone)
        self._stamp: Stamp | None = None
        self._has_read = False
        self.problem = ""

    def look(self, known: Known) -> None:
        """Looks at what is known now, with the signals that others set."""
        path = self._site.rules
        if path is None:
            return
        stamp = file_stamp(Path(path))
        if stamp != self._stamp or not self._has_read:
            self._stamp, self._has_read = stamp, True
            self._read(Path(path))
        known = replace(known, signals=self._signals(known.utc))
        self._engine.look(known.utc, facts_of(known, self._zone))

    def asked(self, now_utc: datetime, until: datetime) -> Sequence[AskedSlot]:
        """Returns what the rules ask for; what is followed first."""
        return self._engine.asked(now_utc, until)

    def report(self, now_utc: datetime) -> RuleReport:
        """Returns how the rules stand."""
        return RuleReport(utc=now_utc, problem=self.problem, states=self._engine.states)

    def _read(self, path: Path) -> None:
        """Reads the rules; what fired before has to hold anew."""
        try:
            book = read_rules(_text_of(path), self._site, path.name)
        except ConfigError as error:
            book, self.problem = NO_RULES, shown(f"no rule fires: {error}", MAX_NOTE)
            _log.warning("no rule fires: %s", error)
        else:
            self.problem = ""
            _log.info("%s: %d rules", path.name, len(book.enabled.rules))
        self._engine = RuleEngine(book, self._site.timezone)

    def _signals(self, now_utc: datetime) -> Facts:
        kinds = self._engine.book.signals
        if not kinds:
            return {}
        try:
            with self._files.signals.open("rb") as file:
                signals = decode_signals(file.read(MAX_BYTES + 1))
        except (OSError, ConfigError):
            # What is not known fires nothing, and each rule says so.
            return {}
        return known_signals(signals, kinds, now_utc)


class RuleDesk:
    """Looks every few seconds; who asks never waits."""

    def __init__(
        self, site: Site, files: SiteFiles, read: SourceReader, memory: FullChargeMemory
    ) -> None:
        """``read`` gives what sources of prices know."""
        self._site, self._files, self._read = site, files, read
        self._zone = ZoneInfo(site.timezone)
        self._storm = None if site.storm_reserve is None else StormAsker(site.storm_reserve)
        self._full = None
        if site.full_charge is not None:
            self._full = FullChargeAsker(site.full_charge, site, memory)
        self._memory = memory
        self._rules = RuleAsker(site, files)
        self._prices: SitePrices | None = None
        self._prices_utc = self._look_utc = self._report_utc = datetime.min.replace(tzinfo=UTC)
        self._reported: RuleReport | None = None

    @property
    def askers(self) -> tuple[StormAsker | RuleAsker | FullChargeAsker, ...]:
        """Returns who asks, the first to be followed first."""
        found = (self._storm, self._rules, self._full)
        return tuple(asker for asker in found if asker is not None)

    @property
    def memory(self) -> FullChargeMemory:
        """Returns what is to outlive the planner."""
        return self._memory if self._full is None else self._full.memory

    def look(self, known: Known, warnings: KnownWarnings) -> None:
        """Looks at what the planner knows, to which prices and holidays are added."""
        utc = known.utc
        if self._look_utc <= utc < self._look_utc + LOOK_EVERY:
            return
        self._look_utc = utc
        known = replace(
            known, prices=self._known_prices(utc), is_holiday=is_holiday(self._site, utc)
        )
        if self._storm is not None:
            self._storm.take(warnings.warnings, warnings.problem)
            self._storm.look(known.soc_pct)
        if self._full is not None and known.soc_pct is not None:
            self._full.look(utc, known.soc_pct, known.prices, known.forecast)
        self._rules.look(known)
        self._report(utc)

    def _known_prices(self, utc: datetime) -> SitePrices | None:
        """Returns prices from local midnight on; they are read anew once a minute."""
        if self._site.prices is None:
            return None
        if not self._prices_utc <= utc < self._prices_utc + PRICES_KEPT:
            self._prices_utc = utc
            start, _ = day_bounds(utc, self._zone)
            until = utc + timedelta(hours=self._site.planner.horizon_h)
            try:
                self._prices = SiteTariffs(self._site, self._read).prices(start, until)
            except PriceDataError:
                self._prices = None
        return self._prices

    def _report(self, utc: datetime) -> None:
        """Brings to disk how the rules stand, when that changes and now and then."""
        if self._site.rules is None:
            return
        report = self._rules.report(utc)
        if not (
            self._is_new(report) or not self._report_utc <= utc < self._report_utc + REPORT_EVERY
        ):
            return
        self._report_utc, self._reported = utc, report
        try:
            write_atomically(self._files.rule_report, encode_report(report))
        except OSError as error:
            _log.error("how the rules stand is not on disk: %s", error)

    def _is_new(self, report: RuleReport) -> bool:
        before = self._reported
        if before is None or before.problem != report.problem:
            return True
        return _fires(before) != _fires(report)


def _fires(report: RuleReport) -> list[tuple[str, datetime | None, bool]]:
    return [(state.name, state.since, state.follows) for state in report.states]


def _text_of(path: Path) -> str:
    """Returns what is in a file of rules. Raises ConfigError."""
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(MAX_CHARACTERS + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: cannot be read: {error}") from error
