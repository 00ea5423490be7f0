"""What two askers ask for holds together."""

from datetime import UTC, datetime

import pytest

from holdfast.core.asked_slot import NO_TERMS, AskedBy, AskedSlot, SlotTerms, combined

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TARGETS = ("grid_target_w", "soc_target_pct", "soc_ceiling_pct")
TIGHTER = {
    "reserve_pct": 50.0,
    "import_max_w": 20.0,
    "export_max_w": 20.0,
    "import_mean_max_w": 20.0,
}
"""Of 20 and 50."""


@pytest.mark.parametrize("name", TIGHTER)
@pytest.mark.parametrize(("strong", "weak"), [(20.0, 50.0), (50.0, 20.0)])
def test_of_two_bounds_the_tighter_one_holds(name, strong, weak):
    both = combined(SlotTerms(**{name: strong}), SlotTerms(**{name: weak}))
    assert both == SlotTerms(**{name: TIGHTER[name]})


@pytest.mark.parametrize("name", TARGETS)
def test_of_two_targets_that_of_the_stronger_one_holds(name):
    both = combined(SlotTerms(**{name: 20.0}), SlotTerms(**{name: 50.0}))
    assert both == SlotTerms(**{name: 20.0})


@pytest.mark.parametrize("name", [*TARGETS, *TIGHTER])
def test_what_one_of_them_asks_alone_holds(name):
    alone = SlotTerms(**{name: 20.0})
    assert combined(alone, NO_TERMS) == combined(NO_TERMS, alone) == alone


def test_who_names_no_power_and_no_slot_by_hand_has_none():
    slot = AskedSlot(start=NOW, end=NOW, by=AskedBy.RULE, who="w", reason="r", mode=None)
    assert (slot.battery_power_w, slot.terms, slot.id) == (0.0, NO_TERMS, "")
