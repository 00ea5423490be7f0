"""``holdfast savings`` and the lines of ``holdfast status``: what was counted."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from holdfast.cli.main import main
from holdfast.cli.status import money_lines
from holdfast.core.quarter_hours import QUARTER, quarter_start
from holdfast.monitoring.history.energies import PricesNow, counted
from holdfast.monitoring.history.minute_book import Minute
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.site_power import SitePower
from holdfast.monitoring.history.span_savings import SpanName, SpanSavings
from holdfast.monitoring.history.store import HistoryStore
from holdfast.monitoring.judgement import JudgedDay, Judgement, encode_judgement
from holdfast.monitoring.plan_judge import Weighed, WhoLeads
from holdfast.site.files import SiteFiles
from holdfast.site.site_file import load_site
from holdfast.testing.sites import example_content
from tests.cli.json_outputs import OUTPUTS, complaints, shape

FIXED = {"source": {"kind": "fixed", "price_per_kwh": 0.3}}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    content = example_content(tmp_path, bms_on_can=False)
    content["prices"] = {"purchase": FIXED, "feed_in": FIXED}
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def write_hour(config: Path) -> None:
    """The hour before now: 2 kW from the grid."""
    site = load_site(config)
    files = SiteFiles.of(site)
    files.state_dir.mkdir()
    place = HistoryPlace.of(site.history, files.history_db, {})
    start = quarter_start(datetime.now(UTC)) - 4 * QUARTER
    store = HistoryStore(place, "here", int(start.timestamp()))
    power = SitePower(grid_w=2000.0, pv_w=0.0, battery_w=(0.0,))
    for minute in range(60):
        start_s = int((start + timedelta(minutes=minute)).timestamp())
        store.write(
            Minute(
                start_s=start_s,
                units={f"{site.unit_names[0]}/soc_pct": "%"},
                values=np.full((1, 60), 50.0),
                samples=60,
                quarter=dict(counted(power, PricesNow(purchase=0.3, feed_in=0.1), 60.0)),
                total={},
                spells=(),
            ),
            start_s,
        )
    store.close()


def test_it_tells_who_leads_and_why(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_hour(config)
    site = load_site(config)
    judgement = Judgement(
        site=site.name, currency=site.currency, made=datetime.now(UTC), leads=WhoLeads.RULE,
        looked=date(2026, 11, 29),
        weighed=Weighed(days=28, total=-1.2, mean=-0.043, low=-0.07, high=-0.01),
        days=(JudgedDay(
            day=date(2026, 11, 29), led=WhoLeads.RULE, gain=0.1,
            plans_soc_pct=50.0, rule_soc_pct=40.0,
        ),),
    )  # fmt: skip
    SiteFiles.of(site).judgement.write_bytes(encode_judgement(judgement))
    assert main(["savings", "--config", str(config)]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "this month the battery earned" in told
    assert "self-consumption leads: plans earned 1.20 EUR less on 28 days" in told
    assert "a day -0.04 EUR, surely from -0.07 to -0.01" in told
    assert main(["savings", "--config", str(config), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["savings"]), found)) == []
    assert found["judgement"]["leads"] == "self_consumption"
    assert found["judgement"]["why"] == judgement.why


def test_what_was_counted_is_told_with_what_it_rests_on(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_hour(config)
    assert main(["savings", "--config", str(config), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(complaints(shape(OUTPUTS["savings"]), found)) == []
    assert [span["span"] for span in found["spans"]] == list(SpanName)
    assert "Without battery: load less PV" in found["method"]
    # Around midnight a part of the hour is yesterday's, on 1 January last year's.
    paid = sum(span["paid"] or 0.0 for span in found["spans"][:2])
    assert paid == pytest.approx(0.6)
    assert main(["savings", "--config", str(config)]) == 0
    text = capsys.readouterr().out
    assert "no battery" in text
    assert "of it was measured" in text


def test_a_site_without_a_history_says_so(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["savings", "--config", str(config)]) == 2
    assert "no history has been written yet" in capsys.readouterr().err


def test_a_line_of_the_status_tells_today() -> None:
    now = datetime(2026, 5, 8, 12, tzinfo=UTC)
    known = SpanSavings(
        span=SpanName.TODAY, start=now, end=now, paid=1.2, no_battery=2.0, self_consumption=1.5
    )
    unknown = SpanSavings(span=SpanName.MONTH, start=now, end=now)
    assert list(money_lines([known, unknown], "EUR")) == [
        "today: paid 1.20 EUR, saved 0.80 against no battery, 0.30 against self-consumption"
    ]
