"""The fetcher asks sources of prices over HTTP, each with the token that it wants."""

import os
from pathlib import Path

from holdfast.core.config.prices import MarketSource
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.sources.catalogue import converse
from holdfast.markets.sources.conversation import Asked
from holdfast.web.carrier import Carrier
from holdfast.web.request import TokenRefused

_TOKEN_SIZES = range(8, 4097)


class Fetcher:
    """Asks sources; each question opens connections of its own."""

    def __init__(self, carrier: Carrier | None = None) -> None:
        self._carrier = Carrier() if carrier is None else carrier

    def fetch(self, source: MarketSource, asked: Asked) -> PriceAnswer:
        """Returns the prices that ``source`` gives now. Raises SourceError."""
        return self._carrier.carry(converse(source, asked), _read_token(source))


def _read_token(source: MarketSource) -> str:
    """Returns the token of ``source``, empty if it needs none. Raises TokenRefused without it."""
    env: str | None = getattr(source, "token_env", None)
    path: str | None = getattr(source, "token_file", None)
    if env is not None:
        place, token = f"environment variable {env}", os.environ.get(env)
        if token is None:
            raise TokenRefused(f"token_env: {place} is not set")
    elif path is not None:
        place = f"file {path}"
        try:
            token = Path(path).read_text(encoding="ascii")
        except OSError as error:
            raise TokenRefused(f"token_file: {error}") from None
        except UnicodeDecodeError:
            raise TokenRefused(f"token_file: {place} holds no token") from None
    else:
        return ""
    token = token.strip()
    if len(token) not in _TOKEN_SIZES or not all("!" <= sign <= "~" for sign in token):
        raise TokenRefused(f"{place} holds no token, which is one word of 8 signs at least")
    return token
