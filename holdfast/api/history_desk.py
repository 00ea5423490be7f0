"""The history as the API reads it: opened once it is asked for, and errors in the API's words."""

import os
from collections.abc import Callable
from datetime import date, datetime
from functools import cached_property
from typing import TypeVar
from zoneinfo import ZoneInfo

from fastapi import HTTPException

from holdfast.core.config import Site
from holdfast.core.errors import ConfigError, DataError
from holdfast.monitoring.history.database import HistoryError
from holdfast.monitoring.history.place import HistoryPlace
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.site.files import SiteFiles

T = TypeVar("T")


class HistoryDesk:
    """Reads the history of one site; threads may share it."""

    def __init__(self, site: Site, files: SiteFiles) -> None:
        self._site, self._files = site, files
        self.zone = ZoneInfo(site.timezone)

    def read(self, reading: Callable[[HistoryReader], T]) -> T:
        """Returns what ``reading`` makes of the history.

        Raises HTTPException: 422 for what nobody can have meant, 503 where there is none.
        """
        try:
            return reading(self.reader)
        except DataError as error:
            raise HTTPException(422, str(error)) from error
        except (HistoryError, ConfigError) as error:
            raise HTTPException(503, str(error)) from error

    @cached_property
    def reader(self) -> HistoryReader:
        """Returns what reads it. Raises ConfigError, HistoryError."""
        return HistoryReader(self._place(), self.zone)

    def begin(self, day: date | datetime) -> datetime:
        """Returns a time as it is, and of a date when it begins on the site's clock."""
        if isinstance(day, datetime):
            return day
        return datetime(day.year, day.month, day.day, tzinfo=self.zone)

    def question(self) -> dict[str, object]:
        """Returns what a process of its own needs to open it."""
        return {
            "history": self._site.history.model_dump(mode="json"),
            "file": str(self._files.history_db),
            "timezone": self._site.timezone,
        }

    def _place(self) -> HistoryPlace:
        return HistoryPlace.of(self._site.history, self._files.history_db, os.environ)
