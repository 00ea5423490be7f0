"""The storm reserve is stored before bad weather that somebody warns of, and kept until its end."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from holdfast.core.asked_slot import AskedBy, AskedSlot, SlotTerms
from holdfast.core.config.reserve import StormReserve
from holdfast.core.slot_mode import SlotMode
from holdfast.core.texts import MAX_REASON, shown
from holdfast.forecasting.storm_warnings import StormWarning, WarningSeverity

WHO = "storm reserve"
_BACK_PCT = 3.0
"""It is stored again once so much of it is missing: what a battery uses for itself is less."""
_MOST = 20
"""No more warnings of one place are looked at: many say the same."""


class StormAsker:
    """Asks for the reserve while a warning counts; it ends exactly when the warning does."""

    def __init__(self, reserve: StormReserve) -> None:
        self._reserve = reserve
        self._warnings: tuple[StormWarning, ...] = ()
        self._is_stored = False
        self.problem = ""

    def take(self, warnings: Sequence[StormWarning], problem: str = "") -> None:
        """Takes what is warned of now. ``problem`` tells why that may be old."""
        counting = [warning for warning in warnings if counts(self._reserve, warning)]
        self._warnings = tuple(sorted(counting, key=lambda warning: warning.start)[:_MOST])
        self.problem = problem

    def look(self, soc_pct: float | None) -> None:
        """Looks at what is stored now in all units together; None if that is not known."""
        target_pct = self._reserve.target_pct
        if soc_pct is None or soc_pct < target_pct - _BACK_PCT:
            self._is_stored = False
        elif soc_pct >= target_pct:
            self._is_stored = True

    def asked(self, now_utc: datetime, until: datetime) -> Sequence[AskedSlot]:
        """Returns a slot for each warning that counts between ``now_utc`` and ``until``."""
        lead = timedelta(hours=self._reserve.lead_hours)
        return [
            self._slot(warning, warning.start - lead)
            for warning in self._warnings
            if warning.end > now_utc and warning.start - lead < until
        ]

    def _slot(self, warning: StormWarning, start: datetime) -> AskedSlot:
        target_pct = self._reserve.target_pct
        target = None if self._is_stored else target_pct
        return AskedSlot(
            start=start,
            end=warning.end,
            by=AskedBy.RULE,
            who=WHO,
            reason=shown(
                f"{warning.source} warns of {warning.event} ({warning.severity.name.lower()}): "
                f"{target_pct:g} % are kept",
                MAX_REASON,
            ),
            mode=None if self._is_stored else SlotMode.CHARGE_ONLY,
            terms=SlotTerms(soc_target_pct=target, reserve_pct=target_pct),
        )


def counts(reserve: StormReserve, warning: StormWarning) -> bool:
    """Says whether the owner wants this warning to count."""
    if warning.severity < WarningSeverity[reserve.severity_min.upper()]:
        return False
    event = warning.event.casefold()
    if reserve.events and not any(word.casefold() in event for word in reserve.events):
        return False
    named = [area.casefold() for area in warning.areas]
    return not reserve.areas or any(
        wanted.casefold() in area for wanted in reserve.areas for area in named
    )
