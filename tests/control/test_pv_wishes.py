"""How much of the sun may be fed in: what a plan says, within what the connection permits."""

import math

import pytest

from holdfast.control.pv_wishes import PvWishes
from tests.builders import build_site
from tests.control.test_mode_manager import limited_to

EXPORT_MAX_W = 3000.0


def limit_w(accepted):
    """Of a site that may import much more than it may export."""
    site = build_site(grid={"import_max_w": 16_000, "export_max_w": EXPORT_MAX_W})
    (slot,) = (None,) if accepted is None else accepted.plan.slots
    return PvWishes(site).export_limit_w(slot)


@pytest.mark.parametrize(
    ("asked_w", "limit"),
    [
        (None, EXPORT_MAX_W), (100.0, 100.0), (0.0, 0.0), (EXPORT_MAX_W, EXPORT_MAX_W),
        (EXPORT_MAX_W + 0.1, EXPORT_MAX_W), (math.inf, EXPORT_MAX_W), (-0.1, 0.0), (math.nan, 0.0),
    ],
)  # fmt: skip
def test_a_plan_asks_for_no_more_than_the_connection_may_export(asked_w, limit):
    assert limit_w(limited_to(asked_w)) == limit


def test_without_a_plan_all_is_fed_in_that_the_connection_may_export():
    assert limit_w(None) == EXPORT_MAX_W
