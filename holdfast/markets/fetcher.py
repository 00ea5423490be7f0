"""The fetcher asks sources of prices over HTTP, each with the token that it wants."""

from holdfast.core.config.prices import MarketSource
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.sources.catalogue import converse
from holdfast.markets.sources.conversation import Asked
from holdfast.web.carrier import Carrier
from holdfast.web.secret import token_of


class Fetcher:
    """Asks sources; each question opens connections of its own."""

    def __init__(self, carrier: Carrier | None = None) -> None:
        self._carrier = Carrier() if carrier is None else carrier

    def fetch(self, source: MarketSource, asked: Asked) -> PriceAnswer:
        """Returns the prices that ``source`` gives now. Raises SourceError."""
        return self._carrier.carry(converse(source, asked), token_of(source))
