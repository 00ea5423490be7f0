"""Each decoder of what comes from outside, tried with good inputs and with some nearly good."""

from functools import cache
from random import Random

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from fuzz.mutation import mutated
from fuzz.table import TARGETS

EXAMPLES = 12
"""So few that no target can rot; `make fuzz` has the time to look for more."""


@cache
def seeds_of(name):
    return list(TARGETS[name].seeds())


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_good_is_accepted_and_has_room(name):
    target = TARGETS[name]
    assert seeds_of(name)
    for seed in seeds_of(name):
        assert target.run(seed), seed
        assert len(seed) <= target.longest


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(choice=st.integers(0, 2**16), number=st.integers(0, 2**32), anything=st.binary(max_size=64))
def test_what_is_nearly_good_is_accepted_or_refused(name, choice, number, anything):
    target, seeds = TARGETS[name], seeds_of(name)
    target.run(mutated(seeds[choice % len(seeds)], Random(number), target.longest))
    target.run(anything)
