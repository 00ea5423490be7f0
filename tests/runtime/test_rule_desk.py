"""The planner's rules: read from their file, followed, and told how they stand."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.core.asked_slot import AskedSlot
from holdfast.core.config import Site
from holdfast.core.config.prices import PriceSource
from holdfast.core.errors import PriceDataError
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.runtime.rule_desk import LOOK_EVERY, RuleDesk
from holdfast.runtime.warning_watch import KnownWarnings
from holdfast.scheduling.full_charge import FullChargeMemory
from holdfast.scheduling.rules.facts import Known
from holdfast.scheduling.rules.report import decode_report
from holdfast.scheduling.rules.signals import ExternalSignal, encode_signals
from holdfast.site.files import SiteFiles
from tests.builders import build_site
from tests.runtime.test_warning_watch import STORM

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
RULE = "rules:\n  - {name: low, when: soc_pct < 50, then: {mode: hold}}\n"
PRICES = {
    "purchase": {
        "source": {
            "kind": "time_of_use",
            "prices": [
                {"from": "00:00", "to": "06:00", "price_per_kwh": 0.1},
                {"price_per_kwh": 0.4},
            ],
        }
    },
    "feed_in": {"source": {"kind": "fixed", "price_per_kwh": 0.08}},
}


NO_WARNINGS = KnownWarnings()


def no_source(source: PriceSource, direction: Direction) -> PriceSeries:
    raise PriceDataError("nothing")


class Bench:
    def __init__(self, folder: Path, rules: str | None = None, **content: object) -> None:
        self.path = folder / "rules.yaml"
        if rules is not None:
            self.path.write_text(rules)
            content["rules"] = str(self.path)
        self.site: Site = build_site(**content)
        self.files = SiteFiles(state_dir=folder)
        self.desk = RuleDesk(self.site, self.files, no_source, FullChargeMemory())
        self.utc = NOW - LOOK_EVERY

    def look(
        self, soc_pct: float | None = 40.0, warnings: KnownWarnings = NO_WARNINGS
    ) -> list[AskedSlot]:
        self.utc += LOOK_EVERY
        self.desk.look(Known(utc=self.utc, soc_pct=soc_pct), warnings)
        until = self.utc + timedelta(hours=24)
        return [slot for asker in self.desk.askers for slot in asker.asked(self.utc, until)]

    def rewrite(self, text: str) -> None:
        self.path.write_text(text)
        os.utime(self.path, ns=(self.utc.microsecond, int(self.utc.timestamp() * 1e9)))


def test_a_rule_of_the_file_asks_and_the_report_tells_how_it_stands(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RULE)
    assert [slot.who for slot in bench.look(40.0)] == ["low"]
    report = decode_report(bench.files.rule_report.read_bytes())
    assert (report.utc, report.problem) == (NOW, "")
    (state,) = report.states
    assert (state.name, state.since, state.follows) == ("low", NOW, True)
    assert bench.look(60.0) == []
    (state,) = decode_report(bench.files.rule_report.read_bytes()).states
    assert state.since is None
    assert state.why == "soc_pct < 50 holds no more: soc_pct = 60"


def test_prices_reach_from_local_midnight_so_that_the_day_is_known(tmp_path: Path) -> None:
    rule = "rules:\n  - {name: dear, when: cheaper_hours_today == 6, then: {mode: hold}}\n"
    bench = Bench(tmp_path, rule, prices=PRICES, timezone="Europe/Berlin")
    assert [slot.who for slot in bench.look()] == ["dear"]


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RULE)
    assert [slot.who for slot in bench.look()] == ["low"]
    bench.rewrite(RULE.replace("low", "lower"))
    assert [slot.who for slot in bench.look()] == ["lower"]


@pytest.mark.parametrize("wrong", ["rules: [", RULE.replace("soc_pct", "sock")])
def test_a_file_that_is_wrong_costs_its_rules_alone_and_is_told(tmp_path: Path, wrong: str) -> None:
    bench = Bench(tmp_path, RULE)
    assert bench.look() != []
    bench.rewrite(wrong)
    assert bench.look() == []
    (asker,) = bench.desk.askers
    assert asker.problem.startswith("no rule fires: rules.yaml: ")
    assert decode_report(bench.files.rule_report.read_bytes()).problem == asker.problem
    bench.rewrite(RULE)
    assert bench.look() != []
    assert asker.problem == ""


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RULE)
    bench.path.unlink()
    assert bench.look() == []
    assert "cannot be read" in bench.desk.askers[0].problem


def test_a_signal_from_outside_counts_until_its_end(tmp_path: Path) -> None:
    rule = "signals: {vpp: truth}\nrules:\n  - {name: vpp, when: vpp, then: {mode: hold}}\n"
    bench = Bench(tmp_path, rule)
    assert bench.look() == []
    signal = ExternalSignal(value=True, until=NOW + 3 * LOOK_EVERY)
    bench.files.signals.write_bytes(encode_signals({"vpp": signal}))
    assert len(bench.look()) == len(bench.look()) == 1
    assert bench.look() == []
    bench.files.signals.write_text("nonsense")
    assert bench.look() == []


def test_a_storm_comes_before_rules_and_ends_with_its_warning(tmp_path: Path) -> None:
    bench = Bench(tmp_path, RULE, storm_reserve={"file": "warning.xml", "target_pct": 70})
    found = bench.look(40.0, KnownWarnings(warnings=(STORM,)))
    assert [slot.who for slot in found] == ["storm reserve", "low"]
    assert found[0].end == STORM.end


def test_the_full_charge_is_remembered(tmp_path: Path) -> None:
    bench = Bench(tmp_path, full_charge={"every_days": 7, "within_days": 0})
    assert bench.look(50.0) == []
    memory = bench.desk.memory
    assert memory.counted_from == NOW
    later = RuleDesk(bench.site, bench.files, no_source, memory)
    due = NOW + timedelta(days=7)
    later.look(Known(utc=due, soc_pct=50.0), KnownWarnings())
    (slot,) = [slot for one in later.askers for slot in one.asked(due, due + timedelta(days=1))]
    assert slot.who == "full charge"


def test_a_site_without_any_of_it_asks_for_nothing_and_writes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert bench.look() == []
    assert not bench.files.rule_report.exists()
