"""Day-ahead prices from the ENTSO-E Transparency Platform."""

from datetime import timedelta

from holdfast.core.price_config import EntsoeSource
from holdfast.markets.bidding_zones import eic_of
from holdfast.markets.clock_change import without_doubtful_hours
from holdfast.markets.conversation import Asked, PriceConversation
from holdfast.markets.entsoe import parse_entsoe
from holdfast.markets.prices import PriceSeries
from holdfast.web.request import Request, TokenPlace

DAYS_AHEAD = timedelta(days=3)


def converse(source: EntsoeSource, asked: Asked) -> PriceConversation:
    """One request: a few days are far below the page size of 100 documents."""
    area = eic_of(source.zone)
    end_utc = min(asked.end_utc, asked.start_utc + timedelta(days=1) + DAYS_AHEAD)
    body = yield Request(
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


def parse(body: bytes, asked: Asked) -> PriceSeries:
    """Prices within the window asked for. Raises PriceDataError."""
    found = parse_entsoe(body).between(asked.start_utc, asked.end_utc)
    return without_doubtful_hours(found, asked.zone)
