"""This module reads prices from a file that somebody else keeps up to date."""

import logging
from pathlib import Path

from holdfast.core.config.prices import FileSource, PriceSource
from holdfast.core.errors import PriceDataError
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import Direction, PriceSeries
from holdfast.markets.sources.csv_prices import parse_csv
from holdfast.markets.sources.entsoe import parse_entsoe
from holdfast.markets.sources.left_out import LeftOut

_log = logging.getLogger(__name__)

_MAX_BYTES = 50_000_000


class PriceFile:
    """Reads a file for one direction."""

    def __init__(self, path: Path, direction: Direction, currency: str) -> None:
        """``currency`` is the site's, for files that name none."""
        self._path = path
        self._direction = direction
        self._currency = currency
        self._changed_ns: int | None = None
        self._prices: PriceSeries | None = None
        self.notes: tuple[str, ...] = ()
        """They tell what of it was left out, or is doubtful."""

    def prices(self) -> PriceSeries:
        """Returns the prices; they are read again when the file has changed.

        A file that has become unreadable leaves the prices in force that it held before.
        Raises PriceDataError if it never held any.
        """
        try:
            changed_ns = self._path.stat().st_mtime_ns
        except OSError as error:
            if self._prices is None:
                raise PriceDataError(f"{self._path}: cannot be read: {error}") from error
            return self._prices
        if self._prices is not None and changed_ns == self._changed_ns:
            return self._prices
        try:
            answer = read_price_file(self._path, self._direction, self._currency)
            self._prices = answer.prices
            self._tell(answer.notes)
        except PriceDataError as error:
            if self._prices is None:
                raise
            _log.warning("the new prices cannot be used, the old ones stay: %s", error)
        self._changed_ns = changed_ns
        return self._prices

    def _tell(self, notes: tuple[str, ...]) -> None:
        for note in notes:
            if note not in self.notes:
                _log.warning("%s: %s", self._path, note)
        self.notes = notes


class PriceFiles:
    """Reads the files of a site."""

    def __init__(self, currency: str) -> None:
        """``currency`` is the site's, for files that name none."""
        self._currency = currency
        self._files: dict[tuple[Path, Direction], PriceFile] = {}

    def read(self, source: PriceSource, direction: Direction) -> PriceSeries:
        """Returns what is in the file of ``source``. Raises PriceDataError."""
        assert isinstance(source, FileSource), "the caller knows which are files"
        key = Path(source.path), direction
        if key not in self._files:
            self._files[key] = PriceFile(key[0], direction, self._currency)
        return self._files[key].prices()

    def notes(self) -> dict[str, tuple[str, ...]]:
        """Tells what of each file that was read is left out or doubtful, by path."""
        told = {str(path): one.notes for (path, _), one in self._files.items() if one.notes}
        return dict(sorted(told.items()))


def read_price_file(path: Path, direction: Direction, currency: str) -> PriceAnswer:
    """Reads the prices in the file at ``path``: CSV by its name, else an ENTSO-E document.

    Raises PriceDataError, which names the file.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise PriceDataError(f"{path}: is larger than {_MAX_BYTES // 1_000_000} MB")
        content = path.read_bytes()
    except OSError as error:
        raise PriceDataError(f"{path}: cannot be read: {error}") from error
    try:
        if path.suffix.lower() == ".csv":
            return parse_csv(content, direction, currency)
        return _document(content, currency)
    except PriceDataError as error:
        raise PriceDataError(f"{path}: {error}") from error


def _document(content: bytes, currency: str) -> PriceAnswer:
    left_out = LeftOut()
    prices = parse_entsoe(content, left_out, currency)
    return PriceAnswer(prices=prices, notes=left_out.notes(), is_partial=left_out.is_partial)
