"""What the batteries may do so that the meter counts no more than a limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.connection.at_meter import MeterPart, high_w, import_w, low_w

THIRD = 1.0 / 3.0


def parts(*pairs: tuple[float, float]) -> list[MeterPart]:
    return [MeterPart(rest_w=rest_w, share=share) for rest_w, share in pairs]


@pytest.mark.parametrize(
    ("told", "limit_w", "high", "low"),
    [
        # A meter that nets its phases has one part.
        (((1000.0, 1.0),), 3000.0, 2000.0, -4000.0),
        (((5000.0, 1.0),), 3000.0, -2000.0, -8000.0),
        (((-700.0, 1.0),), 0.0, 700.0, 700.0),
        # Three phases, each for itself: zero export means that none of them exports.
        (((600.0, THIRD), (300.0, THIRD), (900.0, THIRD)), 0.0, -2700.0, -900.0),
        # A single-phase battery serves its own phase only; the others are load.
        (((1000.0, 1.0), (500.0, 0.0), (500.0, 0.0)), 2000.0, 0.0, -3000.0),
        (((1000.0, 1.0), (5000.0, 0.0), (-500.0, 0.0)), 2000.0, -1000.0, -2500.0),
        # Over the limit whatever the battery does: its own phase counts nothing.
        (((1000.0, 1.0), (500.0, 0.0)), 0.0, -1000.0, -1000.0),
        (((1000.0, 0.5), (-400.0, 0.5), (500.0, 0.0)), 0.0, -2000.0, 800.0),
        # Between the points at which the phases turn round.
        (((100.0, 0.5), (-400.0, 0.5)), 200.0, 200.0, 400.0),
        (((100.0, 0.5), (-400.0, 0.5)), 1000.0, 1300.0, -700.0),
    ],
)
def test_the_last_power_within_the_limit(told, limit_w, high, low):
    assert high_w(parts(*told), limit_w) == pytest.approx(high)
    assert low_w(parts(*told), limit_w) == pytest.approx(low)


def test_where_no_battery_is_there_is_nothing_to_limit():
    assert high_w(parts((9000.0, 0.0)), 100.0) == float("inf")
    assert low_w(parts((9000.0, 0.0)), 100.0) == float("-inf")


@given(
    told=st.lists(
        st.tuples(st.floats(-1e4, 1e4), st.sampled_from([0.0, THIRD, 0.5, 1.0])),
        min_size=1,
        max_size=3,
    ),
    limit_w=st.floats(0, 1e4),
)
def test_no_power_up_to_it_imports_more_and_none_above_it_is_within(told, limit_w):
    told = parts(*told)
    top_w = high_w(told, limit_w)
    if top_w == float("inf"):
        return
    least_w = import_w(told, -1e9)
    assert import_w(told, top_w) <= max(limit_w, least_w) + 1e-6
    assert import_w(told, top_w + 30.0) >= min(max(limit_w, least_w) + 1e-6, limit_w + 1e-6)


def test_what_the_meter_counts_as_import():
    told = parts((600.0, THIRD), (-300.0, THIRD), (900.0, THIRD))
    assert import_w(told, 0.0) == 1500.0
    assert import_w(told, -3000.0) == 0.0
    assert import_w(told, 1200.0) == pytest.approx(1000.0 + 100.0 + 1300.0)
