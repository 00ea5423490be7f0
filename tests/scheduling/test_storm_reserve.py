"""Before a storm the reserve is stored, and it is kept exactly until the warning ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from holdfast.core.asked_slot import AskedBy, AskedSlot
from holdfast.core.config.reserve import StormReserve
from holdfast.core.slot_mode import SlotMode
from holdfast.forecasting.storm_warnings import StormWarning, WarningSeverity
from holdfast.scheduling.storm_reserve import StormAsker, counts

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
STORM = StormWarning(
    event="Violent storm gusts",
    severity=WarningSeverity.SEVERE,
    start=NOON + 6 * HOUR,
    end=NOON + 18 * HOUR,
    areas=("Kreis Nordfriesland", "101054000"),
    source="Weather service",
)
RESERVE = StormReserve(
    url="https://x.org/feed", areas=("nordfriesland",), target_pct=80, lead_hours=4
)


def asked(asker: StormAsker, hours: float) -> AskedSlot | None:
    now = NOON + hours * HOUR
    found = asker.asked(now, now + timedelta(minutes=1))
    return found[0] if found else None


def asker(*warnings: StormWarning) -> StormAsker:
    made = StormAsker(RESERVE)
    made.take(warnings)
    return made


def test_it_charges_from_the_lead_time_on_and_ends_with_the_warning() -> None:
    storm = asker(STORM)
    storm.look(50.0)
    assert asked(storm, 1.9) is None
    slot = asked(storm, 2.0)
    assert slot is not None
    assert (slot.by, slot.mode) == (AskedBy.RULE, SlotMode.CHARGE_ONLY)
    assert (slot.terms.soc_target_pct, slot.terms.reserve_pct) == (80.0, 80.0)
    assert (slot.start, slot.end) == (NOON + 2 * HOUR, STORM.end)
    assert slot.reason == "Weather service warns of Violent storm gusts (severe): 80 % are kept"
    assert asked(storm, 17.99) is not None
    assert asked(storm, 18.0) is None


def test_once_stored_it_is_kept_and_the_rest_goes_on() -> None:
    storm = asker(STORM)
    for soc_pct, mode in (
        (79.0, SlotMode.CHARGE_ONLY),
        (80.0, None),
        (78.0, None),
        (76.9, SlotMode.CHARGE_ONLY),
        (79.9, SlotMode.CHARGE_ONLY),
    ):
        storm.look(soc_pct)
        slot = asked(storm, 3.0)
        assert slot is not None
        assert slot.mode is mode
        assert slot.terms.reserve_pct == 80.0


def test_what_is_stored_not_known_it_is_charged() -> None:
    storm = asker(STORM)
    storm.look(90.0)
    storm.look(None)
    slot = asked(storm, 3.0)
    assert slot is not None
    assert slot.mode is SlotMode.CHARGE_ONLY


def test_a_warning_that_is_withdrawn_ends_it() -> None:
    storm = asker(STORM)
    storm.take([])
    assert asked(storm, 3.0) is None


@pytest.mark.parametrize(
    ("reserve", "warning", "does"),
    [
        ({}, {}, True),
        ({}, {"severity": WarningSeverity.MODERATE}, False),
        ({"severity_min": "moderate"}, {"severity": WarningSeverity.MODERATE}, True),
        ({"severity_min": "extreme"}, {}, False),
        ({"areas": ("101054000",)}, {}, True),
        ({"areas": ("Flensburg",)}, {}, False),
        ({"areas": ("Flensburg", "NORDFRIES")}, {}, True),
        ({}, {"areas": ()}, False),
        ({"events": ("storm", "thunder")}, {}, True),
        ({"events": ("frost",)}, {}, False),
    ],
)
def test_the_owner_says_which_warnings_count(
    reserve: dict[str, object], warning: dict[str, object], does: bool
) -> None:
    wanted = RESERVE.model_copy(update=reserve)
    assert counts(wanted, replace(STORM, **warning)) is does  # type: ignore[arg-type]


def test_a_file_of_ones_own_counts_wherever_it_is_about() -> None:
    assert counts(StormReserve(file="warning.xml"), replace(STORM, areas=()))
