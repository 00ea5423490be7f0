"""What a schedule in site.yaml may say, and what is told of one that is wrong."""

import pytest

from holdfast.core.config.schedule import minutes_of
from holdfast.core.errors import ConfigError
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
    assert minutes_of("sunset") == 0
    assert minutes_of("sunset-00:30") == -30
