"""What a site.yaml may say of reserves."""

import pytest
from pydantic import ValidationError

from holdfast.core.config.reserve import FullCharge, StormReserve


def test_a_feed_needs_places_and_a_file_does_not() -> None:
    assert StormReserve(file="warning.xml").areas == ()
    assert StormReserve(url="https://x.org/feed", areas=("Kiel",)).severity_min == "severe"
    with pytest.raises(ValidationError, match="areas: is missing: a feed warns of places far away"):
        StormReserve(url="https://x.org/feed")


@pytest.mark.parametrize("given", [{}, {"url": "https://x.org/f", "file": "a", "areas": ["Kiel"]}])
def test_there_is_one_source(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="needs either url or file"):
        StormReserve.model_validate(given)


Sections = type[StormReserve] | type[FullCharge]


@pytest.mark.parametrize(
    ("section", "name", "low", "usual", "high"),
    [
        (StormReserve, "target_pct", 0.0, 80.0, 100.0),
        (StormReserve, "lead_hours", 0.0, 12.0, 48.0),
        (FullCharge, "every_days", 1.0, 14.0, 365.0),
        (FullCharge, "within_days", 0.0, 2.0, 30.0),
        (FullCharge, "full_pct", 90.0, 99.0, 100.0),
        (FullCharge, "kept_hours", 0.0, 1.0, 12.0),
    ],
)
def test_each_number_has_bounds_and_a_usual_value(
    section: Sections, name: str, low: float, usual: float, high: float
) -> None:
    given = {"file": "warning.xml"} if section is StormReserve else {}
    assert getattr(section.model_validate(given), name) == usual
    for value in (low, high):
        assert getattr(section.model_validate({**given, name: value}), name) == value
    for value in (low - 0.5, high + 0.5):
        with pytest.raises(ValidationError, match=name):
            section.model_validate({**given, name: value})


def test_the_severities_are_those_of_cap_but_unknown() -> None:
    for severity in ("minor", "moderate", "severe", "extreme"):
        given = {"file": "a", "severity_min": severity}
        assert StormReserve.model_validate(given).severity_min == severity
    for severity in ("bad", "unknown", "Severe"):
        with pytest.raises(ValidationError, match="severity_min"):
            StormReserve.model_validate({"file": "a", "severity_min": severity})


@pytest.mark.parametrize("name", ["areas", "events"])
def test_a_word_that_is_looked_for_has_two_letters_at_least(name: str) -> None:
    assert getattr(StormReserve.model_validate({"file": "a", name: ["Au"]}), name) == ("Au",)
    for word in ("", "A"):
        with pytest.raises(ValidationError, match=name):
            StormReserve.model_validate({"file": "a", name: [word]})
