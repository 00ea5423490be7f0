"""Day-ahead prices are asked of the ENTSO-E Transparency Platform."""

from datetime import timedelta

from holdfast.core.config.prices import EntsoeSource
from holdfast.markets.price_answer import PriceAnswer
from holdfast.markets.sources.bidding_zones import eic_of
from holdfast.markets.sources.conversation import Asked, PriceConversation
from holdfast.markets.sources.entsoe import read_entsoe
from holdfast.markets.sources.exchange import exchange_answer
from holdfast.markets.sources.left_out import LeftOut
from holdfast.web.request import HttpRequest, TokenPlace

DAYS_AHEAD = timedelta(days=3)


def converse(source: EntsoeSource, asked: Asked) -> PriceConversation:
    """Asks with one request: a few days are far below the page size of 100 documents."""
    area = eic_of(source.zone)
    end_utc = min(asked.end_utc, asked.start_utc + timedelta(days=1) + DAYS_AHEAD)
    body = yield HttpRequest(
        url=source.url,
        query={
            "documentType": "A44",
            "contract_MarketAgreement.type": "A01",
            "in_Domain": area,
            "out_Domain": area,
            "periodStart": f"{asked.start_utc:%Y%m%d%H%M}",
            "periodEnd": f"{end_utc:%Y%m%d%H%M}",
        },
        token=TokenPlace.QUERY,
        # "No matching data found" comes with 200 or 4xx: the document says what it is.
        errors_are_answers=True,
    )
    return parse(body, asked)


def parse(body: bytes, asked: Asked) -> PriceAnswer:
    """Returns the prices within the window asked for. Raises PriceDataError."""
    left_out = LeftOut(asked.now_utc)
    currency, slots = read_entsoe(body, left_out, asked.currency)
    return exchange_answer(currency, slots, asked, left_out)
