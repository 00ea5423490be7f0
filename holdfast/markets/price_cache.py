"""The cache keeps on disk what each source last told, and until when it is to be left alone.

So both outlive a restart and an outage. What is on disk are prices, times and reasons. No token and
no account number stands in it: the name of a file is a digest of what was asked.
"""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.core.config.prices import MarketSource
from holdfast.core.errors import PriceDataError
from holdfast.core.sealed import seal, unseal
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import Direction, PriceSeries, PriceSlot

_log = logging.getLogger(__name__)

_TOKEN_KEYS = {"token_env", "token_file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPrices:
    """Holds an answer and when it came."""

    utc: datetime
    answer: PriceAnswer

    @property
    def prices(self) -> PriceSeries:
        """Returns the prices of the answer."""
        return self.answer.prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Tells why a source gave nothing the last time, and until when it is left alone."""

    utc: datetime
    error: str
    count: int
    """It counts failures in a row."""
    ask_utc: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    """This is what a file of prices holds. Times are in seconds since 1970."""

    fetched: float
    currency: str
    slots: tuple[tuple[float, float, float], ...]
    """Each one has its start, end and price per kWh."""
    notes: tuple[str, ...] = ()
    is_partial: bool = False
    tariff: str = ""
    open_from: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wait:
    """This is what a file of a failure holds. Times are in seconds since 1970."""

    failed: float
    error: str
    count: int
    ask: float


_CONTENT = TypeAdapter(_Content)
_WAIT = TypeAdapter(_Wait)


class PriceCache:
    """The cache is a folder with a file for each source, and one for each that failed last."""

    def __init__(self, folder: Path, write: Callable[[Path, bytes], None]) -> None:
        """``write`` replaces a file so that it is whole at any time; raises OSError."""
        self._folder = folder
        self._write = write

    def load(self, source: MarketSource, direction: Direction) -> FetchedPrices | None:
        """Returns what was last kept; None if there is nothing, or nothing that can be trusted."""
        path = self._path(source, direction)
        try:
            content = _CONTENT.validate_json(unseal(path.read_bytes()))
            return FetchedPrices(utc=_instant(content.fetched), answer=_answer(content))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, OverflowError, PriceDataError) as error:
            _log.warning("%s is not used: %s", path.name, type(error).__name__)
            return None

    def changed_ns(self, source: MarketSource, direction: Direction) -> int:
        """Tells when the file of an answer was written last, in ns; 0 if there is none."""
        try:
            return self._path(source, direction).stat().st_mtime_ns
        except OSError:
            return 0

    def load_failure(self, source: MarketSource, direction: Direction) -> Failure | None:
        """Returns how asking last failed; None if it did not, or that cannot be trusted."""
        path = self._failure_path(source, direction)
        try:
            wait = _WAIT.validate_json(unseal(path.read_bytes()))
            return Failure(
                utc=_instant(wait.failed),
                error=wait.error,
                count=max(wait.count, 1),
                ask_utc=_instant(wait.ask),
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, OverflowError) as error:
            _log.warning("%s is not used: %s", path.name, type(error).__name__)
            return None

    def keep(self, source: MarketSource, direction: Direction, fetched: FetchedPrices) -> None:
        """Brings an answer to disk. A disk that fails is logged, and stops nobody."""
        answer = fetched.answer
        content = _Content(
            fetched=fetched.utc.timestamp(),
            currency=answer.prices.currency,
            slots=tuple(
                (slot.start_utc.timestamp(), slot.end_utc.timestamp(), slot.price_per_kwh)
                for slot in answer.prices
            ),
            notes=answer.notes,
            is_partial=answer.is_partial,
            tariff=answer.tariff,
            open_from=None if answer.open_from_utc is None else answer.open_from_utc.timestamp(),
        )
        self._bring(self._path(source, direction), to_json(content))

    def keep_failure(self, source: MarketSource, direction: Direction, failure: Failure) -> None:
        """Brings a failure to disk, so that the next process keeps away as long."""
        wait = _Wait(
            failed=failure.utc.timestamp(),
            error=failure.error,
            count=failure.count,
            ask=failure.ask_utc.timestamp(),
        )
        self._bring(self._failure_path(source, direction), to_json(wait))

    def forget_failure(self, source: MarketSource, direction: Direction) -> None:
        """Removes what :meth:`keep_failure` kept, if it did."""
        try:
            self._failure_path(source, direction).unlink(missing_ok=True)
        except OSError as error:
            _log.error("a failure that is over stays on disk: %s", error)

    def _bring(self, path: Path, content: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(path, seal(content.decode()))
        except OSError as error:
            _log.error("prices are not on disk: %s", error)

    def _path(self, source: MarketSource, direction: Direction) -> Path:
        asked = f"{source.model_dump_json(exclude=_TOKEN_KEYS)} {direction}"
        return (
            self._folder / f"{source.kind}-{hashlib.sha256(asked.encode()).hexdigest()[:16]}.json"
        )

    def _failure_path(self, source: MarketSource, direction: Direction) -> Path:
        return self._path(source, direction).with_suffix(".failed.json")


def _answer(content: _Content) -> PriceAnswer:
    return PriceAnswer(
        prices=PriceSeries(
            currency=content.currency,
            slots=tuple(
                PriceSlot(start_utc=_instant(start), end_utc=_instant(end), price_per_kwh=price)
                for start, end, price in content.slots
            ),
        ),
        notes=content.notes,
        is_partial=content.is_partial,
        tariff=content.tariff,
        open_from_utc=None if content.open_from is None else _instant(content.open_from),
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)
