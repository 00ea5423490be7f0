"""What the owner reads of loads and rooms."""

from holdfast.scheduling.daily_scheduler import DailyScheduler
from holdfast.scheduling.loads.progress import LoadsNow, RoomState
from holdfast.scheduling.plan_question import PlanQuestion
from tests.scheduling.planning import NOW, PARLOUR, forecast_of, site, site_prices, with_weather

NO_BATTERY = "{charge_power_max_w: 1, discharge_power_max_w: 1}"
NIGHT = [0.3] * 12 + [0.081] * 2 + [0.3] * 2 + [0.31] * 6


def car(text: str, energy_wh: int = 4000) -> str:
    return f"[{{name: boiler, power_w: 2000, energy_wh: {energy_wh}, {text}}}]"


def reasons(
    *prices: float, loads: str = "[]", rooms: str = "[]", warm_c: float = 20.5, pv_w: float = 0.0
) -> list[str]:
    """What is said besides of the battery, slot by slot."""
    one = site(loads=loads, rooms=rooms, operation=NO_BATTERY)
    forecast = with_weather(forecast_of(500.0, pv_w), *([5.0] * 200))
    now = LoadsNow(rooms={"parlour": RoomState(temperature_c=warm_c, utc=NOW)})
    question = PlanQuestion(
        now_utc=NOW,
        soc_pct=50.0,
        prices=site_prices(*prices),
        forecast=forecast,
        loads_now=now,
    )
    plan = DailyScheduler(one).make_plan(question)
    return [slot.reason.partition("; ")[2] for slot in plan.slots]


def test_a_load_runs_because_it_is_cheapest_then() -> None:
    said = reasons(*NIGHT, loads=car('from: "22:00", to: "06:00"'))
    assert said[48:56] == ["boiler runs: 8.1 ct, cheapest before 06:00"] * 8
    assert set(said[:48] + said[56:]) == {""}


def test_a_time_on_another_day_is_told_with_its_day() -> None:
    said = reasons(0.1, 0.1, *([0.3] * 20), loads=car('from: "10:00", to: "06:00"'))
    assert said[:8] == ["boiler runs: 10.0 ct, cheapest before Sat 06:00"] * 8


def test_on_a_sunny_day_it_runs_on_what_is_left_of_the_sun() -> None:
    said = reasons(*([0.3] * 6), loads=car('from: "10:00", to: "18:00"'), pv_w=3_000.0)
    assert set(said) - {""} == {"boiler runs: PV surplus, due at 18:00"}


def test_one_that_runs_through_tells_when_it_is_done() -> None:
    loads = car('from: "10:00", to: "18:00", runs_through: true', energy_wh=1200)
    said = reasons(0.3, 0.1, *([0.3] * 5), loads=loads)
    running = [text for text in said if text]
    assert len(running) == 3
    assert len(set(running)) == 1
    assert running[0].startswith("boiler runs: 10.0 ct, done at 13:")


def test_a_room_is_warmed_before_the_dear_hour_or_because_it_is_cold() -> None:
    said = reasons(0.081, 0.081, 0.15, 0.31, 0.31, 0.31, rooms=PARLOUR)
    assert "parlour pre-heats: 8.1 ct now, 31.0 ct at 15:00" in said[:8]
    cold = reasons(0.3, 0.3, 0.3, rooms=PARLOUR, warm_c=17.0)
    assert cold[0] == "parlour heats: below 20.0 °C"
    flat = reasons(0.3, 0.3, 0.3, rooms=PARLOUR, warm_c=20.0)
    assert set(flat) - {""} == {"parlour heats: 30.0 ct now"}


def test_more_than_two_at_once_are_counted() -> None:
    four = ", ".join(
        f'{{name: n{index}, power_w: 1000, energy_wh: 1000, from: "12:00", to: "13:00"}}'
        for index in range(4)
    )
    said = reasons(0.1, 0.1, 0.1, loads=f"[{four}]")
    assert said[0] == (
        "n0 runs: 10.0 ct, cheapest before 13:00; n1 runs: 10.0 ct, cheapest before 13:00; "
        "2 more run"
    )
