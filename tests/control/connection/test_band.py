"""The band is what the limits at the meter leave, whoever asks; it may exclude 0 W."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.control.connection.band import NOBODY, Band, Bound, intersect

ANY = st.floats(allow_nan=True, allow_infinity=True)
POWERS = st.floats(-1e6, 1e6)


def band_of(*bounds: tuple[float, float]) -> Band:
    named = [Bound(low_w=low, high_w=high, by=str(n)) for n, (low, high) in enumerate(bounds)]
    return intersect(named, least_w=-1e7, most_w=1e7)


@pytest.mark.parametrize(
    ("low_w", "high_w"),
    [(1.0, 0.0), (math.nan, 0.0), (0.0, math.nan), (-math.inf, 0.0), (0.0, math.inf)],
)
def test_a_band_without_two_ends_in_order_is_none(low_w, high_w):
    with pytest.raises(ValueError, match="not a band"):
        Band(low_w=low_w, high_w=high_w)


def test_a_band_may_be_one_power():
    assert Band(low_w=5.0, high_w=5.0).clamp(-70.0) == 5.0


@given(bounds=st.lists(st.tuples(ANY, ANY), max_size=6), asked_w=ANY)
def test_whatever_the_rows_say_and_whoever_asks_the_power_stays_within_the_band(bounds, asked_w):
    band = band_of(*bounds)
    assert -1e7 <= band.low_w <= band.high_w <= 1e7
    assert band.low_w <= band.clamp(asked_w) <= band.high_w
    assert (band.by(band.clamp(asked_w))) is None
    assert not band.is_urgent(band.clamp(asked_w))


@given(bounds=st.lists(st.tuples(POWERS, POWERS), min_size=1, max_size=6))
def test_the_first_row_holds_whatever_the_others_say(bounds):
    low_w, high_w = bounds[0]
    if low_w <= high_w:
        band = band_of(*bounds)
        assert low_w <= band.low_w <= band.high_w <= high_w


def test_the_narrowest_row_gives_its_name():
    band = band_of((-5.0, 9.0), (-3.0, 9.0), (-4.0, 7.0), (-3.0, 7.0))
    assert (band.low_w, band.low_by, band.high_w, band.high_by) == (-3.0, "1", 7.0, "2")
    nobody = band_of()
    assert (nobody.low_by, nobody.high_by) == (NOBODY, NOBODY)


@pytest.mark.parametrize(
    ("bounds", "ends"),
    [
        (((-9.0, -3.0), (-1.0, 5.0)), (-3.0, -3.0)),  # the weaker one gives way
        (((3.0, 9.0), (-5.0, 1.0)), (3.0, 3.0)),
        (((4.0, -2.0),), (1.0, 1.0)),  # one row that nobody can keep: shared
        (((math.nan, 5.0),), (0.0, 0.0)),  # no number leaves rest
        (((-5.0, math.nan),), (0.0, 0.0)),
        (((math.inf, -math.inf),), (0.0, 0.0)),
        (((math.inf, math.inf),), (1e7, 1e7)),  # all there is
        (((-math.inf, -math.inf),), (-1e7, -1e7)),
    ],
)
def test_what_contradicts_itself_or_is_no_number(bounds, ends):
    band = band_of(*bounds)
    assert (band.low_w, band.high_w) == ends


def test_what_is_asked_is_moved_to_the_nearest_end_and_the_row_is_told():
    band = Band(low_w=-2.0, high_w=3.0, low_by="low", high_by="high")
    assert [band.clamp(w) for w in (-5.0, 1.0, 5.0)] == [-2.0, 1.0, 3.0]
    assert [band.by(w) for w in (-2.1, -2.0, 3.0, 3.1)] == ["low", None, None, "high"]
    assert [band.clamp(w) for w in (math.nan, math.inf, -math.inf)] == [0.0, 0.0, 0.0]
    assert Band(low_w=-9.0, high_w=-4.0).clamp(math.nan) == -4.0
    assert Band(low_w=2.0, high_w=9.0).clamp(math.nan) == 2.0


def test_batteries_outside_have_to_move_at_once():
    band = Band(low_w=-2.0, high_w=3.0)
    assert [band.is_urgent(w) for w in (-22.1, -22.0, 23.0, 23.1, math.nan)] == [
        True, False, False, True, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("low_w", "high_w", "covers"),
    [(-2.0, 3.0, True), (-2.1, 3.0, False), (-2.0, 3.1, False), (0.0, 0.0, True)],
)
def test_a_device_that_decides_by_itself_needs_all_of_its_reach(low_w, high_w, covers):
    assert Band(low_w=-2.0, high_w=3.0).covers(low_w, high_w) is covers


def test_what_may_be_exported_is_told_beside_it():
    band = Band(low_w=-3.0, high_w=4.0, low_by="low", high_by="high")
    assert band.export_max_w == math.inf
    assert band.exporting(500.0) == Band(
        low_w=-3.0, high_w=4.0, low_by="low", high_by="high", export_max_w=500.0
    )


@pytest.mark.parametrize("ends", [(math.nan, 5.0), (math.nan, math.nan), (math.inf, -math.inf)])
def test_a_row_that_is_no_number_leaves_rest(ends):
    band = band_of(ends)
    assert (band.low_w, band.high_w) == (0.0, 0.0)


def test_an_end_that_a_row_leaves_out_is_nobodys():
    band = intersect([Bound(high_w=5.0, by="row")], least_w=-9.0, most_w=9.0)
    assert band == Band(low_w=-9.0, high_w=5.0, low_by="nobody", high_by="row")
