"""Measured days beside what they would have cost by self-consumption and with perfect foresight."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml

from holdfast.backtest import day_money
from holdfast.backtest.day_money import compare_days, main, measured_day
from holdfast.core.config import Site
from holdfast.core.errors import DataError
from holdfast.monitoring.history.database import HistoryError
from holdfast.monitoring.history.day_money import DayMoney, keep_day_money, known_day_money
from holdfast.monitoring.history.energies import PricesNow, counted
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.minute_book import Minute
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.site_power import SitePower
from holdfast.monitoring.history.store import HistoryStore
from tests.builders import UNIT, build_site, site_content
from tests.monitoring.history.samples import BEGIN_S, place_in

BERLIN = ZoneInfo("Europe/Berlin")
DAY = date(2026, 11, 29)
SITE = build_site(timezone="Europe/Berlin")
NOW_S = BEGIN_S + 86_400


def write_day(
    place: HistoryPlace, day: date = DAY, *, hours: int = 24, priced: bool = True
) -> None:
    """A house that takes 400 W, 1900 W in the evening, when a kWh costs twice as much; no PV."""
    store = HistoryStore(place, "here", NOW_S)
    start_s = int(datetime(day.year, day.month, day.day, tzinfo=BERLIN).timestamp())
    for quarter in range(hours * 4):
        evening = 17 * 4 <= quarter < 21 * 4
        load_w, price = (1900.0, 0.4) if evening else (400.0, 0.2)
        power = SitePower(grid_w=load_w, pv_w=0.0, battery_w=(0.0,))
        prices = PricesNow(purchase=price, feed_in=0.08) if priced else PricesNow()
        store.write(
            Minute(
                start_s=start_s + quarter * 900,
                units={f"{UNIT}/soc_pct": "%"},
                values=np.full((1, 60), 50.0),
                samples=60,
                quarter=dict(counted(power, prices, 900.0)),
                total={},
                spells=(),
            ),
            NOW_S,
        )
    store.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[HistoryPlace]:
    return place_in(tmp_path)


def test_foresight_buys_at_night_what_the_evening_needs(place: HistoryPlace) -> None:
    write_day(place)
    (found,) = compare_days(SITE, place, [DAY], NOW_S)
    assert (found.day, found.made_s, found.problem) == ("2026-11-29", NOW_S, "")
    keep_day_money(place, [found])
    start = datetime(2026, 11, 29, tzinfo=BERLIN)
    (row,) = HistoryReader(place, BERLIN).money(start, start + timedelta(days=1), TimeStep.DAY)
    assert row.cost == row.no_battery == pytest.approx(4 * 1.9 * 0.4 + 20 * 0.4 * 0.2)
    assert row.perfect_foresight is not None
    assert row.self_consumption is not None
    assert row.perfect_foresight < row.cost - 0.5
    assert row.perfect_foresight < row.self_consumption


def test_self_consumption_has_no_gain_from_what_it_takes_out_of_the_store(
    place: HistoryPlace,
) -> None:
    """Without PV it sells in the day what it holds: its losses make it dearer than no battery."""
    write_day(place)
    (found,) = compare_days(SITE, place, [DAY], NOW_S)
    assert found.self_consumption is not None
    assert 4.64 < found.self_consumption < 5.0


@pytest.mark.parametrize(
    ("options", "told"),
    [({"hours": 20}, "only 83% of it was measured"), ({"priced": False}, "only 0% of it was")],
)
def test_a_day_that_is_not_whole_is_not_compared(
    place: HistoryPlace, options: dict[str, bool], told: str
) -> None:
    write_day(place, **options)  # type: ignore[arg-type]
    (found,) = compare_days(SITE, place, [DAY], NOW_S)
    assert (found.self_consumption, found.perfect_foresight) == (None, None)
    assert told in found.problem


def test_a_state_of_charge_that_is_not_known_is_not_made_up(place: HistoryPlace) -> None:
    write_day(place)
    reader = HistoryReader(place, BERLIN)
    other = build_site(timezone="Europe/Berlin").model_copy(
        update={
            "storage": tuple(unit.model_copy(update={"name": "other"}) for unit in SITE.storage)
        }
    )
    with pytest.raises(DataError, match="there is no 'other/soc_pct'"):
        measured_day(other, reader, DAY)


def test_the_last_days_are_compared_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(site_content(timezone="Europe/Berlin")))
    (tmp_path / "state").mkdir()
    place = place_in(tmp_path / "state")
    today = datetime.now(BERLIN).date()
    write_day(place, today - timedelta(days=1), hours=1)
    monkeypatch.setattr(day_money.os, "nice", lambda _: 0)
    assert main(["--config", str(config), "--days", "3"]) == 0
    known = known_day_money(place)
    assert list(known) == [(today - timedelta(days=n)).isoformat() for n in (1, 2, 3)]
    asked: list[date] = []

    def compare(
        site: Site, place: HistoryPlace, days: list[date], now_s: int
    ) -> Iterator[DayMoney]:
        asked.extend(days)
        return iter(())

    monkeypatch.setattr(day_money, "compare_days", compare)
    assert main(["--config", str(config), "--days", "4"]) == 0
    assert asked == [today - timedelta(days=4)]


def test_without_a_history_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(site_content()))
    monkeypatch.setattr(day_money.os, "nice", lambda _: 0)
    assert main(["--config", str(config)]) == 2
    assert "no history has been written yet" in capsys.readouterr().err
    with pytest.raises(HistoryError, match="no history has been written yet"):
        keep_day_money(place_in(tmp_path), [])
    assert not (tmp_path / "history.db").exists()
