"""The place of a history is a file of its own in ``state_dir``, or a database elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from holdfast.core.config.history import History
from holdfast.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPlace:
    """Tells where the history of a site is."""

    url: URL

    @classmethod
    def in_file(cls, path: Path) -> Self:
        """Returns the place of a history in one SQLite file."""
        return cls(url=URL.create("sqlite", database=str(path)))

    @classmethod
    def of(cls, config: History, file: Path, environ: Mapping[str, str]) -> Self:
        """Returns the place that ``config`` names, or ``file``. ``environ`` has the password.

        Raises ConfigError if the password is missing, or the URL cannot be understood.
        """
        if config.url is None:
            return cls.in_file(file)
        try:
            url = make_url(config.url)
        except (ArgumentError, ValueError) as error:
            raise ConfigError(f"history.url: {error}") from error
        if config.password_env is None:
            return cls(url=url)
        password = environ.get(config.password_env)
        if not password:
            raise ConfigError(
                f"history.password_env: the environment variable {config.password_env} is not set"
            )
        return cls(url=url.set(password=password))

    @property
    def file(self) -> Path | None:
        """Returns the SQLite file; None for any other database."""
        if self.url.get_backend_name() != "sqlite" or not self.url.database:
            return None
        return Path(self.url.database)

    @property
    def backup(self) -> Path | None:
        """Returns the file of the daily backup; None where that is not ours to make."""
        return None if self.file is None else self.file.with_name(f"{self.file.stem}-backup.db")

    def __str__(self) -> str:
        """Names it without the password."""
        return str(self.file or self.url.render_as_string(hide_password=True))
