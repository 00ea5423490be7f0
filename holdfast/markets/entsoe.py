"""Day-ahead prices from an ENTSO-E ``Publication_MarketDocument`` (document type A44).

Names are matched without their namespace, whose version has changed before.

Which prices count, where several TimeSeries cover one interval:

1. the lowest classification sequence: 1 is the coupled auction (SDAC) that bills are made
   from, 2 the earlier local one (EXAA). A series without a position counts as sequence 1.
2. of one sequence, the finest resolution.

A Period is taken or left as a whole, never mixed with another of the same interval. A
later sequence is used for an interval that no earlier one covers. Two Periods of the same
rank that overlap are an error, unless they are equal.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from xml.etree.ElementTree import Element

from holdfast.core.errors import PriceDataError
from holdfast.markets.entsoe_xml import (
    child,
    children,
    local_name,
    optional_text,
    parse_root,
    text_of,
    utc_instant,
)
from holdfast.markets.prices import PriceSeries, PriceSlot

_RESOLUTIONS = {
    "PT15M": timedelta(minutes=15),
    "PT30M": timedelta(minutes=30),
    "PT60M": timedelta(minutes=60),
    "PT1H": timedelta(minutes=60),
}
_QUARTER = timedelta(minutes=15)

_PRICE_BOUNDS_PER_MWH = {"EUR": (-1000.0, 10000.0)}
"""The harmonised limits of the day-ahead coupling are -500 and +4000 EUR/MWh (5000 for a
time in 2022), and the upper one may rise; what lies far outside is a unit or a typing error."""
_OTHER_PRICE_BOUNDS_PER_MWH = (-1e6, 1e7)
"""Other currencies: up to a thousand of them make one euro."""

_MAX_SLOTS = 40_000
"""A year of quarter hours is 35 136: the platform answers for a year at most."""

_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_POSITION = re.compile(r"\d{1,6}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Period:
    sequence: int
    resolution: timedelta
    start_utc: datetime
    end_utc: datetime
    slots: tuple[PriceSlot, ...]

    @property
    def rank(self) -> tuple[int, timedelta]:
        return self.sequence, self.resolution

    def overlaps(self, other: "_Period") -> bool:
        return self.start_utc < other.end_utc and other.start_utc < self.end_utc


def parse_entsoe(document: str | bytes) -> PriceSeries:
    """Prices per kWh in ``document``, in its own currency.

    Raises PriceDataError for anything but a complete and unambiguous price document: a
    broken one, an acknowledgement ("no data"), a page of HTML, a price that cannot be.
    """
    root = parse_root(document)
    _check_root(root)
    series = [item for item in children(root, "TimeSeries") if _is_day_ahead(item)]
    if not series:
        raise PriceDataError("the document holds no day-ahead TimeSeries")
    currency = _only(series, "currency_Unit.name")
    if not re.fullmatch("[A-Z]{3}", currency):
        raise PriceDataError(f"currency {currency!r} is no ISO 4217 code")
    unit = _only(series, "price_Measure_Unit.name")
    if unit != "MWH":
        raise PriceDataError(f"prices are per {unit!r}; only MWH is known")
    if any(child(item, "in_Domain.mRID") is not None for item in series):
        _only(series, "in_Domain.mRID")
    periods = list(_periods(series, currency))
    slots = [slot for period in _choose(periods) for slot in period.slots]
    if not slots:
        raise PriceDataError("the document holds no price")
    slots.sort(key=lambda slot: slot.start_utc)
    return PriceSeries(currency=currency, slots=tuple(slots))


def _check_root(root: Element) -> None:
    name = local_name(root)
    if name == "Acknowledgement_MarketDocument":
        reasons = [optional_text(item, "text") or "" for item in children(root, "Reason")]
        told = "; ".join(filter(None, reasons)) or "no reason given"
        raise PriceDataError(f"the platform sent no prices: {' '.join(told.split())[:500]}")
    if name != "Publication_MarketDocument":
        raise PriceDataError(f"is a <{name[:50]}>, not a Publication_MarketDocument")
    kind = optional_text(root, "type")
    if kind is not None and kind != "A44":
        raise PriceDataError(f"is of document type {kind!r}, not A44 (day-ahead prices)")


def _is_day_ahead(series: Element) -> bool:
    return optional_text(series, "contract_MarketAgreement.type") in {None, "A01"}


def _only(series: list[Element], name: str) -> str:
    """The value that ``name`` has in every TimeSeries."""
    values = {text_of(item, name) for item in series}
    if len(values) > 1:
        raise PriceDataError(f"the document mixes {name}: {', '.join(sorted(values))}")
    return values.pop()


def _periods(series: list[Element], currency: str) -> Iterator[_Period]:
    bounds = _PRICE_BOUNDS_PER_MWH.get(currency, _OTHER_PRICE_BOUNDS_PER_MWH)
    total = 0
    for item in series:
        position = optional_text(item, "classificationSequence_AttributeInstanceComponent.position")
        sequence = 1 if position is None else _integer(position, "classification sequence")
        curve = optional_text(item, "curveType") or "A01"  # the standard's default
        if curve not in {"A01", "A03"}:
            raise PriceDataError(f"curve type {curve!r} is not known; A01 and A03 are")
        for element in children(item, "Period"):
            period = _period(element, sequence=sequence, curve=curve, bounds=bounds)
            total += len(period.slots)
            if total > 4 * _MAX_SLOTS:
                raise PriceDataError("the document holds more prices than a year can have")
            yield period


def _period(element: Element, *, sequence: int, curve: str, bounds: tuple[float, float]) -> _Period:
    interval = child(element, "timeInterval")
    if interval is None:
        raise PriceDataError("a Period has no timeInterval")
    start_utc = utc_instant(text_of(interval, "start"))
    end_utc = utc_instant(text_of(interval, "end"))
    code = text_of(element, "resolution")
    resolution = _RESOLUTIONS.get(code)
    if resolution is None:
        raise PriceDataError(f"resolution {code!r} is not one of {', '.join(_RESOLUTIONS)}")
    count = _count(start_utc, end_utc, resolution)
    prices = _points(element, count, bounds)
    if curve == "A01" and len(prices) < count:
        raise PriceDataError(
            f"Period at {start_utc:%FT%RZ}: {count - len(prices)} of {count} points are "
            "missing, and curve type A01 leaves none out"
        )
    slots = _fill(start_utc, resolution, count, prices)
    return _Period(
        sequence=sequence,
        resolution=resolution,
        start_utc=start_utc,
        end_utc=end_utc,
        slots=tuple(slots),
    )


def _count(start_utc: datetime, end_utc: datetime, resolution: timedelta) -> int:
    count, rest = divmod(end_utc - start_utc, resolution)
    if rest or not 1 <= count <= _MAX_SLOTS:
        raise PriceDataError(
            f"Period {start_utc:%FT%RZ} to {end_utc:%FT%RZ} is not a sensible number of slots"
        )
    if start_utc.second or start_utc.microsecond or start_utc.minute % 15:
        raise PriceDataError(f"Period starts at {start_utc}, which is no quarter hour")
    return count


def _points(element: Element, count: int, bounds: tuple[float, float]) -> dict[int, float]:
    """Price per MWh by 0-based position."""
    prices: dict[int, float] = {}
    for point in children(element, "Point"):
        position = _integer(text_of(point, "position"), "position")
        if not 1 <= position <= count:
            raise PriceDataError(f"position {position} lies outside its Period (1 to {count})")
        if position - 1 in prices:
            raise PriceDataError(f"position {position} comes twice in one Period")
        prices[position - 1] = _price_per_mwh(text_of(point, "price.amount"), bounds)
    return prices


def _fill(
    start_utc: datetime, resolution: timedelta, count: int, prices: dict[int, float]
) -> Iterator[PriceSlot]:
    """A point that is left out repeats the one before it; the first has none before it."""
    price_per_mwh: float | None = None
    for index in range(count):
        price_per_mwh = prices.get(index, price_per_mwh)
        if price_per_mwh is not None:
            yield PriceSlot(
                start_utc=start_utc + index * resolution,
                end_utc=start_utc + (index + 1) * resolution,
                price_per_kwh=price_per_mwh / 1000.0,
            )


def _choose(periods: list[_Period]) -> list[_Period]:
    chosen: list[_Period] = []
    for period in sorted(periods, key=lambda item: (item.rank, item.start_utc)):
        rivals = [other for other in chosen if other.overlaps(period)]
        for other in rivals:
            if other.rank == period.rank and other != period:
                raise PriceDataError(
                    f"two Periods give different prices from {period.start_utc:%FT%RZ}, and "
                    "nothing says which counts"
                )
        if not rivals:
            chosen.append(period)
    return chosen


def _integer(text: str, what: str) -> int:
    if not _POSITION.fullmatch(text):
        raise PriceDataError(f"{what} {text[:50]!r} is not a number")
    return int(text)


def _price_per_mwh(text: str, bounds: tuple[float, float]) -> float:
    if not _DECIMAL.fullmatch(text):
        raise PriceDataError(f"price {text[:50]!r} is not a decimal number")
    price = float(text)
    if not bounds[0] <= price <= bounds[1]:
        raise PriceDataError(
            f"price {price:g} per MWh is not within {bounds[0]:g} to {bounds[1]:g}"
        )
    return price
