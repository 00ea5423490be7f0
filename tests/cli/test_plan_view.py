"""``holdfast plan`` shows what people asked for, and what else could have been done."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from pydantic_core import to_json

from holdfast.cli.main import main
from holdfast.client.plan_report import Alternative, PlanReport
from holdfast.scheduling.manual_asker import asked_by_hand
from holdfast.scheduling.precedence import lay_over, who_asks
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.testing.plans import plan_of
from holdfast.testing.sites import example_content
from tests.manual import slot


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A site whose planner was asked for something from 15 to 30 minutes ahead."""
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(example_content(tmp_path)), encoding="utf-8")
    site, now = load_site(path), datetime.now(UTC)
    files = SiteFiles.of(site)
    files.create()
    planned = plan_of(*((900.0 * i, 900.0 * (i + 1), 500.0) for i in range(3)))
    laid = lay_over(planned, [asked_by_hand(slot(15, 30, now=now))], site=site, now_utc=now)
    report = PlanReport(
        utc=now,
        plan=laid.plan,
        accepted=True,
        problem="",
        manual=laid.manual,
        asked=tuple(tuple(who_asks(each) for each in asked) for asked in laid.asked),
        manual_problem="manual.json does not count",
        alternatives=(
            Alternative(
                name="no_battery",
                expected_cost=2.0,
                costs_more=0.5,
                soc_end_pct=50.0,
                why="the battery rests: that costs 0.50 EUR more than the plan",
            ),
        ),
    )
    files.plan.write_bytes(to_json(report))
    return path


def test_what_was_asked_for_is_marked(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--config", str(config)]) == 0
    lines = capsys.readouterr().out.splitlines()
    (marked,) = [index for index, line in enumerate(lines) if "power*" in line]
    assert "2000 W" in lines[marked]
    assert lines[marked + 1].strip().startswith("asked by anna until ")
    assert any(line.startswith("*: fixed, and planned around") for line in lines)
    assert "manual.json does not count" in lines
    assert "instead: the battery rests: that costs 0.50 EUR more than the plan" in lines


def test_programs_are_told_which_request_a_slot_comes_from(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", "--config", str(config), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert "15-30" in shown["manual"]
    assert len(shown["manual"]) == len(shown["plan"]["slots"])
    assert shown["alternatives"][0]["costs_more"] == 0.5
    assert (
        timedelta(0)
        <= datetime.now(UTC) - datetime.fromisoformat(shown["plan"]["created"])
        < timedelta(minutes=5)
    )
