"""Warnings come from a file or a feed; what was last warned of holds until its own end."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from holdfast.core.config.reserve import StormReserve
from holdfast.core.errors import SourceError
from holdfast.forecasting.storm_warnings import StormWarning, WarningSeverity
from holdfast.runtime.warning_watch import ASK_EVERY, WarningWatch
from tests.forecasting.test_storm_warnings import ALERT, FEED
from tests.markets.http_server import Reply, serving

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
STORM = StormWarning(
    event="storm",
    severity=WarningSeverity.SEVERE,
    start=NOW,
    end=NOW + timedelta(hours=8),
    areas=(),
    source="met",
)


def test_a_file_is_read_and_one_that_is_not_there_warns_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "warning.xml"
    watch = WarningWatch(StormReserve(file=str(path)))
    watch.refresh(NOW)
    assert watch.known.warnings == ()
    assert watch.known.problem == ""
    path.write_text(ALERT, encoding="utf-8")
    watch.refresh(NOW + ASK_EVERY / 2)
    assert watch.known.warnings == ()
    watch.refresh(NOW + ASK_EVERY)
    assert [warning.event for warning in watch.known.warnings] == ["ORKANBÖEN"]


def test_a_feed_is_asked_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(lambda _: Reply(body=FEED.encode())) as server:
        watch = WarningWatch(StormReserve(url=f"{server.url}/feed", areas=("jylland",)))
        watch.refresh(NOW)
    assert [warning.event for warning in watch.known.warnings] == ["Yellow wind"]


def test_what_was_warned_of_holds_while_the_feed_fails_and_that_is_told() -> None:
    answers: list[tuple[StormWarning, ...] | SourceError] = [
        (STORM,),
        SourceError("met: HTTP 500"),
        (),
    ]

    def fetch() -> tuple[StormWarning, ...]:
        answer = answers.pop(0)
        if isinstance(answer, SourceError):
            raise answer
        return answer

    watch = WarningWatch(None, fetch)
    watch.refresh(NOW)
    watch.refresh(NOW + ASK_EVERY)
    assert watch.known.warnings == (STORM,)
    assert watch.known.problem == "no new warnings of bad weather: met: HTTP 500"
    watch.refresh(NOW + ASK_EVERY + timedelta(seconds=5))
    assert len(answers) == 1, "a source that failed is left alone for a while"
    watch.refresh(NOW + ASK_EVERY + timedelta(minutes=2))
    assert watch.known.warnings == ()
    assert watch.known.problem == ""


def test_a_file_of_something_else_is_a_problem_and_no_warning(tmp_path: Path) -> None:
    path = tmp_path / "warning.xml"
    path.write_text("storm!")
    watch = WarningWatch(StormReserve(file=str(path)))
    watch.refresh(NOW)
    assert watch.known.warnings == ()
    assert "is no XML" in watch.known.problem


def test_without_a_reserve_nobody_is_asked() -> None:
    watch = WarningWatch(None)
    watch.refresh(NOW)
    assert watch.known.warnings == ()
