"""Measured power, kept as quarter-hour means of the last eight days."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

QUARTER = timedelta(minutes=15)
QUARTER_S = 900
QUARTERS_PER_DAY = 96

_KEPT_QUARTERS = 8 * QUARTERS_PER_DAY
"""One day more than a forecast looks back, so that a late start still finds seven."""
_VERSION = 1


def quarter_of(utc: datetime) -> int:
    """Number of the quarter hour since 1970 that ``utc`` lies in.

    Raises ValueError for a naive time.
    """
    if utc.tzinfo is None:
        raise ValueError(f"{utc} has no time zone")
    return int(utc.timestamp() // QUARTER_S)


def start_of(quarter: int) -> datetime:
    """First instant of a quarter hour, UTC."""
    return datetime.fromtimestamp(quarter * QUARTER_S, tz=UTC)


@dataclass(slots=True, kw_only=True)
class Mean:
    """A running mean, W."""

    mean_w: float = 0.0
    samples: int = 0

    def add(self, value_w: float) -> None:
        """Take in one sample."""
        self.samples += 1
        self.mean_w += (value_w - self.mean_w) / self.samples


class PowerHistory:
    """Quarter-hour means of load and PV power; bounded, and tolerant to gaps.

    Samples may come late or out of order. When it is full, the quarter farthest from the
    new one goes.
    """

    def __init__(self) -> None:
        self._load: dict[int, Mean] = {}
        self._pv: dict[int, Mean] = {}

    def __len__(self) -> int:
        """Number of quarters in which anything was measured."""
        return len(self._load.keys() | self._pv.keys())

    def add(self, utc: datetime, load_w: float | None, pv_w: float | None) -> None:
        """Take in one measurement at ``utc`` (aware); None where nothing was measured.

        Raises ValueError for a naive time or a number that is not finite.
        """
        quarter = quarter_of(utc)
        for name, value in (("load_w", load_w), ("pv_w", pv_w)):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{name} is {value}")
        for means, value in ((self._load, load_w), (self._pv, pv_w)):
            if value is None:
                continue
            if quarter not in means:
                _make_room(means, quarter)
                means[quarter] = Mean()
            means[quarter].add(value)

    def load_w(self, quarter: int) -> float | None:
        """Mean load in that quarter hour; None where it was not measured."""
        return _mean(self._load, quarter)

    def pv_w(self, quarter: int) -> float | None:
        """Mean PV power in that quarter hour; None where it was not measured."""
        return _mean(self._pv, quarter)

    @property
    def load_level_w(self) -> float | None:
        """Mean over every quarter measured; None before the first."""
        if not self._load:
            return None
        return math.fsum(mean.mean_w for mean in self._load.values()) / len(self._load)

    def to_json(self) -> str:
        """Everything held, as :meth:`from_json` reads it."""
        content = {
            "version": _VERSION,
            "load": [[quarter, m.mean_w, m.samples] for quarter, m in sorted(self._load.items())],
            "pv": [[quarter, m.mean_w, m.samples] for quarter, m in sorted(self._pv.items())],
        }
        return json.dumps(content, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "PowerHistory":
        """Read what :meth:`to_json` wrote. Raises ValueError for anything else."""
        history = cls()
        try:
            content = json.loads(text)
            if content["version"] != _VERSION:
                raise ValueError(f"version {content['version']!r} is not known")
            for name, means in (("load", history._load), ("pv", history._pv)):
                for quarter, mean_w, samples in content[name][-_KEPT_QUARTERS:]:
                    means[_natural(quarter)] = Mean(
                        mean_w=_finite(mean_w), samples=_natural(samples)
                    )
        except (KeyError, TypeError, RecursionError, OverflowError) as error:
            raise ValueError(f"is no power history: {error!r}") from error
        return history


def _make_room(means: dict[int, Mean], quarter: int) -> None:
    # What lies farthest away goes first: after a time with a wrong clock this forgets
    # what that clock wrote, and hardly anything else.
    while len(means) >= _KEPT_QUARTERS:
        del means[max(means, key=lambda held: abs(held - quarter))]


def _mean(means: dict[int, Mean], quarter: int) -> float | None:
    mean = means.get(quarter)
    return None if mean is None else mean.mean_w


def _natural(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 10**12:
        raise ValueError(f"{value!r} is no positive whole number")
    return value


def _finite(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)
