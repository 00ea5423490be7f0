"""A sample is what is measured of the house; this module says what of it is learned."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from holdfast.forecasting.history import PowerHistory
from holdfast.scheduling.loads.progress import LoadProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerSample:
    """Tells what the house did at one moment."""

    utc: datetime
    load_w: float | None
    """It is all of it, what can wait included."""
    pv_w: float | None
    grid_w: float | None = None
    """It is + import; only demand charges need it."""
    on: Mapping[str, bool] = field(default_factory=dict)
    """It tells what switches of loads and rooms say, by name; what is not there is not known."""
    room_c: Mapping[str, float] = field(default_factory=dict)


def remember(sample: PowerSample, progress: LoadProgress, history: PowerHistory) -> None:
    """Remembers what the house did.

    Loads that can wait are planned, and no part of what is learned; while one of their switches is
    not known, neither is the rest of the load.
    """
    progress.observe(sample.utc, sample.on, sample.room_c)
    taken_w = progress.taken_w(sample.utc, sample.on)
    load_w = sample.load_w
    if load_w is not None:
        load_w = None if taken_w is None else max(load_w - taken_w, 0.0)
    history.add(sample.utc, load_w, sample.pv_w)
