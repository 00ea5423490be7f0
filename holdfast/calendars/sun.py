"""Sunrise and sunset, to a minute or two: by NOAA's short equations."""

from datetime import UTC, date, datetime, timedelta
from math import acos, asin, cos, degrees, radians, sin
from typing import Literal

_HORIZON_DEG = -0.833
"""The sun's upper edge is on the horizon, refraction counted."""
_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


def sun_at(
    event: Literal["sunrise", "sunset"], day: date, latitude_deg: float, longitude_deg: float
) -> datetime | None:
    """Returns when the sun rises or sets on ``day`` of the place's own clock, in UTC.

    Returns None where it does not: on days of midnight sun, or of polar night.
    """
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    solar = (noon - _J2000) / timedelta(days=1) - longitude_deg / 360.0
    mean_deg = (357.5291 + 0.98560028 * solar) % 360.0
    mean = radians(mean_deg)
    centre_deg = 1.9148 * sin(mean) + 0.02 * sin(2 * mean) + 0.0003 * sin(3 * mean)
    ecliptic = radians((mean_deg + centre_deg + 282.9372) % 360.0)
    transit = solar + 0.0053 * sin(mean) - 0.0069 * sin(2 * ecliptic)
    declination = asin(sin(ecliptic) * sin(radians(23.4397)))
    latitude = radians(latitude_deg)
    high = sin(radians(_HORIZON_DEG)) - sin(latitude) * sin(declination)
    wide = cos(latitude) * cos(declination)
    if not abs(high) < abs(wide):
        return None
    half_day = degrees(acos(high / wide)) / 360.0
    days = transit - half_day if event == "sunrise" else transit + half_day
    return (_J2000 + timedelta(days=days)).replace(microsecond=0)
