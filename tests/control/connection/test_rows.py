"""Each row of the limits at the meter by itself: what it leaves, and when it says nothing."""

import math

import pytest

from holdfast.control.connection.at_meter import MeterPart
from holdfast.control.connection.rows import ROWS, AtMeter
from holdfast.core.asked_slot import NO_TERMS
from tests.builders import build_site

ROW = {row.name: row for row in ROWS}


def bound_of(name, *, rest_w=0.0, **changes):
    what = {
        "site": build_site(),
        "parts": (MeterPart(rest_w=rest_w, share=1.0),),
        "phases": (),
        "shares": (),
        "volts": 230.0,
        "loads_w": 0.0,
        "terms": NO_TERMS,
        "consumption_w": None,
        "production_w": None,
        "allowance": None,
        **changes,
    }
    return ROW[name].bound(AtMeter(rest_w=rest_w, **what), name)


@pytest.mark.parametrize("name", ["grid_operator", "mean_import", "import_max", "export_max"])
def test_a_row_whose_limit_nobody_has_set_says_nothing(name):
    assert bound_of(name) is None


@pytest.mark.parametrize(("told_w", "high_w"), [(700.0, 700.0), (0.0, 0.0), (-5.0, 0.0)])
def test_a_limit_of_the_grid_operator_below_nothing_permits_nothing(told_w, high_w):
    bound = bound_of("grid_operator", consumption_w=told_w)
    assert (bound.low_w, bound.high_w, bound.by) == (-math.inf, high_w, "grid_operator")
    assert bound_of("grid_operator", consumption_w=math.nan).high_w == 0.0
