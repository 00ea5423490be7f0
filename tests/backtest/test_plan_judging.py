"""Plans judged by measured days, from a history with the plans that the controller held."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from holdfast.backtest import plan_judging
from holdfast.backtest.held_plans import HeldPlans, who_led
from holdfast.backtest.plan_judging import judge_days, judged_day, main
from holdfast.client.judgement_reader import read_judgement
from holdfast.core.asked_slot import AskedBy
from holdfast.core.errors import DataError
from holdfast.core.plan import Plan, PlannedLoad, PlanSlot, PlanStatus
from holdfast.core.slot_mode import SlotMode
from holdfast.monitoring.history.energies import PricesNow, counted
from holdfast.monitoring.history.minute_book import Minute
from holdfast.monitoring.history.packed_plan import pack_plan
from holdfast.monitoring.history.past_spells import PastPlan
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.site_power import SitePower
from holdfast.monitoring.history.spells import Spell, SpellKind
from holdfast.monitoring.history.store import HistoryStore
from holdfast.monitoring.judgement import JudgedDay, Judgement
from holdfast.monitoring.plan_judge import WhoLeads
from holdfast.site.files import SiteFiles
from tests.backtest.test_day_money import BERLIN
from tests.builders import UNIT, build_site, site_content
from tests.monitoring.history.samples import place_in

FIXED = {"source": {"kind": "fixed", "price_per_kwh": 0.3}}
PRICES = {"purchase": FIXED, "feed_in": FIXED}
SITE = build_site(timezone="Europe/Berlin", prices=PRICES)
DAY = date(2026, 11, 27)
NOW = datetime(2026, 11, 29, 6, tzinfo=UTC)
NIGHT, EVENING = range(4), range(17, 21)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC)


def slot(start: datetime, hours: float, power_w: float, by: AskedBy = AskedBy.PLAN) -> PlanSlot:
    follows = power_w == 0.0
    return PlanSlot(
        start=start,
        end=start + timedelta(hours=hours),
        mode=SlotMode.SELF_CONSUMPTION if follows else SlotMode.POWER,
        battery_power_w=power_w,
        grid_power_w=None,
        soc_end_pct=None,
        import_price_per_kwh=0.2,
        reason="as these tests want it",
        by=by,
    )


def held(
    day: date, hour: int, power_w: float, status: PlanStatus, by: AskedBy = AskedBy.PLAN
) -> PastPlan:
    """The plan of one hour."""
    start = midnight(day) + timedelta(hours=hour)
    plan = Plan(
        plan_id=f"{day}-{hour}",
        created=start,
        expires=start + timedelta(hours=1),
        status=status,
        expected_cost=0.0,
        slots=(slot(start, 1.0, power_w, by),),
    )
    return PastPlan(
        start=start,
        end=start + timedelta(hours=1),
        times=1,
        plan_id=plan.plan_id,
        status=status,
        expected_cost=0.0,
        plan=plan,
    )


def clever(day: date) -> list[PastPlan]:
    """It buys in the cheap night, and the evening, when a kWh costs twice as much, is served."""
    return [
        held(day, hour, 1500.0 if hour in NIGHT else 0.0, PlanStatus.OPTIMAL) for hour in range(24)
    ]


def foolish(day: date) -> list[PastPlan]:
    """It buys in the dear evening and gives it back in the cheap night."""
    powers_w = [
        2000.0 if hour in EVENING else -1000.0 if hour in NIGHT else 0.0 for hour in range(24)
    ]
    return [held(day, hour, power, PlanStatus.OPTIMAL) for hour, power in enumerate(powers_w)]


def ruled(day: date) -> list[PastPlan]:
    return [held(day, hour, 0.0, PlanStatus.STRATEGY) for hour in range(24)]


def write(
    place: HistoryPlace,
    day: date,
    plans: Sequence[PastPlan],
    *,
    price: float = 0.2,
    hours: int = 24,
) -> None:
    """A house that takes 400 W, 1900 W in the evening; no PV. 30 % are stored all day."""
    store = HistoryStore(place, "here", int(NOW.timestamp()))
    start_s = int(midnight(day).timestamp())
    spells = [
        Spell(
            kind=SpellKind.PLAN,
            name=past.plan_id,
            about={"status": past.status, "expected_cost": 0.0},
            start_s=int(past.start.timestamp()),
            end_s=None if past.end is None else int(past.end.timestamp()),
            plan=None if past.plan is None else pack_plan(past.plan),
        )
        for past in plans
    ]
    for quarter in range(hours * 4):
        dear = quarter // 4 in EVENING
        load_w = 1900.0 if dear else 400.0
        power = SitePower(grid_w=load_w, pv_w=0.0, battery_w=(0.0,))
        prices = PricesNow(purchase=2.0 * price if dear else price, feed_in=0.08)
        minute = Minute(
            start_s=start_s + quarter * 900,
            units={f"{UNIT}/soc_pct": "%"},
            values=np.full((1, 60), 30.0),
            samples=60,
            quarter=dict(counted(power, prices, 900.0)),
            total={},
            spells=tuple(spells) if quarter == 0 else (),
        )
        store.write(minute, int(NOW.timestamp()))
    store.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[HistoryPlace]:
    (tmp_path / "state").mkdir()
    return place_in(tmp_path / "state")


def judged(place: HistoryPlace, before: JudgedDay | None = None) -> JudgedDay:
    return judged_day(SITE, HistoryReader(place, BERLIN), DAY, before)


def test_plans_that_buy_cheaply_earn_more_than_self_consumption(place: HistoryPlace) -> None:
    write(place, DAY, clever(DAY))
    found = judged(place)
    assert (found.day, found.led) == (DAY, WhoLeads.PLANS)
    assert 0.3 < found.gain < 2.0


def test_plans_that_buy_dear_earn_less(place: HistoryPlace) -> None:
    write(place, DAY, foolish(DAY))
    assert -4.0 < judged(place).gain < -0.5


def test_plans_that_do_what_the_rule_does_earn_the_same(place: HistoryPlace) -> None:
    follows = [held(DAY, hour, 0.0, PlanStatus.OPTIMAL) for hour in range(24)]
    write(place, DAY, follows)
    found = judged(place)
    assert found.gain == pytest.approx(0.0, abs=0.005)
    assert found.plans_soc_pct == pytest.approx(found.rule_soc_pct, abs=0.1)


def test_what_plans_would_have_earned_is_replayed_while_the_rule_leads(place: HistoryPlace) -> None:
    """It has seen a week of this house, and the prices of the day after."""
    for back in range(7, 0, -1):
        write(place, DAY - timedelta(days=back), ())
    write(place, DAY, ruled(DAY))
    write(place, DAY + timedelta(days=1), ())
    found = judged(place)
    assert found.led is WhoLeads.RULE
    assert 0.1 < found.gain < 2.0
    assert found.plans_soc_pct != pytest.approx(found.rule_soc_pct, abs=0.1)


def test_whoever_did_not_lead_goes_on_with_what_he_had(place: HistoryPlace) -> None:
    """The rule has kept 80 %, and gives all of that away in the cheap hours, with its losses."""
    write(place, DAY, clever(DAY))
    before = JudgedDay(
        day=DAY - timedelta(days=1),
        led=WhoLeads.PLANS,
        gain=0.0,
        plans_soc_pct=5.0,
        rule_soc_pct=80.0,
    )
    fresh, goes_on = judged(place), judged(place, before)
    assert goes_on.gain > fresh.gain + 0.01
    assert goes_on.plans_soc_pct == fresh.plans_soc_pct
    after_a_hole = replace(before, day=DAY - timedelta(days=2))
    assert judged(place, after_a_hole) == fresh


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"price": 200.0}, "a price of 200 EUR per kWh is not within -1 to 10"),
        ({"price": 3.0}, "prices of about 3 EUR per kWh cannot be"),
        ({"hours": 20}, "only 83% of it was measured"),
    ],
)
def test_a_day_that_cannot_be_judged_says_why(
    place: HistoryPlace, changes: dict[str, float], told: str
) -> None:
    write(place, DAY, clever(DAY), **changes)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=told):
        judged(place)


def half(day: date) -> list[PastPlan]:
    return [*clever(day)[:12], *ruled(day)[12:]]


def by_hand(day: date) -> list[PastPlan]:
    asked = [held(day, hour, 0.0, PlanStatus.OPTIMAL, AskedBy.OPERATOR) for hour in range(8)]
    return [*asked, *clever(day)[8:]]


def forgotten(day: date) -> list[PastPlan]:
    return [replace(past, plan=None) for past in clever(day)]


@pytest.mark.parametrize("plans", [half(DAY), by_hand(DAY), forgotten(DAY), []])
def test_a_day_that_nobody_led_nearly_whole_is_not_judged(
    place: HistoryPlace, plans: list[PastPlan]
) -> None:
    write(place, DAY, plans)
    with pytest.raises(DataError, match="neither plans nor self-consumption led 90% of it"):
        judged(place)


def test_a_plan_leads_until_it_expires_or_another_one_is_held() -> None:
    start, end = midnight(DAY), midnight(DAY + timedelta(days=1))
    (first, *_), later = clever(DAY), clever(DAY)[1:]
    assert first.plan is not None
    long = replace(first, end=None, plan=replace(first.plan, slots=(slot(start, 24.0, 0.0),)))
    assert who_led([long], start, end) is None, "it expires after an hour"
    assert who_led([first, *later], start, end) is WhoLeads.PLANS


def test_held_plans_are_followed_as_long_as_they_were_held_and_without_loads() -> None:
    plans = clever(DAY)[:2]
    first = plans[0].plan
    assert first is not None
    boiler = PlannedLoad(name="boiler", power_w=2000.0)
    with_load = replace(first, slots=(replace(first.slots[0], loads=(boiler,)),))
    adviser = HeldPlans([replace(plans[0], plan=with_load), plans[1]])
    start = midnight(DAY)
    assert adviser.plan(start - timedelta(seconds=1), 50.0) is None
    assert adviser.plan(start + timedelta(minutes=30), 50.0) == first
    assert adviser.plan(start + timedelta(hours=1), 50.0) == plans[1].plan
    assert adviser.plan(start + timedelta(hours=2), 50.0) is None


def test_each_day_is_looked_at_once_two_days_later(
    place: HistoryPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hole stays one; what was found before it goes on."""
    asked: list[date] = []

    def one(_: object, __: object, day: date, before: JudgedDay | None) -> JudgedDay:
        asked.append(day)
        if day.day % 5 == 0:
            raise DataError("there is a hole")
        return JudgedDay(
            day=day, led=WhoLeads.PLANS, gain=0.5, plans_soc_pct=50.0, rule_soc_pct=50.0
        )

    monkeypatch.setattr(plan_judging, "judged_day", one)
    write(place, DAY, ())
    reader = HistoryReader(place, BERLIN)
    new = Judgement(site=SITE.name, currency="EUR", made=NOW)
    *_, found = judge_days(SITE, reader, new, NOW)
    assert (asked[0], asked[-1], len(asked)) == (date(2026, 10, 29), DAY, 30)
    assert (len(found.days), found.looked) == (24, DAY)
    asked.clear()
    assert list(judge_days(SITE, reader, found, NOW + timedelta(hours=5))) == []
    *_, found = judge_days(SITE, reader, found, NOW + timedelta(days=1))
    assert asked == [DAY + timedelta(days=1)]


def test_the_process_keeps_what_it_finds_for_who_asks(
    tmp_path: Path, place: HistoryPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_judging.os, "nice", lambda _: 0)
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(site_content(timezone="Europe/Berlin", prices=PRICES)))
    day = datetime.now(BERLIN).date() - timedelta(days=2)
    write(place, day, clever(day))
    assert main(["--config", str(config)]) == 0
    files = SiteFiles(state_dir=tmp_path / "state")
    found = read_judgement(SITE, files, datetime.now(UTC))
    assert found is not None
    assert [one.day for one in found.days] == [day]
    assert found.why == "plans lead: 1 days were judged, and 28 are needed"


def test_plans_that_are_not_to_be_judged_are_not(
    tmp_path: Path, place: HistoryPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_judging.os, "nice", lambda _: 0)
    config = tmp_path / "site.yaml"
    content = site_content(prices=PRICES, planner={"judged": False})
    config.write_text(yaml.safe_dump(content))
    assert main(["--config", str(config)]) == 0
    assert not SiteFiles(state_dir=tmp_path / "state").judgement.exists()


def test_without_a_history_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plan_judging.os, "nice", lambda _: 0)
    config = tmp_path / "site.yaml"
    config.write_text(yaml.safe_dump(site_content(prices=PRICES)))
    assert main(["--config", str(config)]) == 2
    assert "no history has been written yet" in capsys.readouterr().err
