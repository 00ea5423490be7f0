"""What one cycle sees of a unit with a precharge: what is fresh, what is known, what is shown."""

import math

import pytest

from holdfast.core.data_store import DataStore, freeze
from holdfast.core.signals import Signal
from holdfast.core.units import NS_PER_MS
from holdfast.devices.contactor.memory import Phase, RelayMemory
from holdfast.devices.contactor.precharge_scene import Scene, since
from tests.builders import T0, UNIT, put

LINK, PACK, CURRENT = (
    Signal.DC_LINK_VOLTAGE_V,
    Signal.PACK_VOLTAGE_V,
    Signal.BATTERY_CURRENT_A,
)
NOW_NS = T0 + 100 * NS_PER_MS


def scene(values, sampled_ns=None):
    """A scene at :data:`NOW_NS`; each value was sampled then, or when ``sampled_ns`` says."""
    store = DataStore((UNIT,))
    for signal, value in values.items():
        put(store, UNIT, signal, value, (sampled_ns or {}).get(signal, NOW_NS))
    return Scene(
        unit=UNIT, snapshot=freeze(store.image(), NOW_NS), leave=True, may_close=True, at_once=False
    )


@pytest.mark.parametrize(
    ("since_ns", "value"), [(NOW_NS - 1, 50.0), (NOW_NS, None), (NOW_NS + 1, None)]
)
def test_only_a_sample_taken_later_speaks_of_what_came_after(since_ns, value):
    assert scene({LINK: 50.0}).after(LINK, since_ns) == value


@pytest.mark.parametrize("values", [{}, {LINK: math.nan}])
def test_what_is_missing_or_bad_is_not_known(values):
    assert scene(values).good(LINK) is None
    assert scene(values).after(LINK, T0) is None


@pytest.mark.parametrize(
    ("values", "gap_v"),
    [
        ({PACK: 52.0, LINK: 50.5}, 1.5),
        ({PACK: 50.5, LINK: 52.0}, 1.5),
        ({PACK: 52.0}, None),
        ({LINK: 52.0}, None),
        ({PACK: 52.0, LINK: math.nan}, None),
        ({PACK: math.nan, LINK: 52.0}, None),
    ],
)
def test_the_gap_is_that_of_pack_and_link_whichever_is_higher(values, gap_v):
    assert scene(values).gap_v(T0) == gap_v


@pytest.mark.parametrize("old", [PACK, LINK])
def test_a_gap_is_known_only_if_both_were_sampled_later(old):
    values = {PACK: 52.0, LINK: 50.5}
    assert scene(values, {old: T0 + 1}).gap_v(T0) == 1.5
    assert scene(values, {old: T0}).gap_v(T0) is None


@pytest.mark.parametrize(
    ("values", "discharged"),
    [
        ({PACK: 52.0, LINK: 25.9}, True),
        ({PACK: 52.0, LINK: 26.0}, False),  # half of the pack's voltage
        ({PACK: 52.0, LINK: 52.0}, False),
        ({PACK: 52.0, LINK: -1.0}, True),  # a sensor's offset
        ({PACK: 52.0}, False),
        ({LINK: 0.0}, False),
        ({}, False),
        ({PACK: 52.0, LINK: math.nan}, False),
        ({PACK: math.nan, LINK: 0.0}, False),
    ],
)
def test_a_link_is_discharged_if_it_is_known_to_be_below_half_of_the_packs_voltage(
    values, discharged
):
    assert scene(values).is_discharged is discharged


def test_the_phase_counts_from_when_it_began():
    memory = RelayMemory(phase=Phase.PRECHARGE, since_ns=T0)
    assert scene({}).now_ns == NOW_NS
    assert since(memory) == T0
    assert scene({}).waited_ns(memory) == 100 * NS_PER_MS


def test_before_the_first_cycle_no_phase_has_begun():
    with pytest.raises(AssertionError, match="the first cycle sets it"):
        since(RelayMemory())


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({LINK: 10.0, PACK: 52.04, CURRENT: -1.6}, "link 10.0 V, pack 52.0 V, current -1.6 A"),
        ({}, "link not known, pack not known, current not known"),
        ({PACK: 52.0, CURRENT: math.nan}, "link not known, pack 52.0 V, current not known"),
    ],
)
def test_people_are_told_voltages_and_current_with_their_units(values, shown):
    assert scene(values).shown == shown
