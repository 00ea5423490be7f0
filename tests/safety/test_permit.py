"""A permit covers a power inside its envelope, until it expires, and nothing else."""

import math

import pytest

from holdfast.safety.permit import Permit
from tests.builders import T0, load_permit_of, permit_of


@pytest.mark.parametrize(
    ("power_w", "inside"),
    [
        (0.0, True), (100.0, True), (100.1, False), (-50.0, True), (-50.1, False),
        (math.nan, False), (math.inf, False), (-math.inf, False),
    ],
)  # fmt: skip
def test_what_a_permit_covers(power_w, inside):
    permit = permit_of(-50.0, 100.0, expires_ns=T0)
    assert permit.covers(power_w, T0 - 1) is inside
    for later_ns in (T0, T0 + 1):
        assert permit.covers(power_w, later_ns) is False
    assert permit.is_fresh(T0 - 1)
    assert not permit.is_fresh(T0)


def test_a_permit_of_a_load_is_fresh_until_it_expires():
    permit = load_permit_of(expires_ns=T0)
    assert permit.is_fresh(T0 - 1)
    assert not permit.is_fresh(T0)


def test_a_permit_that_says_nothing_of_it_permits_no_export():
    fields = {name: getattr(permit_of(), name) for name in Permit.__slots__}
    del fields["export_limit_w"]
    assert Permit(**fields).export_limit_w == 0.0
    del fields["pv_on"]
    assert Permit(**fields).pv_on is True
    del fields["device_mode"]
    assert Permit(**fields).device_mode is None
