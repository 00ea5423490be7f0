"""The last complete answer of each source, on disk: prices outlive a restart and an outage.

What is on disk are prices and times. No token, no account, no address stands in it: the name
of a file is a digest of what was asked.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.core.errors import PriceDataError
from holdfast.core.price_config import MarketSource
from holdfast.core.sealed import seal, unseal
from holdfast.markets.prices import Direction, PriceSeries, PriceSlot

_log = logging.getLogger(__name__)

_TOKEN_KEYS = {"token_env", "token_file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """An answer and when it came."""

    utc: datetime
    prices: PriceSeries


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """Of a file. Times in seconds since 1970."""

    fetched: float
    currency: str
    slots: tuple[tuple[float, float, float], ...]
    """Start, end, price per kWh."""


_CONTENT = TypeAdapter(_Content)


class PriceCache:
    """A folder with a file for each source."""

    def __init__(self, folder: Path, write: Callable[[Path, bytes], None]) -> None:
        """``write`` replaces a file so that it is whole at any time; raises OSError."""
        self._folder = folder
        self._write = write

    def load(self, source: MarketSource, direction: Direction) -> Fetched | None:
        """What was last kept; None if there is nothing, or nothing that can be trusted."""
        path = self._path(source, direction)
        try:
            content = _CONTENT.validate_json(unseal(path.read_bytes()))
            return Fetched(utc=_instant(content.fetched), prices=_series(content))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, OverflowError, PriceDataError) as error:
            _log.warning("%s is not used: %s", path.name, type(error).__name__)
            return None

    def keep(self, source: MarketSource, direction: Direction, fetched: Fetched) -> None:
        """Bring an answer to disk. A disk that fails is logged, and stops nobody."""
        content = _Content(
            fetched=fetched.utc.timestamp(),
            currency=fetched.prices.currency,
            slots=tuple(
                (slot.start_utc.timestamp(), slot.end_utc.timestamp(), slot.price_per_kwh)
                for slot in fetched.prices
            ),
        )
        path = self._path(source, direction)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(path, seal(to_json(content).decode()))
        except OSError as error:
            _log.error("prices are not on disk: %s", error)

    def _path(self, source: MarketSource, direction: Direction) -> Path:
        asked = f"{source.model_dump_json(exclude=_TOKEN_KEYS)} {direction}"
        return (
            self._folder / f"{source.kind}-{hashlib.sha256(asked.encode()).hexdigest()[:16]}.json"
        )


def _series(content: _Content) -> PriceSeries:
    return PriceSeries(
        currency=content.currency,
        slots=tuple(
            PriceSlot(start_utc=_instant(start), end_utc=_instant(end), price_per_kwh=price)
            for start, end, price in content.slots
        ),
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
