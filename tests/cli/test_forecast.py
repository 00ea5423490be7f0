"""``holdfast forecast`` says what is expected, on what grounds, and how good that was."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from holdfast.cli.forecast import in_words
from holdfast.cli.main import main
from holdfast.core.quarter_hours import quarter_of
from holdfast.forecasting.forecast import Score
from holdfast.forecasting.history import Field, PowerHistory
from holdfast.runtime.measured import load_history
from holdfast.runtime.weather_watch import open_collector
from holdfast.site.files import SiteFiles, write_atomically
from holdfast.site.site_file import load_site
from holdfast.testing.sites import example_content
from tests.forecasting.open_meteo import open_meteo_answer
from tests.markets.http_server import always, serving

AT = "2026-05-08T12:00+00:00"
NOW = quarter_of(datetime.fromisoformat(AT))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(example_content(tmp_path)))
    return config


def measured(config: Path) -> None:
    history, random = PowerHistory(), np.random.default_rng(1)
    quarters = np.arange(NOW - 50 * 96, NOW)
    day = np.sin(quarters % 96 / 96 * np.pi)
    history.put(Field.LOAD_W, int(quarters[0]), 500 + 800 * day + random.normal(0, 100, len(day)))
    history.put(Field.PV_W, int(quarters[0]), np.maximum(day - 0.5, 0) * 8000)
    history.put(Field.PRICE_PER_KWH, int(quarters[0]), 0.1 + day * 0.1)
    files = SiteFiles.of(load_site(config))
    files.create()
    write_atomically(files.history, history.to_bytes())
    assert len(load_history(files)) == len(quarters)


def test_a_new_site_is_told_that_this_is_no_forecast_yet(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["forecast", "--config", str(config)]) == 0
    shown = capsys.readouterr().out
    assert "nothing learned yet, and no load is measured" in shown
    assert "none of these times was measured yet: a guess, not a forecast" in shown
    assert "no score yet" in shown
    assert "unknown" in shown


def test_no_more_hours_are_shown_than_are_wanted(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for hours in (4, 48):
        assert main(["forecast", "--config", str(config), "--hours", str(hours)]) == 0
        rows = re.findall(r"^\w{3} \d\d:\d\d  ", capsys.readouterr().out, re.MULTILINE)
        assert len(rows) == hours
    for wrong in ("0", "49", "many"):
        with pytest.raises(SystemExit):
            main(["forecast", "--config", str(config), "--hours", wrong])
        assert "from 1 to 48 can be shown" in capsys.readouterr().err


def test_it_shows_ranges_grounds_and_the_score_in_words(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(config)
    assert main(["forecast", "--config", str(config), "--at", AT]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "load: day pattern, from what was measured on earlier days" in shown
    assert "less than by assuming the day before" in shown
    assert "These are no prices" in shown
    assert " to " in shown


def test_for_programs_it_is_json_with_quantiles_and_age(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(config)
    assert main(["forecast", "--config", str(config), "--at", AT, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    load = found["load"]
    assert datetime.fromisoformat(load["made_utc"]) == datetime.fromisoformat(AT)
    assert set(load["quantiles_w"]) == {"0.1", "0.5", "0.9"}
    assert len(load["quantiles_w"]["0.9"]) == len(load["mean_w"]) == 193
    assert found["learned"]["a_day"] is True
    assert found["learned"]["note"] == ""
    assert load["score"]["mae"] < load["score"]["persistence_mae"]
    assert datetime.fromisoformat(found["price"]["start_utc"]) == datetime.fromisoformat(AT)


def test_arrays_without_a_place_are_a_configuration_error(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = yaml.safe_load(config.read_text())
    content["pv"] = {"arrays": [{"azimuth_deg": 143, "tilt_deg": 35, "peak_w": 7500}]}
    config.write_text(yaml.safe_dump(content))
    assert main(["forecast", "--config", str(config)]) == 2
    assert "needs location" in capsys.readouterr().err
    content["location"] = {"latitude_deg": 52.5, "longitude_deg": 13.4}
    config.write_text(yaml.safe_dump(content))
    assert main(["forecast", "--config", str(config)]) == 0


def test_it_tells_whether_weather_is_used_and_how_old_it_is(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    command = ["forecast", "--config", str(config)]
    utc = datetime.fromisoformat(AT)

    def told(at: datetime) -> dict[str, object]:
        assert main([*command, "--at", at.isoformat(), "--json"]) == 0
        found: dict[str, object] = json.loads(capsys.readouterr().out)["weather"]
        return found

    assert told(utc) is None  # a site without arrays
    with serving(always(open_meteo_answer(utc))) as server:
        content = yaml.safe_load(config.read_text())
        content["location"] = {"latitude_deg": 52.5, "longitude_deg": 13.4}
        content["pv"] = {"arrays": [{"azimuth_deg": 143, "tilt_deg": 35, "peak_w": 7500}]}
        content["weather"] = {"url": server.url}
        config.write_text(yaml.safe_dump(content))
        unknown = {"used": False, "fetched_utc": None, "age_s": None, "is_stale": True}
        assert told(utc) == unknown
        assert main([*command, "--at", AT]) == 0
        assert "weather: none was fetched yet" in capsys.readouterr().out
        site = load_site(config)
        files = SiteFiles.of(site)
        assert server.seen == [], "it shows, and asks nobody"
        collector = open_collector(site, files, utc)
        assert collector is not None
        collector.refresh(utc)
    history = load_history(files)
    history.put(Field.PV_MODEL_W, NOW, np.full(300, 700.0))
    write_atomically(files.history, history.to_bytes())
    later = told(utc + timedelta(hours=5))
    assert (later["used"], later["age_s"], later["is_stale"]) == (True, 18_000.0, False)
    assert told(utc + timedelta(hours=7))["is_stale"] is True
    assert told(utc + timedelta(days=9))["used"] is False, "it has ended"
    assert main([*command, "--at", AT]) == 0
    assert "weather: the last forecast is 0.0 h old\n" in capsys.readouterr().out


@pytest.mark.parametrize("at", ["0001-01-02", "9999-12-31"])
def test_a_time_out_of_this_world_is_refused(
    config: Path, capsys: pytest.CaptureFixture[str], at: str
) -> None:
    assert main(["forecast", "--config", str(config), "--at", at]) == 2
    assert "no time of a site" in capsys.readouterr().err


def test_a_score_is_told_in_words() -> None:
    good = Score(mae=300.0, persistence_mae=400.0, pinball=1.0, days=28.0)
    bad = Score(mae=500.0, persistence_mae=400.0, pinball=1.0, days=28.0)
    flat = Score(mae=5.0, persistence_mae=0.0, pinball=1.0, days=28.0)
    assert "25% less" in in_words(good, "W")
    assert "25% more" in in_words(bad, "W")
    assert "assuming" not in in_words(flat, "W")
    assert flat.skill is None
