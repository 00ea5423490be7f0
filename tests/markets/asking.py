"""Asks a source over HTTP, as the real one, whatever it is to answer."""

from typing import Any

import pytest

from holdfast.core.errors import SourceError
from holdfast.markets.fetcher import Fetcher
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.prices import PriceSeries
from holdfast.markets.sources.conversation import Asked
from tests.markets.builders import (
    asked,
    source,
)
from tests.markets.http_server import Answering, PriceServer, serving


def fetch(
    answering: Answering, kind: str, question: Asked | None = None, **keys: Any
) -> tuple[PriceSeries, PriceServer]:
    with serving(answering) as server:
        one = source(kind, url=server.url, **keys)
        return Fetcher().fetch(one, question or asked()).prices, server


def told(
    answering: Answering, kind: str, question: Asked | None = None, **keys: Any
) -> PriceAnswer:
    with serving(answering) as server:
        return Fetcher().fetch(source(kind, url=server.url, **keys), question or asked())


def refusal(answering: Answering, kind: str, question: Asked | None = None, **keys: Any) -> str:
    with pytest.raises(SourceError) as caught:
        fetch(answering, kind, question, **keys)
    return str(caught.value)
