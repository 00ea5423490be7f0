"""Our own sample of an ENTSO-E day-ahead document is for tests and demonstrations.

The prices are made up: a sunny spring week in a zone with much PV. Everything else follows
the real thing: nine local days at a quarter hour, two auctions, repeated points left out.
"""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from itertools import pairwise

from holdfast.core.quarter_hours import QUARTERS_PER_DAY

FIRST_START_UTC = datetime(2026, 4, 9, 22, 0, tzinfo=UTC)
"""It is Friday, 10 April 2026, 0:00 in Berlin: so the first weekend comes soon."""
DAYS = 9

_WEEKEND = {5, 6}
_NEGATIVE_DAYS = {2}
"""These days after the first are so sunny that midday prices turn negative: the Sunday."""

# (local hour, EUR/MWh): what the curve passes through.
_WORKDAY = ((0, 88), (3, 78), (6, 118), (7.5, 152), (9, 108), (11, 48), (13, 31), (14.5, 38))
_WORKDAY_EVENING = ((16.5, 104), (18, 196), (19.5, 284), (20.5, 238), (22, 138), (24, 92))
_WEEKEND_DAY = ((0, 84), (4, 70), (8, 82), (10, 34), (12, 9), (13.5, 5), (15, 18))
_WEEKEND_EVENING = ((17, 88), (18.5, 162), (19.75, 252), (20.75, 210), (22, 124), (24, 86))

_NAMESPACE = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"
_LABEL = "SAMPLE: invented prices in the form of an ENTSO-E document. Not market data."
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?Z")


def sample_text() -> str:
    """Returns the sample as it lies in ``data/sample_day_ahead.xml``."""
    return (files("holdfast.simulation") / "data" / "sample_day_ahead.xml").read_text("utf-8")


def generate_sample() -> str:
    """Makes the sample anew; it is always the same text."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<!-- {_LABEL} Made by holdfast.simulation.sample_prices. -->",
        f'<Publication_MarketDocument xmlns="{_NAMESPACE}">',
        " <mRID>SAMPLE-not-market-data</mRID>",
        " <revisionNumber>1</revisionNumber>",
        " <type>A44</type>",
        *_participant("sender", "A32"),
        *_participant("receiver", "A33"),
        " <createdDateTime>2026-04-09T12:00:00Z</createdDateTime>",
        *_interval("period.timeInterval", FIRST_START_UTC, DAYS, indent=" "),
    ]
    number = 0
    for day in range(DAYS):
        for sequence in (2, 1):  # in the order that the platform sends them
            number += 1
            lines += _time_series(number, day, sequence)
    return "\n".join([*lines, "</Publication_MarketDocument>"]) + "\n"


def redated(text: str, first_start_utc: datetime) -> str:
    """Returns ``text`` with all its times moved so that it begins at ``first_start_utc``.

    The label that says what it is stays. Raises ValueError unless the new start is aware
    and a whole quarter hour, or if ``text`` holds no time interval.
    """
    if first_start_utc.tzinfo is None or first_start_utc.timestamp() % 900:
        raise ValueError(f"{first_start_utc} is not an aware, whole quarter hour")
    found = re.search(r"<start>([^<]*)</start>", text)
    if found is None:
        raise ValueError("the document has no <start>")
    shift = first_start_utc.astimezone(UTC) - datetime.fromisoformat(found[1])

    def moved(match: re.Match[str]) -> str:
        form = "%Y-%m-%dT%H:%M:%SZ" if match[1] else "%Y-%m-%dT%H:%MZ"
        return (datetime.fromisoformat(match[0]) + shift).strftime(form)

    return _TIME.sub(moved, text)


def _participant(role: str, code: str) -> Iterator[str]:
    name = f"{role}_MarketParticipant"
    yield f' <{name}.mRID codingScheme="A01">10X1001A1001A450</{name}.mRID>'
    yield f" <{name}.marketRole.type>{code}</{name}.marketRole.type>"


def _interval(name: str, start_utc: datetime, days: int, *, indent: str) -> Iterator[str]:
    yield f"{indent}<{name}>"
    yield f"{indent} <start>{start_utc:%Y-%m-%dT%H:%MZ}</start>"
    yield f"{indent} <end>{start_utc + timedelta(days=days):%Y-%m-%dT%H:%MZ}</end>"
    yield f"{indent}</{name}>"


def _time_series(number: int, day: int, sequence: int) -> Iterator[str]:
    position = "classificationSequence_AttributeInstanceComponent.position"
    yield " <TimeSeries>"
    yield f"  <mRID>{number}</mRID>"
    yield "  <auction.type>A01</auction.type>"
    yield "  <businessType>A62</businessType>"
    yield '  <in_Domain.mRID codingScheme="A01">10Y1001A1001A82H</in_Domain.mRID>'
    yield '  <out_Domain.mRID codingScheme="A01">10Y1001A1001A82H</out_Domain.mRID>'
    yield "  <contract_MarketAgreement.type>A01</contract_MarketAgreement.type>"
    yield "  <currency_Unit.name>EUR</currency_Unit.name>"
    yield "  <price_Measure_Unit.name>MWH</price_Measure_Unit.name>"
    yield f"  <{position}>{sequence}</{position}>"
    yield "  <curveType>A03</curveType>"
    yield "  <Period>"
    yield from _interval("timeInterval", FIRST_START_UTC + timedelta(days=day), 1, indent="   ")
    yield "   <resolution>PT15M</resolution>"
    yield from _points(day, sequence)
    yield "  </Period>"
    yield " </TimeSeries>"


def _points(day: int, sequence: int) -> Iterator[str]:
    previous = ""
    for quarter in range(QUARTERS_PER_DAY):
        price = f"{_price_eur_per_mwh(day, quarter, sequence):.2f}"
        if price != previous:
            yield (
                f"   <Point><position>{quarter + 1}</position>"
                f"<price.amount>{price}</price.amount></Point>"
            )
        previous = price


def _price_eur_per_mwh(day: int, quarter: int, sequence: int) -> float:
    weekend = (FIRST_START_UTC + timedelta(days=day, hours=2)).weekday() in _WEEKEND
    curve = _WEEKEND_DAY + _WEEKEND_EVENING if weekend else _WORKDAY + _WORKDAY_EVENING
    hour = quarter / 4
    price = _between(curve, hour) + 6.0 * math.sin(1.7 * day + 0.3)
    if 11 <= hour < 16:
        price -= 22.0 if day in _NEGATIVE_DAYS else 0.0
    if 1 <= hour < 5:
        price = round(price / 4) * 4.0  # quiet nights: neighbouring quarters cost the same
    else:
        # Within an hour, ramps of PV make its first and last quarter differ.
        price += (3.0 if hour > 14 else -3.0) * ((quarter % 4) - 1.5)
    if sequence == 2:
        price += 2.5 * math.sin(0.9 * quarter + day)
    return price


def _between(curve: tuple[tuple[float, float], ...], hour: float) -> float:
    for (left, low), (right, high) in pairwise(curve):
        if left <= hour < right:
            return low + (high - low) * (hour - left) / (right - left)
    raise ValueError(f"hour {hour} lies outside the curve")
