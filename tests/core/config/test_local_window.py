"""Parts of the day, the week and the year, by the clock of the site."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from holdfast.core.config.local_window import LocalWindow, lies_in
from holdfast.core.strict_yaml import parse_yaml

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    """An instant by the clock in Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def window(**keys: object) -> LocalWindow:
    return LocalWindow.model_validate(keys)


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("'00:00'", 0), ("0:15", 15), ("'06:00'", 360), ("6:00", 360), ("06:45", 405), ("1:00", 60),
        ("22:00", 1320), ("'22:00'", 1320), ("23:45", 1425), ("24:00", 1440), ("'24:00'", 1440),
    ],
)  # fmt: skip
def test_times_of_day_with_and_without_quotes(text: str, minute: int) -> None:
    found = window(**{"from": "12:30", "to": parse_yaml(text)})
    assert (found.from_minute, found.to_minute) == (750, minute)


@pytest.mark.parametrize(
    "value",
    ["22", 22, 45, 0, "24:15", 1455, "12:10", 730, "12:60", "-1:00", -60, "noon", "1:000", None,
     True, 7.5, ""],
)  # fmt: skip
def test_what_is_no_quarter_hour_of_a_day_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="is no quarter hour of a day, such as 06:00"):
        window(**{"from": value})


def test_a_window_has_a_length_and_says_when_it_is_everything() -> None:
    with pytest.raises(ValidationError, match="are the same"):
        window(**{"from": "06:00", "to": "06:00"})
    assert window().is_always
    assert (window().from_minute, window().to_minute) == (0, 1440)
    for keys in (
        {"from": "00:15"}, {"to": "23:45"}, {"days": ["mon"]}, {"months": [1]},
    ):  # fmt: skip
        assert not window(**keys).is_always


@pytest.mark.parametrize(
    ("keys", "right"),
    [
        ({"days": []}, False),
        ({"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}, True),
        ({"days": ["Monday"]}, False),
        ({"months": []}, False),
        ({"months": [0]}, False),
        ({"months": [1, 12]}, True),
        ({"months": [13]}, False),
    ],
)
def test_days_and_months(keys: dict[str, object], right: bool) -> None:
    if right:
        window(**keys)
    else:
        with pytest.raises(ValidationError):
            window(**keys)


@pytest.mark.parametrize(
    ("keys", "inside", "outside"),
    [
        ({"from": "06:00", "to": "22:00"}, ["06:00", "21:59"], ["05:59", "22:00", "00:00"]),
        ({"from": "22:00", "to": "06:00"}, ["22:00", "05:59", "00:00"], ["21:59", "06:00"]),
        ({"from": "22:00"}, ["22:00", "23:59"], ["21:59", "00:00"]),
        ({"to": "00:15"}, ["00:00", "00:14"], ["00:15", "23:59"]),
        ({}, ["00:00", "23:59"], []),
    ],
)
def test_windows_include_their_start_and_not_their_end(
    keys: dict[str, str], inside: list[str], outside: list[str]
) -> None:
    for clock in inside:
        assert lies_in(window(**keys), at(f"2026-05-08T{clock}"), BERLIN), clock
    for clock in outside:
        assert not lies_in(window(**keys), at(f"2026-05-08T{clock}"), BERLIN), clock


def test_days_and_months_are_local_ones() -> None:
    weekend = window(days=["sat", "sun"])
    assert not lies_in(weekend, at("2026-05-08T23:45"), BERLIN)  # a Friday
    assert lies_in(weekend, at("2026-05-09T00:00"), BERLIN)
    assert lies_in(weekend, at("2026-05-10T23:45"), BERLIN)
    assert not lies_in(weekend, at("2026-05-11T00:00"), BERLIN)
    winter = window(months=[11, 12, 1])
    assert lies_in(winter, at("2026-11-01T00:00"), BERLIN)  # still October in UTC
    assert not lies_in(winter, at("2026-10-31T23:45"), BERLIN)
    both = window(days=["mon"], months=[5])
    assert lies_in(both, at("2026-05-11T12:00"), BERLIN)
    assert not lies_in(both, at("2026-06-08T00:00"), BERLIN)
