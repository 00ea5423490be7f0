"""Day-ahead prices come in an ENTSO-E ``Publication_MarketDocument`` (document type A44).

Names are matched without their namespace, whose version has changed before.

Which prices count, where several TimeSeries cover one interval:

1. the lowest classification sequence: 1 is the coupled auction (SDAC) that bills are made
   from, 2 the earlier local one (EXAA). A series without a position counts as sequence 1.
2. of one sequence, the finest resolution.

A price of a lower rank is used only where no Period of a higher one lies, be it one that cannot
be read or has a hole there. Where two Periods of the same rank contradict each other neither
counts.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from xml.etree.ElementTree import Element

from holdfast.core.errors import PriceDataError
from holdfast.core.quarter_hours import QUARTER
from holdfast.markets.prices import PriceSeries, PriceSlot
from holdfast.markets.sources.entsoe_xml import (
    child,
    children,
    local_name,
    optional_text,
    parse_root,
    text_of,
    utc_instant,
)
from holdfast.markets.sources.left_out import LeftOut
from holdfast.markets.sources.slots import series_of

_RESOLUTIONS = {
    "PT15M": QUARTER,
    "PT30M": timedelta(minutes=30),
    "PT60M": timedelta(minutes=60),
    "PT1H": timedelta(minutes=60),
}

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


def parse_entsoe(
    document: str | bytes, left_out: LeftOut | None = None, currency: str = ""
) -> PriceSeries:
    """Returns the prices per kWh in ``document``, in its own currency.

    Of several currencies ``currency`` counts.
    Raises PriceDataError for anything that holds no price: a broken document, an
    acknowledgement ("no data"), a page of HTML, prices that cannot be.
    """
    left_out = LeftOut() if left_out is None else left_out
    currency, slots = read_entsoe(document, left_out, currency)
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    return series_of(currency, slots, first, last, left_out)


def read_entsoe(
    document: str | bytes, left_out: LeftOut, currency: str = ""
) -> tuple[str, list[PriceSlot]]:
    """Returns currency and prices of ``document``, without pieces that cannot be read.

    Of several currencies ``currency`` counts. Raises PriceDataError if nothing is left.
    """
    root = parse_root(document)
    _check_root(root)
    series = [item for item in children(root, "TimeSeries") if _is_day_ahead(item)]
    if not series:
        raise PriceDataError("the document holds no day-ahead TimeSeries")
    currency = _currency(series, currency)
    series = [item for item in series if _in_currency(item, currency, left_out)]
    if len({optional_text(item, "in_Domain.mRID") for item in series}) > 1:
        raise PriceDataError("the document mixes in_Domain.mRID: prices of several zones")
    slots = _chosen(list(_periods(series, left_out)))
    if not slots:
        raise PriceDataError("; ".join(left_out.notes()) or "the document holds no price")
    return currency, slots


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
        raise PriceDataError(f"is of document type {kind[:50]!r}, not A44 (day-ahead prices)")


def _is_day_ahead(series: Element) -> bool:
    return optional_text(series, "contract_MarketAgreement.type") in {None, "A01"}


def _currency(series: list[Element], wanted: str) -> str:
    """Returns the one currency of the document, or ``wanted`` if it has several."""
    found = {text_of(item, "currency_Unit.name") for item in series}
    if len(found) > 1 and wanted not in found:
        raise PriceDataError(
            f"the document mixes currency_Unit.name: {', '.join(sorted(found))[:200]}"
        )
    currency = wanted if wanted in found else found.pop()
    if not re.fullmatch("[A-Z]{3}", currency):
        raise PriceDataError(f"currency {currency[:50]!r} is no ISO 4217 code")
    return currency


def _in_currency(item: Element, currency: str, left_out: LeftOut) -> bool:
    """Tells whether a TimeSeries is in ``currency`` per MWh."""
    if text_of(item, "currency_Unit.name") != currency:
        return False  # the same prices come in ours too
    unit = optional_text(item, "price_Measure_Unit.name")
    if unit != "MWH":
        left_out.add(f"prices are per {unit!r}; only MWH is known")
    return unit == "MWH"


def _periods(series: list[Element], left_out: LeftOut) -> Iterator[_Period]:
    total = 0
    for item in series:
        try:
            sequence, curve = _sequence(item), _curve(item)
        except PriceDataError as error:
            left_out.add(f"a TimeSeries: {error}", kind="series")
            continue
        for element in children(item, "Period"):
            try:
                period = _period(element, sequence=sequence, curve=curve, left_out=left_out)
            except PriceDataError as error:
                left_out.add(f"a Period: {error}", kind="period")
                continue
            total += (period.end_utc - period.start_utc) // period.resolution
            if total > 4 * _MAX_SLOTS:
                raise PriceDataError("the document holds more prices than a year can have")
            yield period


def _sequence(item: Element) -> int:
    position = optional_text(item, "classificationSequence_AttributeInstanceComponent.position")
    return 1 if position is None else _integer(position, "classification sequence")


def _curve(item: Element) -> str:
    curve = optional_text(item, "curveType") or "A01"  # the standard's default
    if curve not in {"A01", "A03"}:
        raise PriceDataError(f"curve type {curve[:50]!r} is not known; A01 and A03 are")
    return curve


def _period(element: Element, *, sequence: int, curve: str, left_out: LeftOut) -> _Period:
    """Reads a Period; of one whose interval alone can be read there are no slots."""
    interval = child(element, "timeInterval")
    if interval is None:
        raise PriceDataError("it has no timeInterval")
    start_utc = utc_instant(text_of(interval, "start"))
    end_utc = utc_instant(text_of(interval, "end"))
    code = text_of(element, "resolution")
    resolution = _RESOLUTIONS.get(code)
    if resolution is None:
        raise PriceDataError(f"resolution {code[:50]!r} is not one of {', '.join(_RESOLUTIONS)}")
    count = _count(start_utc, end_utc, resolution)
    grid = [start_utc + index * resolution for index in range(count + 1)]
    slots: tuple[PriceSlot, ...] = ()
    try:
        prices = _points(element, grid, left_out)
    except PriceDataError as error:
        left_out.add(f"a Period: {error}", start_utc, end_utc, kind="period")
    else:
        if curve == "A01":
            _leave_holes(prices, grid, left_out)
        slots = tuple(_fill(grid, prices))
    return _Period(
        sequence=sequence,
        resolution=resolution,
        start_utc=start_utc,
        end_utc=end_utc,
        slots=slots,
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


def _points(element: Element, grid: list[datetime], left_out: LeftOut) -> dict[int, float | None]:
    """Returns the price per MWh by 0-based position; None where it cannot be read."""
    prices: dict[int, float | None] = {}
    for point in children(element, "Point"):
        position = _integer(text_of(point, "position"), "position")
        if not 1 <= position < len(grid):
            raise PriceDataError(
                f"position {position} lies outside its Period (1 to {len(grid) - 1})"
            )
        where = grid[position - 1], grid[position]
        try:
            price = _price_per_mwh(text_of(point, "price.amount"))
        except PriceDataError as error:
            left_out.add(str(error), *where, kind="point")
            price = None
        if prices.setdefault(position - 1, price) != price:
            left_out.add(f"position {position} comes twice in one Period", *where, kind="twice")
            prices[position - 1] = None
    return prices


def _leave_holes(prices: dict[int, float | None], grid: list[datetime], left_out: LeftOut) -> None:
    """Puts None for each point that is missing: this curve leaves none out."""
    for index in range(len(grid) - 1):
        if index not in prices:
            prices[index] = None
            why = "points of a Period are missing, and curve type A01 leaves none out"
            left_out.add(why, grid[index], grid[index + 1])


def _fill(grid: list[datetime], prices: dict[int, float | None]) -> Iterator[PriceSlot]:
    """A point that is left out repeats the one before it; the first has none before it."""
    price_per_mwh: float | None = None
    for index in range(len(grid) - 1):
        price_per_mwh = prices.get(index, price_per_mwh)
        if price_per_mwh is not None:
            yield PriceSlot(
                start_utc=grid[index],
                end_utc=grid[index + 1],
                price_per_kwh=price_per_mwh / 1000.0,
            )


def _chosen(periods: list[_Period]) -> list[PriceSlot]:
    """Returns the prices of each rank, where no Period of a higher one lies."""
    slots: list[PriceSlot] = []
    taken: list[tuple[datetime, datetime]] = []
    for _, group in groupby(sorted(periods, key=lambda item: item.rank), lambda item: item.rank):
        equals = list(group)
        slots += [slot for period in equals for slot in period.slots if _is_free(slot, taken)]
        taken = _merged([*taken, *((period.start_utc, period.end_utc) for period in equals)])
    return slots


def _merged(spans: list[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Returns the spans in order of time, none of which touches another."""
    merged: list[tuple[datetime, datetime]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _is_free(slot: PriceSlot, taken: list[tuple[datetime, datetime]]) -> bool:
    index = bisect_left(taken, slot.end_utc, key=lambda span: span[0]) - 1
    return index < 0 or taken[index][1] <= slot.start_utc


def _integer(text: str, what: str) -> int:
    if not _POSITION.fullmatch(text):
        raise PriceDataError(f"{what} {text[:50]!r} is not a number")
    return int(text)


def _price_per_mwh(text: str) -> float:
    if not _DECIMAL.fullmatch(text):
        raise PriceDataError(f"price {text[:50]!r} is not a decimal number")
    return float(text)
