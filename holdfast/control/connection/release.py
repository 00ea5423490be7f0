"""A limit holds at once, and is released slowly: what takes its own cause away would swing."""

from dataclasses import dataclass

from holdfast.control.connection.band import Band
from holdfast.core.units import s_from_ns

RELEASE_S = 10.0
"""In so long an end of the band goes back by the power of all batteries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedBand:
    """Holds the ends of the last band."""

    low_w: float
    high_w: float
    time_ns: int


def release(
    band: Band, before: ReleasedBand | None, *, time_ns: int, power_w: float, rest_w: float
) -> tuple[Band, ReleasedBand]:
    """Returns ``band``, wider than the last one only by what ``power_w`` is released in that time.

    No end goes beyond the other one: that one is a limit of now. And nobody is asked for help that
    goes beyond what ``rest_w``, the rest of the site, needs: it would flow into the grid, or out of
    it, for nothing. What may be exported is not told by it.
    """
    low_w, high_w = band.low_w, band.high_w
    if before is not None:
        step_w = power_w * max(s_from_ns(time_ns - before.time_ns), 0.0) / RELEASE_S
        enough_w = band.clamp(-rest_w)
        low_w = min(max(low_w, before.low_w - step_w), enough_w)
        high_w = max(min(high_w, before.high_w + step_w), enough_w)
    return (
        Band(low_w=low_w, high_w=high_w, low_by=band.low_by, high_by=band.high_by),
        ReleasedBand(low_w=low_w, high_w=high_w, time_ns=time_ns),
    )
