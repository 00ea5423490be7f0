"""The history of a site: where it is kept, for how long, and how large it may become."""

import re
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from holdfast.core.config.form import EnvVariable
from holdfast.core.config.section import Section

_URL = re.compile(r"[a-z][a-z0-9_]*(\+[a-z0-9_]+)?://\S+")
_PASSWORD = re.compile(r"://[^/@]*:[^@]*@")


class History(Section):
    """What is kept of the past (docs/history.md)."""

    url: str | None = None
    """Another database, one for each site, as an SQLAlchemy URL such as
    postgresql+psycopg://holdfast@server/site. Without it: history.db in ``state_dir``."""
    password_env: EnvVariable | None = None
    """Name of an environment variable with the password for ``url``."""
    keep_seconds_days: Annotated[int, Field(ge=1, le=3650)] = 60
    """So many days have a value each second."""
    keep_minutes_days: Annotated[int, Field(ge=1, le=36500)] = 800
    """So many days have mean, lowest and highest of each minute, and what was found, decided and
    planned. Quarter hours are kept for ever."""
    size_max_mb: Annotated[int, Field(ge=50, le=1_000_000)] = 1000
    """The file is kept below this: the oldest seconds go first, then the oldest minutes. Its backup
    takes as much again."""
    leave_free_mb: Annotated[int, Field(ge=0, le=1_000_000)] = 200
    """Nothing is written while the disk has less than this free: latches and audit log need it."""

    @field_validator("url")
    @classmethod
    def _is_url_without_password(cls, value: str | None) -> str | None:
        # The text is not repeated: a secret may stand in it.
        if value is not None and not _URL.fullmatch(value):
            raise ValueError("this is no SQLAlchemy URL, such as postgresql+psycopg://me@server/db")
        if value is not None and _PASSWORD.search(value):
            raise ValueError(
                "a password stands in it: put it in an environment variable, and the "
                "variable's name in password_env"
            )
        return value

    @model_validator(mode="after")
    def _password_is_of_a_url(self) -> Self:
        if self.password_env is not None and self.url is None:
            raise ValueError("password_env: needs url")
        return self
