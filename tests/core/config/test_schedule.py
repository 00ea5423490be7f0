"""What a schedule in site.yaml may say, and what is told of one that is wrong."""

import pytest
from pydantic import ValidationError

from holdfast.core.config import Site
from holdfast.core.config.schedule import minutes_of
from holdfast.core.errors import ConfigError
from tests.builders import build_site, unit_content
from tests.calendars.scheduled import entries, scheduled

WRONG = {
    "no time": ("{name: a, from: '25:00', mode: hold}", "is no time of a day"),
    "no length": ("{name: a, from: '06:00', to: '06:00', mode: hold}", "from and to are the same"),
    "nothing": ("{name: a}", "a: asks for nothing"),
    "no power": ("{name: a, mode: charge}", "mode charge needs power_w"),
    "a power of none": ("{name: a, mode: hold, power_w: 5}", "there is none in mode hold"),
    "no target": ("{name: a, mode: soc}", "mode soc needs soc_target_pct"),
    "no cap": ("{name: a, mode: peak_shaving}", "needs import_max_w"),
    "too strong": ("{name: a, mode: discharge, power_w: 9000}", "9000 is more than all storage"),
    "no place": ("{name: a, from: sunset, mode: hold}", "need location"),
    "no calendar": ("{name: a, on_days_of: [x], mode: hold}", "there is no calendar x"),
    "not a file": ("{name: a, during: d, mode: hold}", "during: d is no iCalendar file"),
    "both": ("{name: a, during: f, from: '06:00', mode: hold}", "during says when"),
    "itself": ("{name: a, mode: hold, overrides: [a]}", "there is no other entry a"),
    "twice": ("{name: a, mode: hold}, {name: a, mode: hold}", "two have the name a"),
    "backwards": ("{name: a, on_days_of: [b], mode: hold}", "is before from"),
}
CALENDARS = "{d: {kind: dates, dates: [2026-01-01]}, f: {kind: ics, path: f.ics}}"
BACKWARDS = "{b: {kind: dates, ranges: [{from: 2026-02-01, to: 2026-01-01}]}}"


@pytest.mark.parametrize(("text", "why"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told(text: str, why: str) -> None:
    calendars = BACKWARDS if "[b]" in text else CALENDARS
    with pytest.raises(ConfigError) as error:
        scheduled(entries(text, calendars=calendars))
    assert why in str(error.value)


def test_a_calendar_of_no_days_is_told() -> None:
    with pytest.raises(ConfigError, match="has no days"):
        scheduled(entries(calendars="{b: {kind: dates}}"))


NEEDS = {
    "self_consumption": None,
    "hold": None,
    "passive": None,
    "charge": "power_w",
    "discharge": "power_w",
    "charge_only": None,
    "soc": "soc_target_pct",
    "full_charge": None,
    "pv_optimizer": "soc_ceiling_pct",
    "peak_shaving": "import_max_w",
    "load_balancer": None,
    "commercial": "import_max_w",
}
"""Each mode, and what it can do nothing without."""
WITH_POWER = {"charge", "discharge", "charge_only", "full_charge"}
PERCENTS = ["soc_target_pct", "soc_ceiling_pct", "reserve_pct"]


@pytest.mark.parametrize(("mode", "needs"), NEEDS.items())
def test_a_mode_has_what_it_needs_and_a_power_only_where_it_charges_or_discharges(mode, needs):
    whole = f"name: a, mode: {mode}" + (f", {needs}: 50" if needs else "")
    (entry,) = scheduled(entries(f"{{{whole}}}")).schedule.entries
    assert entry.mode == mode
    if needs:
        with pytest.raises(ConfigError, match=f"a: mode {mode} needs {needs}"):
            scheduled(entries(f"{{name: a, mode: {mode}}}"))
    if needs == "power_w":
        return
    powered = entries(f"{{{whole}, power_w: 1000}}")
    if mode in WITH_POWER:
        assert scheduled(powered).schedule.entries[0].power_w == 1000.0
    else:
        with pytest.raises(ConfigError, match=f"a: power_w: there is none in mode {mode}"):
            scheduled(powered)


def test_there_is_no_other_mode() -> None:
    """Charge and discharge say that a power is held; what energy is worth only a plan can say."""
    for mode in ("power", "sell", "Hold", "stored_value"):
        with pytest.raises(ConfigError, match="mode"):
            scheduled(entries(f"{{name: a, mode: {mode}, power_w: 50}}"))


@pytest.mark.parametrize("name", PERCENTS)
def test_a_share_of_the_storage_is_0_to_100_percent(name: str) -> None:
    for value in (20.0, 100.0):
        (entry,) = scheduled(entries(f"{{name: a, {name}: {value}}}")).schedule.entries
        assert getattr(entry, name) == value
    for value in (-0.5, 100.5):
        with pytest.raises(ConfigError, match=name):
            scheduled(entries(f"{{name: a, {name}: {value}}}"))
    (entry,) = scheduled(entries(f"{{name: a, mode: hold, {name}: 0}}")).schedule.entries
    assert getattr(entry, name) == 0.0


@pytest.mark.parametrize(
    "term", [*(f"{name}: 60" for name in PERCENTS), "grid_target_w: -50", "import_max_w: 0",
             "export_max_w: 0"]
)  # fmt: skip
def test_without_a_mode_each_term_alone_asks_for_something(term: str) -> None:
    (entry,) = scheduled(entries(f"{{name: a, {term}}}")).schedule.entries
    assert entry.mode is None


@pytest.mark.parametrize("at", ["0:00", "06:45", "9:05", "23:59", "24:00"])
def test_a_time_of_the_clock_is_taken_as_it_is_written(at: str) -> None:
    (entry,) = scheduled(
        entries(f"{{name: a, from: '12:00', to: '{at}', mode: hold}}")
    ).schedule.entries
    assert entry.to_time == at
    assert entry.by_sun is False


@pytest.mark.parametrize("at", ["sunrise", "sunset", "sunset+00:30", "sunrise-11:59"])
def test_a_time_by_the_sun_is_one_at_either_end(at: str) -> None:
    here = "location: {latitude_deg: 52.5, longitude_deg: 13.4}"
    for ends in (f"from: {at}, to: '23:00'", f"from: '01:00', to: {at}"):
        (entry,) = scheduled(
            entries(f"{{name: a, {ends}, mode: hold}}"), more=here
        ).schedule.entries
        assert at in (entry.from_time, entry.to_time)
        assert entry.by_sun is True


@pytest.mark.parametrize(
    "at",
    ["24:01", "6:5", "06:60", "-1:00", "noon", "sunset+1:00", "sunset*00:30", "x06:00", "06:00x"],
)
def test_what_is_no_time_is_refused_with_examples_of_one(at: str) -> None:
    right = "no time of a day, such as 06:45, 24:00, sunset or sunrise-00:30"
    with pytest.raises(ConfigError, match=right):
        scheduled(entries(f"{{name: a, from: '{at}', mode: hold}}"))


@pytest.mark.parametrize("mode", ["hold", "passive", "load_balancer", "full_charge"])
def test_an_entry_needs_a_name_and_what_it_does(mode: str) -> None:
    (entry,) = scheduled(entries(f"{{name: each, mode: {mode}}}")).schedule.entries
    assert (entry.from_time, entry.to_time, entry.calendars, entry.by_sun) == (
        "00:00", "24:00", (), False
    )  # fmt: skip


def test_a_schedule_in_which_everything_holds_is_right() -> None:
    calendars = "{b: {kind: dates, ranges: [{from: 2026-01-01, to: 2026-02-01}]}}"
    site = scheduled(
        entries(
            "{name: a, on_days_of: [b], mode: hold}, "
            "{name: c, mode: hold, from: '06:00', to: '07:00', overrides: [a]}",
            calendars=calendars,
        )
    )
    assert [entry.name for entry in site.schedule.entries] == ["a", "c"]
    (days,) = site.schedule.calendars["b"].ranges
    assert (str(days.from_date), str(days.to_date)) == ("2026-01-01", "2026-02-01")
    assert minutes_of("sunset") == 0
    assert minutes_of("sunset-00:30") == -30


FILE = "{f: {kind: ics, path: f.ics}}"


@pytest.mark.parametrize(
    "when",
    ["from: '06:00'", "to: '06:00'", "days: [mon]", "months: [1]", "on_days_of: [f]"],
)
def test_the_events_of_a_file_say_when_in_place_of_all_else(when: str) -> None:
    with pytest.raises(ConfigError, match="a: during says when; leave out"):
        scheduled(entries(f"{{name: a, during: f, {when}, mode: hold}}", calendars=FILE))
    but = entries("{name: a, during: f, except_days_of: [f], mode: hold}", calendars=FILE)
    assert scheduled(but).schedule.entries[0].during == "f"


@pytest.mark.parametrize("asked", ["on_days_of: [{}]", "except_days_of: [{}]", "during: {}"])
def test_a_calendar_that_is_asked_has_to_be_there_whatever_for(asked: str) -> None:
    (entry,) = scheduled(
        entries(f"{{name: a, mode: hold, {asked.format('f')}}}", calendars=FILE)
    ).schedule.entries
    assert entry.calendars == ("f",)
    with pytest.raises(ConfigError, match="a: there is no calendar nowhere"):
        scheduled(entries(f"{{name: a, mode: hold, {asked.format('nowhere')}}}", calendars=FILE))


def test_an_exception_is_one_of_another_entry() -> None:
    whole = "{name: a, mode: hold}"
    right = entries(whole, "{name: b, mode: passive, overrides: [a]}")
    assert scheduled(right).schedule.entries[1].overrides == ("a",)
    with pytest.raises(ConfigError, match="b: overrides: there is no other entry c"):
        scheduled(entries(whole, "{name: b, mode: passive, overrides: [a, c]}"))


@pytest.mark.parametrize(
    ("calendar", "right"),
    [
        ("{kind: dates, ranges: [{from: 2026-01-01, to: 2026-01-01}]}", True),
        ("{kind: dates, dates: [2026-01-01]}", True),
        ("{kind: dates, dates: [2026-01-01], ranges: [{from: 2026-01-01, to: 2026-01-02}]}", True),
        ("{kind: holidays, country: DE}", True),
        ("{kind: holidays, country: DEU}", False),
        ("{kind: holidays, country: de}", False),
        (f"{{kind: holidays, country: DE, subdivision: {'B' * 40}}}", True),
        (f"{{kind: holidays, country: DE, subdivision: {'B' * 41}}}", False),
        ("{kind: ics, path: f.ics, summary: X}", True),
        ("{kind: ics, path: f.ics, summary: ''}", False),
        ("{kind: moon, path: f.ics}", False),
    ],
)
def test_a_calendar_is_of_one_of_three_kinds(calendar: str, right: bool) -> None:
    text = entries("{name: a, mode: hold, on_days_of: [x]}", calendars=f"{{x: {calendar}}}")
    if right:
        assert scheduled(text).schedule.calendars["x"].kind in calendar
    else:
        with pytest.raises(ConfigError):
            scheduled(text)


@pytest.mark.parametrize("name", ["days", "months"])
def test_days_and_months_are_left_out_rather_than_empty(name: str) -> None:
    one = {"days": "mon", "months": "12"}[name]
    (entry,) = scheduled(entries(f"{{name: a, {name}: [{one}], mode: hold}}")).schedule.entries
    assert [str(value) for value in getattr(entry, name)] == [one]
    with pytest.raises(ConfigError, match=name):
        scheduled(entries(f"{{name: a, {name}: [], mode: hold}}"))


@pytest.mark.parametrize(
    ("mode", "most_w"),
    [("charge", 3000), ("charge_only", 3000), ("full_charge", 3000), ("discharge", 4000)],
)
def test_no_entry_asks_for_more_than_all_units_can_do(mode: str, most_w: int) -> None:
    hardware = {"charge_power_max_w": 3000, "discharge_power_max_w": 4000}

    def site(power_w: float) -> Site:
        entry = {"name": "a", "mode": mode, "power_w": power_w}
        return build_site(unit_content(inverter_hardware=hardware), schedule={"entries": [entry]})

    assert site(most_w).schedule.entries[0].power_w == most_w
    with pytest.raises(ValidationError, match=f"more than all storage units can do, {most_w} W"):
        site(most_w + 0.5)


def test_a_schedule_has_a_hundred_entries_at_most() -> None:
    each = [f"{{name: a{number}, reserve_pct: 30}}" for number in range(101)]
    assert len(scheduled(entries(*each[:100])).schedule.entries) == 100
    with pytest.raises(ConfigError, match="entries"):
        scheduled(entries(*each))
    assert scheduled("{}").schedule.entries == ()
