"""Whose name an end keeps when two limits are the same."""

import pytest

from holdfast.safety.envelope import Envelope


def envelope(min_w, max_w, by):
    return Envelope(min_w=min_w, max_w=max_w, min_by=by, max_by=by)


@pytest.mark.parametrize(
    ("other", "min_by", "max_by"),
    [
        ((-10.0, 20.0), "first", "first"),  # a tie on both sides
        ((-9.0, 20.0), "second", "first"),
        ((-10.0, 19.0), "first", "second"),
        ((-11.0, 21.0), "first", "first"),
    ],
)
def test_on_a_tie_an_end_keeps_the_name_that_it_had(other, min_by, max_by):
    both = envelope(-10.0, 20.0, "first").intersect(envelope(*other, "second"))
    assert (both.min_by, both.max_by) == (min_by, max_by)
