"""Prices in a file that somebody else keeps up to date."""

import logging
from pathlib import Path

from holdfast.core.errors import PriceDataError
from holdfast.core.price_config import FileSource, PriceSource
from holdfast.markets.csv_prices import parse_csv
from holdfast.markets.entsoe import parse_entsoe
from holdfast.markets.prices import Direction, PriceSeries

_log = logging.getLogger(__name__)

_MAX_BYTES = 50_000_000


class PriceFile:
    """A file, as it is read for one direction."""

    def __init__(self, path: Path, direction: Direction, currency: str) -> None:
        """``currency`` is the site's, for files that name none."""
        self._path = path
        self._direction = direction
        self._currency = currency
        self._changed_ns: int | None = None
        self._prices: PriceSeries | None = None

    def prices(self) -> PriceSeries:
        """The prices; read again when the file has changed.

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
            self._prices = read_price_file(self._path, self._direction, self._currency)
        except PriceDataError as error:
            if self._prices is None:
                raise
            _log.warning("the new prices cannot be used, the old ones stay: %s", error)
        self._changed_ns = changed_ns
        return self._prices


class PriceFiles:
    """The files of a site."""

    def __init__(self, currency: str) -> None:
        """``currency`` is the site's, for files that name none."""
        self._currency = currency
        self._files: dict[tuple[Path, Direction], PriceFile] = {}

    def read(self, source: PriceSource, direction: Direction) -> PriceSeries:
        """What is in the file of ``source``. Raises PriceDataError."""
        assert isinstance(source, FileSource), "the caller knows which are files"
        key = source.path, direction
        if key not in self._files:
            self._files[key] = PriceFile(source.path, direction, self._currency)
        return self._files[key].prices()


def read_price_file(path: Path, direction: Direction, currency: str) -> PriceSeries:
    """Prices in the file at ``path``: CSV by its name, else an ENTSO-E document.

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
        return parse_entsoe(content)
    except PriceDataError as error:
        raise PriceDataError(f"{path}: {error}") from error
