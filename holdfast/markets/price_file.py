"""Prices in a file that somebody else keeps up to date."""

import logging
from pathlib import Path

from holdfast.core.errors import PriceDataError
from holdfast.core.price_config import FileSource, PriceSource
from holdfast.markets.entsoe import read_entsoe
from holdfast.markets.prices import PriceSeries
from holdfast.markets.site_prices import Direction

_log = logging.getLogger(__name__)


class PriceFile:
    """An ENTSO-E document on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
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
        if changed_ns != self._changed_ns:
            self._changed_ns = changed_ns
            try:
                self._prices = read_entsoe(self._path)
            except PriceDataError as error:
                if self._prices is None:
                    self._changed_ns = None
                    raise
                _log.warning("the new prices cannot be used, the old ones stay: %s", error)
        if self._prices is None:
            raise PriceDataError(f"{self._path} holds no prices")
        return self._prices


class PriceFiles:
    """The files of a site, each read once however many tariffs rest on it."""

    def __init__(self) -> None:
        self._files: dict[Path, PriceFile] = {}

    def read(self, source: PriceSource, direction: Direction) -> PriceSeries:
        """What is in the file of ``source``. Raises PriceDataError."""
        if not isinstance(source, FileSource):
            raise PriceDataError(f"prices.{direction}.source: {source.kind} is no file")
        return self._files.setdefault(source.path, PriceFile(source.path)).prices()
