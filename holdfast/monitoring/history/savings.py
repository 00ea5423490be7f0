"""Savings tell what a site has cost, beside no battery and beside self-consumption on the same
measured quarter hours.

Nothing is simulated: what was paid is what was counted; without a battery the house would have
imported load less PV; and self-consumption is a battery of the site's size, losses and limits that
stores each quarter hour's surplus and serves its deficit, from the state of charge that there
really was at the beginning. Time that was not measured, or whose prices are not known, is left out
of all three. What a battery holds more at the end than at the beginning counts as bought at the
cheapest price of the last day, with the losses of charging.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from holdfast.core.bill_line import BillPart
from holdfast.core.config import Site
from holdfast.core.errors import DataError
from holdfast.core.quarter_hours import QUARTER, QUARTERS_PER_DAY
from holdfast.core.signals import Signal
from holdfast.markets.periods import Period, begin_of
from holdfast.markets.tariff_bill import (
    MeteredQuarter,
    TariffBill,
    TariffTerms,
    tariff_bill,
    terms_of,
)
from holdfast.monitoring.history.energy_rows import EnergyRow
from holdfast.monitoring.history.local_steps import TimeStep
from holdfast.monitoring.history.reader import HistoryReader
from holdfast.monitoring.history.span_savings import SpanName, SpanSavings

METHOD = (
    "paid: what the meter counted, at the prices that held. Without battery: load less PV of each "
    "quarter hour, as measured. Self-consumption: a battery of this size, losses and limits that "
    "stores surplus and serves load, on the same quarter hours, from the same state of charge. Of "
    "each, what is stored more at the end is worth the cheapest price of the last day."
)
_LEAST_SHARE = 0.98
"""Of the time, so much at least has to be measured, or it is told."""
_EDGE = timedelta(minutes=30)
"""So near its beginning and end the state of charge is looked for."""


_PERIODS: dict[SpanName, Period] = {
    SpanName.TODAY: "day",
    SpanName.YESTERDAY: "day",
    SpanName.MONTH: "month",
    SpanName.YEAR: "year",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeBattery:
    """Describes all storage units as one; energies in the cells, powers AC."""

    capacity_wh: float
    least_wh: float
    most_wh: float
    charge_max_w: float
    discharge_max_w: float
    efficiency: float
    """It is one way."""

    @classmethod
    def of(cls, site: Site) -> "HomeBattery":
        """Returns the battery of ``site``."""
        capacity_wh = sum(unit.battery.capacity_wh for unit in site.storage)
        return cls(
            capacity_wh=capacity_wh,
            least_wh=sum(
                unit.battery.capacity_wh
                * max(unit.operation.soc_min_pct, unit.operation.backup_reserve_pct)
                / 100.0
                for unit in site.storage
            ),
            most_wh=sum(
                u.battery.capacity_wh * u.operation.soc_max_pct / 100.0 for u in site.storage
            ),
            charge_max_w=site.charge_power_max_w,
            discharge_max_w=site.discharge_power_max_w,
            efficiency=sum(
                u.battery.capacity_wh * u.inverter_hardware.efficiency_pct / 100.0
                for u in site.storage
            )
            / capacity_wh,
        )

    def follow(self, net_wh: Sequence[float], stored_wh: float) -> tuple[list[float], float]:
        """Returns what is left at the meter of each quarter hour's load less PV, + import, in Wh,
        and what is stored in the end."""
        hours = QUARTER / timedelta(hours=1)
        left_wh = []
        for wh in net_wh:
            if wh < 0.0:
                room_wh = max(self.most_wh - stored_wh, 0.0) / self.efficiency
                battery_wh = min(-wh, self.charge_max_w * hours, room_wh)
                stored_wh += battery_wh * self.efficiency
            else:
                there_wh = max(stored_wh - self.least_wh, 0.0) * self.efficiency
                battery_wh = -min(wh, self.discharge_max_w * hours, there_wh)
                stored_wh += battery_wh / self.efficiency
            left_wh.append(wh + battery_wh)
        return left_wh, stored_wh


def savings(
    site: Site, reader: HistoryReader, now: datetime, spans: Sequence[SpanName] = tuple(SpanName)
) -> list[SpanSavings]:
    """Returns what each of ``spans`` has cost up to ``now``, which is aware. Raises HistoryError;
    what cannot be known is None, and ``missing`` tells why."""
    zone = ZoneInfo(site.timezone)
    found = []
    for span in spans:
        period = _PERIODS[span]
        start, end = begin_of(now, period, zone), now
        if span is SpanName.YESTERDAY:
            start, end = begin_of(start - QUARTER, period, zone), start
        found.append(_span(site, reader, span, start, end))
    return found


def _span(
    site: Site, reader: HistoryReader, span: SpanName, start: datetime, end: datetime
) -> SpanSavings:
    def unknown(why: str) -> SpanSavings:
        return SpanSavings(span=span, start=start, end=end, missing=(why,))

    if site.prices is None:
        return unknown("site.yaml has no prices")
    if not start < end:
        return unknown("it has only begun")
    zone = ZoneInfo(site.timezone)
    # Quotas of a month are used up by its earlier days.
    whole = reader.energy(begin_of(start, "month", zone), end, TimeStep.QUARTER)
    known = [row for row in whole if _is_known(row)]
    rows = [row for row in known if row.start >= start]
    if not rows:
        return unknown("nothing was measured in it, with its prices")
    terms = terms_of(site.prices, zone).up_to(_PERIODS[span])
    measured = sum(min(row.complete, row.priced) for row in rows) / ((end - start) / QUARTER)
    told = _Told(site=site, terms=terms, before=[r for r in known if r.start < start], rows=rows)
    return told.savings(span, start, end, min(measured, 1.0), reader)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """Holds the quarter hours of a span that are known, and those before them in its month."""

    site: Site
    terms: TariffTerms
    before: Sequence[EnergyRow]
    rows: Sequence[EnergyRow]

    def savings(
        self,
        span: SpanName,
        start: datetime,
        end: datetime,
        measured: float,
        reader: HistoryReader,
    ) -> SpanSavings:
        battery = HomeBattery.of(self.site)
        missing = [] if measured >= _LEAST_SHARE else [f"only {measured:.0%} of it was measured"]
        missing += self._left_out(span)
        stored_wh = [
            _stored_wh(self.site, reader, at, first=first)
            for at, first in ((self.rows[0].start, True), (self.rows[-1].end, False))
        ]
        net_wh = [_net_wh(row) for row in self.rows]
        paid = self._bill([(row.import_wh or 0.0, row.export_wh or 0.0) for row in self.rows])
        without = self._bill([_both_ways(wh) for wh in net_wh])
        # By the second, as it was counted: what came and went within a quarter hour is in it.
        counted = sum(row.cost_no_battery or 0.0 for row in self.rows)
        no_battery = counted + without.total - without.amount_of(*_BY_THE_KWH)
        paid_in_all, local, more_wh = paid.total, None, 0.0
        first_wh, last_wh = stored_wh
        if first_wh is None or last_wh is None:
            missing.append("the state of charge at its beginning or end: what is stored counts not")
        else:
            refill = self._refill_per_kwh(battery)
            more_wh = last_wh - first_wh
            paid_in_all -= more_wh / 1e3 * refill
            left_wh, end_wh = battery.follow(net_wh, first_wh)
            bill = self._bill([_both_ways(wh) for wh in left_wh])
            local = bill.total - (end_wh - first_wh) / 1e3 * refill
        return SpanSavings(
            span=span,
            start=start,
            end=end,
            paid=paid_in_all,
            no_battery=no_battery,
            self_consumption=local,
            lines=paid.lines,
            stored_more_kwh=more_wh / 1e3,
            measured=measured,
            missing=tuple(missing),
        )

    def _bill(self, wh: Sequence[tuple[float, float]]) -> TariffBill:
        """Returns the bill for import and export of each quarter hour of the span, in Wh."""
        before = [_metered(row, row.import_wh or 0.0, row.export_wh or 0.0) for row in self.before]
        quarters = [_metered(row, *both) for row, both in zip(self.rows, wh, strict=True)]
        return tariff_bill(quarters, self.terms, before=before)

    def _refill_per_kwh(self, battery: HomeBattery) -> float:
        cheapest = min(row.purchase_per_kwh or 0.0 for row in self.rows[-QUARTERS_PER_DAY:])
        return max(cheapest, 0.0) / battery.efficiency

    def _left_out(self, span: SpanName) -> list[str]:
        prices = self.site.prices
        assert prices is not None, "nothing is told without prices"
        longer = {
            price.terms.period
            for price in terms_of(prices, self.terms.zone).demand
            if price not in self.terms.demand
        }
        return [f"charges by the {period}: {span} has no part of them" for period in sorted(longer)]


_BY_THE_KWH = (BillPart.ENERGY, BillPart.FEED_IN)


def _is_known(row: EnergyRow) -> bool:
    values = (row.import_wh, row.load_wh, row.pv_wh, row.purchase_per_kwh, row.feed_in_per_kwh)
    return all(value is not None for value in values)


def _net_wh(row: EnergyRow) -> float:
    return (row.load_wh or 0.0) - (row.pv_wh or 0.0)


def _both_ways(net_wh: float) -> tuple[float, float]:
    return max(net_wh, 0.0), max(-net_wh, 0.0)


def _metered(row: EnergyRow, import_wh: float, export_wh: float) -> MeteredQuarter:
    return MeteredQuarter(
        start_utc=row.start,
        import_wh=import_wh,
        export_wh=export_wh,
        purchase_per_kwh=row.purchase_per_kwh or 0.0,
        feed_in_per_kwh=row.feed_in_per_kwh or 0.0,
    )


def _stored_wh(site: Site, reader: HistoryReader, at: datetime, *, first: bool) -> float | None:
    """Returns what all units hold near ``at``, at the first or last minute that is known."""
    keys = [f"{unit.name}/{Signal.SOC_PCT}" for unit in site.storage]
    start, end = (at, at + _EDGE) if first else (at - _EDGE, at)
    try:
        found = reader.values_at(keys, start, end, 60)
    except DataError:
        return None  # a unit that was never seen
    socs_pct = np.stack([found.series[key].mean for key in keys])
    known = socs_pct[:, ~np.isnan(socs_pct).any(axis=0)]
    if not known.size:
        return None
    capacity_wh = np.array([unit.battery.capacity_wh for unit in site.storage])
    return float(known[:, 0 if first else -1] @ capacity_wh / 100.0)
