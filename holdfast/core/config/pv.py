"""This module says where the PV arrays stand, and whose weather they see."""

from typing import Annotated

from pydantic import Field

from holdfast.core.config.prices import WebAddress
from holdfast.core.config.section import Positive, Section


class Location(Section):
    """Where the site is, for sun and weather."""

    latitude_deg: Annotated[float, Field(ge=-90, le=90)]
    """North is positive."""
    longitude_deg: Annotated[float, Field(ge=-180, le=180)]
    """East is positive."""
    altitude_m: Annotated[float, Field(ge=-430, le=6000)] = 0.0
    """Above the sea."""


class PvArray(Section):
    """Modules that look the same way."""

    azimuth_deg: Annotated[float, Field(ge=0, lt=360)]
    """0 north, 90 east, 180 south."""
    tilt_deg: Annotated[float, Field(ge=0, le=90)]
    """0 flat, 90 upright."""
    peak_w: Positive
    """All its modules together, at standard test conditions."""
    losses_pct: Annotated[float, Field(ge=0, lt=100)] = 14.0
    """Dirt, shade, wiring, mismatch (default: PVWatts)."""


class PvPlant(Section):
    """All PV of the site; for the forecast only."""

    arrays: Annotated[tuple[PvArray, ...], Field(min_length=1)]
    """One entry for each direction that modules look in."""
    inverter_ac_max_w: Positive | None = None
    """Most that comes out, all inverters together; None: no limit."""
    inverter_efficiency_pct: Annotated[float, Field(gt=50, le=100)] = 96.0
    """From the modules to what comes out."""


class Weather(Section):
    """Who is asked for the weather of ``location``, if there is ``pv``, or ``rooms``."""

    url: WebAddress = "https://api.open-meteo.com/v1/forecast"
    """Open-Meteo's, or that of a server of one's own that answers as it does."""
