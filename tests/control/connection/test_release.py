"""A limit holds at once; the way back takes its time, and never exports for it."""

import pytest

from holdfast.control.connection.band import Band
from holdfast.control.connection.release import RELEASE_S, ReleasedBand, release
from holdfast.core.units import ns_from_s


def released(band, before, *, after_s=1.0, power_w=5000.0, rest_w=0.0):
    memory = ReleasedBand(low_w=before[0], high_w=before[1], time_ns=0)
    new, kept = release(
        Band(low_w=band[0], high_w=band[1], low_by="a", high_by="b"),
        memory,
        time_ns=ns_from_s(after_s),
        power_w=power_w,
        rest_w=rest_w,
    )
    assert kept == ReleasedBand(low_w=new.low_w, high_w=new.high_w, time_ns=ns_from_s(after_s))
    assert (new.low_by, new.high_by) == ("a", "b")
    return new.low_w, new.high_w


def test_it_takes_ten_seconds_by_all_that_the_batteries_have():
    assert RELEASE_S == 10.0


def test_the_first_band_holds_as_it_is():
    band = Band(low_w=-1.0, high_w=2.0)
    assert release(band, None, time_ns=7, power_w=5000.0, rest_w=0.0) == (
        band,
        ReleasedBand(low_w=-1.0, high_w=2.0, time_ns=7),
    )


@pytest.mark.parametrize(
    ("band", "before", "rest_w", "ends"),
    [
        ((-9000.0, 9000.0), (-100.0, 100.0), 0.0, (-600.0, 600.0)),  # a tenth of 5 kW a second
        ((-150.0, 150.0), (-100.0, 100.0), 0.0, (-150.0, 150.0)),
        ((-50.0, 20.0), (-100.0, 100.0), 0.0, (-50.0, 20.0)),  # what narrows does so at once
        # The load that was helped with has gone: nothing is exported for the sake of smoothness.
        ((-9000.0, 2000.0), (-9000.0, -2000.0), 1000.0, (-9000.0, -1000.0)),
        ((-9000.0, 2000.0), (-9000.0, -2000.0), 1800.0, (-9000.0, -1500.0)),
        # The sun that was taken has gone: nothing is imported for it.
        ((-2000.0, 9000.0), (2000.0, 9000.0), -1000.0, (1000.0, 9000.0)),
        # No end goes beyond the other.
        ((-9000.0, -3000.0), (-100.0, 100.0), 0.0, (-3000.0, -3000.0)),
        ((3000.0, 9000.0), (-100.0, 100.0), 0.0, (3000.0, 3000.0)),
    ],
)
def test_an_end_goes_back_slowly(band, before, rest_w, ends):
    assert released(band, before, rest_w=rest_w) == ends


def test_a_clock_that_stands_still_or_goes_back_releases_nothing():
    assert released((-900.0, 900.0), (-100.0, 100.0), after_s=0.0) == (-100.0, 100.0)
    assert released((-900.0, 900.0), (-100.0, 100.0), after_s=-5.0) == (-100.0, 100.0)
