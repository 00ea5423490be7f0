"""An answer of Open-Meteo, as its server gives it."""

import json
from datetime import datetime, timedelta
from typing import Any

from holdfast.core.quarter_hours import QUARTER_S, quarter_of


def open_meteo_answer(now_utc: datetime, *, days: int = 9, **columns: Any) -> bytes:
    """Quarter hours from yesterday's midnight on: a dull sky at 20 °C; ``columns`` differ."""
    midnight = now_utc.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    count, first = days * 96, quarter_of(midnight)
    table: dict[str, Any] = {
        "time": [(first + index) * QUARTER_S for index in range(count)],
        "shortwave_radiation": [100.0] * count,
        "direct_normal_irradiance": [0.0] * count,
        "diffuse_radiation": [100.0] * count,
        "temperature_2m": [20.0] * count,
        "wind_speed_10m": [3.0] * count,
    }
    return json.dumps(
        {
            "latitude": 52.52,
            "longitude": 13.41,
            "utc_offset_seconds": 0,
            "timezone": "GMT",
            "minutely_15_units": {
                "time": "unixtime",
                "shortwave_radiation": "W/m²",
                "temperature_2m": "°C",
                "wind_speed_10m": "m/s",
            },
            "minutely_15": table | columns,
        }
    ).encode()
