"""Secrets stand in environment variables and files, of which site.yaml tells the names."""

import os
from pathlib import Path

from holdfast.web.request import TokenRefused

_TOKEN_SIZES = range(8, 4097)


def token_of(source: object) -> str:
    """Returns the token of ``source``, empty if it needs none. Raises TokenRefused without it."""
    env: str | None = getattr(source, "token_env", None)
    path: str | None = getattr(source, "token_file", None)
    token = read_secret(env, path, "token")
    if token and (len(token) not in _TOKEN_SIZES or not all("!" <= sign <= "~" for sign in token)):
        place = f"environment variable {env}" if env is not None else f"file {path}"
        raise TokenRefused(f"{place} holds no token, which is one word of 8 signs at least")
    return token


def read_secret(env: str | None, path: str | None, kind: str) -> str:
    """Returns what ``env`` or ``path`` hold, empty if neither is told; ``kind`` names it as the
    keys of site.yaml do. Raises TokenRefused."""
    if env is not None:
        place, secret = f"environment variable {env}", os.environ.get(env)
        if secret is None:
            raise TokenRefused(f"{kind}_env: {place} is not set")
    elif path is not None:
        place = f"file {path}"
        try:
            secret = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise TokenRefused(f"{kind}_file: {error}") from None
        except UnicodeDecodeError:
            raise TokenRefused(f"{kind}_file: {place} holds no {kind}") from None
    else:
        return ""
    secret = secret.strip()
    if not secret:
        raise TokenRefused(f"{place} holds no {kind}")
    return secret
