"""The contactor's life: near its end, or where it is not known, that is told and no more."""

import pytest

from holdfast.devices.contactor.life import LOADED_COUNTS, ContactorLife, cycles_used
from holdfast.devices.contactor.memory import RelayMemory, Wear
from holdfast.safety.finding import Reaction
from tests.builders import T0, build_site, unit_content

UNIT = build_site(unit_content(battery={"contactor_cycles_rated": 1000})).storage[0]
LIFE = ContactorLife(UNIT)


def test_an_opening_under_load_counts_as_a_hundred_cycles():
    assert LOADED_COUNTS == 100
    assert cycles_used(Wear(closings=7, openings_under_load=3)) == 307


@pytest.mark.parametrize(
    ("wear", "said"),
    [
        (Wear(), {}),
        (Wear(closings=799), {}),
        (
            Wear(closings=800),
            {"worn": "life: 80% of 1000 cycles: 800 closings, 0 openings under load"},
        ),
        (
            Wear(closings=700, openings_under_load=1),
            {"worn": "life: 80% of 1000 cycles: 700 closings, 1 openings under load"},
        ),
        (
            Wear(closings=2000),
            {"worn": "life: 200% of 1000 cycles: 2000 closings, 0 openings under load"},
        ),
        (Wear(complete=False), {"unknown": "its count was lost and begins anew"}),
        (
            Wear(closings=900, complete=False),
            {"unknown": "its count was lost and begins anew", "worn": "90% of"},
        ),
    ],
)
def test_what_is_told_of_a_contactor_and_since_when(wear, said):
    memory, found = LIFE.judge(RelayMemory(wear=wear), T0)
    memory, later = LIFE.judge(memory, T0 + 5)
    assert later == found
    names = {"worn": "relays_contactor_worn", "unknown": "relays_wear_unknown"}
    assert [finding.row for finding in found] == [names[row] for row in said]
    for finding, text in zip(found, said.values(), strict=True):
        assert text in finding.text
        assert (finding.since_ns, finding.owner, finding.reaction) == (T0, "battery", Reaction.LOG)
    assert memory.wear == wear


def test_each_finding_has_its_own_time():
    memory, _ = LIFE.judge(RelayMemory(wear=Wear(complete=False)), T0)
    worn = RelayMemory(wear=Wear(closings=900, complete=False), life_since_ns=memory.life_since_ns)
    _, found = LIFE.judge(worn, T0 + 5)
    assert [finding.since_ns for finding in found] == [T0, T0 + 5]
