"""Reasons tell why a slot is planned as it is, in words for the owner: local time, own currency."""

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from holdfast.core.slot_mode import SlotMode
from holdfast.scheduling.trajectory import Trajectory

_MINOR_UNITS = {"EUR": "ct", "USD": "ct", "AUD": "ct", "GBP": "p", "CHF": "Rp"}
_TOLD_WH = 1.0
"""Less is what the solver's tolerances leave."""
_SELLS = frozenset({SlotMode.POWER, SlotMode.STORED_VALUE})
"""In other modes what is exported beside the load is little."""
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@lru_cache(maxsize=4096)
def price_text(per_kwh: float, currency: str) -> str:
    """Tells a price per kWh in words.

    >>> price_text(0.061, "EUR"), price_text(0.614, "SEK")
    ('6.1 ct', '0.61 SEK')
    """
    unit = _MINOR_UNITS.get(currency)
    # Adding zero after rounding turns -0.0 into 0.0.
    if unit is None:
        return f"{round(per_kwh, 2) + 0.0:.2f} {currency}"
    return f"{round(per_kwh * 100, 1) + 0.0:.1f} {unit}"


def clock_text(there: datetime, here: datetime) -> str:
    """Tells a local time as seen from the local time ``here``: with its day, if that is another."""
    day = "" if there.date() == here.date() else f"{_WEEKDAYS[there.weekday()]} "
    return f"{day}{there.hour:02}:{there.minute:02}"


class Reasons:
    """Finds words for the slots of one trajectory."""

    def __init__(self, trajectory: Trajectory, *, timezone: ZoneInfo, currency: str) -> None:
        self._trajectory = trajectory
        self._currency = currency
        self._local_starts = [start.astimezone(timezone) for start in trajectory.starts]
        self._uses = trajectory.next_uses()
        self._charges = trajectory.next_charges()

    def reason(self, slot: int, mode: SlotMode) -> str:
        """Says in one line why ``slot`` has ``mode``."""
        trajectory = self._trajectory
        if not trajectory.pv_on[slot]:
            pays = price_text(-trajectory.import_price_per_kwh[slot], self._currency)
            does, rest = "PV is switched off", "PV is switched off"
            why = f"importing pays {pays} now"
        elif trajectory.throttles[slot]:
            cost = price_text(-trajectory.export_price_per_kwh[slot], self._currency)
            does, rest, why = "throttles PV", "throttles the rest", f"export costs {cost} now"
        else:
            return self._of_battery(slot, mode)
        match trajectory.battery_sign[slot]:
            case 1:
                before = f"{self._of_battery(slot, mode)}; {rest}"
            case -1:
                before = f"makes room, {does}"
            case _:
                before = does
        return f"{before}: {why}"

    def _of_battery(self, slot: int, mode: SlotMode) -> str:
        trajectory = self._trajectory
        now = self._import_price(slot)
        match trajectory.battery_sign[slot], trajectory.grid_sign[slot]:
            case (1, 1):
                return self._charging(slot)
            case (1, _):
                return f"stores PV surplus, {self._use(slot)}"
            case (-1, -1) if mode in _SELLS:
                return f"sells: {self._export_price(slot)} now, {self._refill(slot)}"
            case (-1, _) if mode is SlotMode.POWER:
                return f"keeps the import limit: {now} now, {self._refill(slot)}"
            case (-1, _):
                return f"serves the load: saves {now} per kWh, {self._refill(slot)}"
            case _:
                return self._idling(slot, mode)

    def _charging(self, slot: int) -> str:
        trajectory, now = self._trajectory, self._import_price(slot)
        battery = trajectory.battery
        before_wh = trajectory.soc_wh[slot - 1] if slot else battery.soc_now_wh
        if before_wh < battery.soc_min_wh - _TOLD_WH:
            return f"charges: below its minimum, {now} now"
        return f"charges: {now} now, {self._use(slot)}"

    def _idling(self, slot: int, mode: SlotMode) -> str:
        now, exports = self._import_price(slot), self._trajectory.grid_sign[slot] < 0
        by_worth, full = mode is SlotMode.STORED_VALUE, self._trajectory.is_full_after(slot)
        if mode is SlotMode.POWER or (by_worth and exports and not full):
            return f"exports PV: {self._export_price(slot)} now, {self._refill(slot)}"
        if self._trajectory.is_empty_after(slot):
            return f"empty: {now} now, {self._refill(slot)}"
        if mode is SlotMode.HOLD or (by_worth and self._trajectory.grid_sign[slot] > 0):
            return f"keeps its energy: {now} now, {self._use(slot)}"
        state = "full" if full else "follows load and PV"
        return f"{state}: {now} now, {self._use(slot)}"

    def _use(self, slot: int) -> str:
        later = self._uses[slot]
        if later is None:
            return "kept for after this plan"
        return f"used at {self._time(later, slot)} for {self._import_price(later)}"

    def _refill(self, slot: int) -> str:
        later = self._charges[slot]
        if later is None:
            return "charges again after this plan"
        buys = self._trajectory.grid_sign[later] > 0
        source = f"for {self._import_price(later)}" if buys else "from PV"
        return f"charges again at {self._time(later, slot)} {source}"

    def _import_price(self, slot: int) -> str:
        return price_text(self._trajectory.import_price_per_kwh[slot], self._currency)

    def _export_price(self, slot: int) -> str:
        return price_text(self._trajectory.export_price_per_kwh[slot], self._currency)

    def _time(self, slot: int, seen_from: int) -> str:
        return clock_text(self._local_starts[slot], self._local_starts[seen_from])
