"""A token is never in site.yaml: there stands where it is."""

from typing import Self

from pydantic import model_validator

from holdfast.core.config.form import EnvVariable
from holdfast.core.config.section import FilePath, Section


class Token(Section):
    """Where the token is; never the token itself."""

    token_env: EnvVariable | None = None
    """Name of an environment variable."""
    token_file: FilePath | None = None
    """A file with nothing but the token in it; relative to site.yaml."""

    @property
    def has_token(self) -> bool:
        """Says whether it tells where a token is."""
        return self.token_env is not None or self.token_file is not None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.token_env is not None and self.token_file is not None:
            raise ValueError("token_env and token_file: only one of them can be")
        return self


class NeededToken(Token):
    """As a token, and there must be one."""

    @model_validator(mode="after")
    def _some_place(self) -> Self:
        if not self.has_token:
            raise ValueError("token_env or token_file must say where the token is")
        return self
