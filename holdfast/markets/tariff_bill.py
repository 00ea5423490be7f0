"""A tariff bill tells what measured quarter hours come to, line by line.

================  ===============================================================================
energy            what was bought, at the price of its quarter hour
quota             energy of a window that costs something else, up to an amount: what that changes
feed-in           what was fed in, at the price of its quarter hour; below 0 if it earned
demand            the highest quarter hour of each period, or the mean of the last ones'
capacity          the power that is subscribed to, and what was imported above it
standing          the connection alone, by day, month or year
================  ===============================================================================

All amounts are in the site's currency with VAT, + paid, - earned. A bill says nothing of what was
not measured.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from holdfast.core.bill_line import BillLine, BillPart
from holdfast.core.config.charges import CapacityCharge, DemandCharge, Quota, StandingCharge
from holdfast.core.config.local_window import lies_in
from holdfast.core.config.prices import Prices
from holdfast.core.quarter_hours import QUARTER
from holdfast.markets.demand_charge import DemandPrice, demand_prices, vat_factor
from holdfast.markets.periods import PERIODS, Period, period_name, shares_of

_WH_PER_KW = QUARTER.total_seconds() / 3600.0 * 1000.0
"""So many Wh in a quarter hour are a mean of a kW."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredQuarter:
    """Holds what a meter counted in one quarter hour, and the prices that held in it."""

    start_utc: datetime
    import_wh: float
    export_wh: float
    purchase_per_kwh: float
    feed_in_per_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffBill:
    """Holds the lines of a bill; their sum is what is paid."""

    lines: tuple[BillLine, ...]

    @property
    def total(self) -> float:
        """Returns the sum of all lines."""
        return sum(line.amount for line in self.lines)

    def amount_of(self, *parts: BillPart) -> float:
        """Returns the sum of the lines of ``parts``."""
        return sum(line.amount for line in self.lines if line.part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffTerms:
    """Holds what a bill counts beside the price of each kWh."""

    zone: ZoneInfo
    vat: float = 1.0
    """A price before VAT is multiplied by it."""
    demand: tuple[DemandPrice, ...] = ()
    standing: tuple[StandingCharge, ...] = ()
    quotas: tuple[Quota, ...] = ()

    def up_to(self, period: Period) -> "TariffTerms":
        """Returns what a span of such a ``period`` can be billed for.

        The highest quarter hour of a month says nothing of a day of it.
        """
        short = PERIODS[: PERIODS.index(period) + 1]
        return replace(
            self, demand=tuple(price for price in self.demand if price.terms.period in short)
        )


def terms_of(prices: Prices, zone: ZoneInfo) -> TariffTerms:
    """Returns the parts of a tariff beside the price of energy."""
    return TariffTerms(
        zone=zone,
        vat=vat_factor(prices),
        demand=demand_prices(prices, zone),
        standing=prices.standing_charges,
        quotas=prices.quotas,
    )


def tariff_bill(
    quarters: Sequence[MeteredQuarter],
    terms: TariffTerms,
    *,
    before: Sequence[MeteredQuarter] = (),
    peaks_w: Mapping[str, float] | None = None,
) -> TariffBill:
    """Returns the bill for ``quarters``, which are in order of time; none for no quarter hour.

    What was measured ``before``, in the same periods, uses up quotas and sets peaks, and is not
    billed. ``peaks_w`` holds the peaks of earlier periods by name, which a mean of several needs;
    what it does not know is left out of the mean. Each period that is touched is paid for its peak.
    """
    if not quarters:
        return TariffBill(lines=())
    lines = [
        _energy(quarters),
        *_quotas(quarters, before, terms),
        _feed_in(quarters),
        *_peaks(quarters, before, terms, peaks_w or {}),
        *_standing(quarters, terms),
    ]
    return TariffBill(lines=tuple(lines))


def peaks_w_of(quarters: Sequence[MeteredQuarter], price: DemandPrice) -> dict[str, float]:
    """Returns the highest mean import of a quarter hour that counts, in W, by the period's name."""
    found: dict[str, float] = {}
    for quarter in quarters:
        period = price.period_of(quarter.start_utc)
        counts = price.counts_at(quarter.start_utc)
        mean_w = 1e3 * quarter.import_wh / _WH_PER_KW if counts else 0.0
        found[period] = max(found.get(period, 0.0), mean_w)
    return found


def _energy(quarters: Sequence[MeteredQuarter]) -> BillLine:
    return BillLine(
        part=BillPart.ENERGY,
        what="energy bought",
        quantity=sum(quarter.import_wh for quarter in quarters) / 1e3,
        unit="kWh",
        amount=sum(quarter.import_wh * quarter.purchase_per_kwh for quarter in quarters) / 1e3,
    )


def _feed_in(quarters: Sequence[MeteredQuarter]) -> BillLine:
    return BillLine(
        part=BillPart.FEED_IN,
        what="energy fed in",
        quantity=sum(quarter.export_wh for quarter in quarters) / 1e3,
        unit="kWh",
        amount=-sum(quarter.export_wh * quarter.feed_in_per_kwh for quarter in quarters) / 1e3,
    )


def _quotas(
    quarters: Sequence[MeteredQuarter], before: Sequence[MeteredQuarter], terms: TariffTerms
) -> Iterator[BillLine]:
    """Yields a line for each quota: what it changes of the energy's price."""
    if not terms.quotas:
        return
    used_wh: defaultdict[tuple[int, str], float] = defaultdict(float)
    kwh, amounts = [0.0] * len(terms.quotas), [0.0] * len(terms.quotas)
    for quarter in before:
        for _ in _taken(quarter, terms, used_wh):
            pass
    for quarter in quarters:
        for row, taken_wh in _taken(quarter, terms, used_wh):
            kwh[row] += taken_wh / 1e3
            instead = terms.quotas[row].price_per_kwh * terms.vat
            amounts[row] += taken_wh / 1e3 * (instead - quarter.purchase_per_kwh)
    for quota, taken_kwh, amount in zip(terms.quotas, kwh, amounts, strict=True):
        yield BillLine(
            part=BillPart.QUOTA,
            what=f"of {quota.energy_kwh:g} kWh a {quota.period} at {quota.price_per_kwh:g}",
            quantity=taken_kwh,
            unit="kWh",
            amount=amount,
        )


def _taken(
    quarter: MeteredQuarter, terms: TariffTerms, used_wh: defaultdict[tuple[int, str], float]
) -> Iterator[tuple[int, float]]:
    """Yields what each quota takes of a quarter hour's import, in Wh, and counts it as used."""
    rest_wh = quarter.import_wh
    for row, quota in enumerate(terms.quotas):
        if rest_wh <= 0.0 or not lies_in(quota, quarter.start_utc, terms.zone):
            continue
        key = (row, period_name(quarter.start_utc, quota.period, terms.zone))
        taken_wh = min(rest_wh, max(1e3 * quota.energy_kwh - used_wh[key], 0.0))
        used_wh[key] += taken_wh
        rest_wh -= taken_wh
        yield row, taken_wh


def _peaks(
    quarters: Sequence[MeteredQuarter],
    before: Sequence[MeteredQuarter],
    terms: TariffTerms,
    known_w: Mapping[str, float],
) -> Iterator[BillLine]:
    """Yields a line for each demand charge and period, and two for one of capacity."""
    for price in terms.demand:
        billed = {price.period_of(quarter.start_utc): quarter.start_utc for quarter in quarters}
        peaks_w = {**known_w, **peaks_w_of([*before, *quarters], price)}
        for period, utc in billed.items():
            if isinstance(price.terms, DemandCharge):
                yield _demand(price, price.terms, utc, peaks_w)
            else:
                yield from _capacity(price, price.terms, period, peaks_w[period], terms.vat)


def _demand(
    price: DemandPrice, terms: DemandCharge, utc: datetime, peaks_w: Mapping[str, float]
) -> BillLine:
    last = price.last_periods(utc, terms.mean_of)
    paid_w = [max(peaks_w[name], price.free_w) for name in last if name in peaks_w]
    mean_kw = sum(paid_w) / len(paid_w) / 1e3
    mean = f", mean of {len(paid_w)}" if terms.mean_of > 1 else ""
    return BillLine(
        part=BillPart.DEMAND,
        what=f"highest quarter hour of {last[0]}{mean}",
        quantity=mean_kw,
        unit="kW",
        amount=mean_kw * price.price_per_kw,
    )


def _capacity(
    price: DemandPrice, terms: CapacityCharge, period: str, peak_w: float, vat: float
) -> Iterator[BillLine]:
    over_kw = max(peak_w - price.free_w, 0.0) / 1e3
    yield BillLine(
        part=BillPart.CAPACITY,
        what=f"subscribed for {period}",
        quantity=terms.subscribed_kw,
        unit="kW",
        amount=terms.subscribed_kw * terms.price_per_kw * vat,
    )
    yield BillLine(
        part=BillPart.CAPACITY,
        what=f"above what is subscribed, highest quarter hour of {period}",
        quantity=over_kw,
        unit="kW",
        amount=over_kw * price.price_per_kw,
    )


def _standing(quarters: Sequence[MeteredQuarter], terms: TariffTerms) -> Iterator[BillLine]:
    start, end = quarters[0].start_utc, quarters[-1].start_utc + QUARTER
    for charge in terms.standing:
        count = sum(shares_of(start, end, charge.per, terms.zone))
        yield BillLine(
            part=BillPart.STANDING,
            what=charge.name,
            quantity=count,
            unit=charge.per,
            amount=count * charge.price * terms.vat,
        )
