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


@pytest.mark.parametrize(
    ("section", "given"),
    [
        (StormReserve, {"file": "a", "target_pct": 101}),
        (StormReserve, {"file": "a", "lead_hours": 49}),
        (StormReserve, {"file": "a", "severity_min": "bad"}),
        (StormReserve, {"file": "a", "areas": [""]}),
        (FullCharge, {"every_days": 0}),
        (FullCharge, {"within_days": 31}),
        (FullCharge, {"full_pct": 80}),
        (FullCharge, {"kept_hours": 13}),
    ],
)
def test_what_makes_no_sense_is_refused(
    section: type[StormReserve] | type[FullCharge], given: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        section.model_validate(given)
