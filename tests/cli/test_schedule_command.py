"""``holdfast schedule preview`` shows what comes, and what does not and why."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast.cli.main import main
from holdfast.testing.sites import example_content
from tests.cli.json_outputs import OUTPUTS, complaints, shape

SCHEDULE: dict[str, Any] = {
    "calendars": {"vacation": {"kind": "dates", "dates": ["2026-10-26"]}},
    "entries": [
        {"name": "night", "from": "22:00", "to": "03:00", "mode": "charge", "power_w": 3000,
         "except_days_of": ["vacation"]},
        {"name": "short", "from": "02:00", "to": "02:30", "days": ["sun"], "mode": "hold",
         "overrides": ["night"]},
    ],
}  # fmt: skip


def site_with(folder: Path, schedule: object) -> Path:
    content = example_content(folder) | {"timezone": "Europe/Berlin", "schedule": schedule}
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def preview(path: Path, *more: str) -> int:
    return main(["schedule", "preview", "--config", str(path), "--from", "2026-10-25", *more])


def test_the_day_of_25_hours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert preview(site_with(tmp_path, SCHEDULE), "--days", "2") == 0
    assert capsys.readouterr().out.splitlines() == [
        "Sat 2026-10-24",
        "  22:00 to Sun 02:00 (4 h) night: charge, with 3000 W",
        "  Sun 02:30 to 03:00 (1.5 h) night: charge, with 3000 W",
        "Sun 2026-10-25",
        "  02:00 to 02:30 (0.5 h) short: store surplus, serve no load",
        "  22:00 to Mon 03:00 (5 h) night: charge, with 3000 W",
        "Mon 2026-10-26",
        "  not night: vacation",
    ]


def test_entries_that_meet_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    meets = {"entries": [{key: value for key, value in entry.items() if key not in
             ("overrides", "except_days_of")} for entry in SCHEDULE["entries"]]}  # fmt: skip
    path = site_with(tmp_path, meets)
    assert preview(path) == 1
    assert capsys.readouterr().out.startswith("wrong: schedule: night and short meet on 2026-10-25")
    assert main(["check", "--config", str(path)]) == 2
    assert "night and short meet on " in capsys.readouterr().err


def test_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert preview(site_with(tmp_path, SCHEDULE), "--json", "--days", "1") == 0
    content = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["schedule preview"]), content)) == []
    assert content["windows"][2]["start"] == "2026-10-25T02:30:00+02:00"


def test_without_a_schedule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert preview(site_with(tmp_path, {})) == 0
    assert capsys.readouterr().out == "there is no schedule: docs/schedule.md shows how\n"


@pytest.mark.parametrize("days", ["0", "401"])
def test_days_that_cannot_be(tmp_path: Path, days: str) -> None:
    assert preview(site_with(tmp_path, SCHEDULE), "--days", days) == 2
