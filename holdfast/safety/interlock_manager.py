"""The interlock manager: what the rows of the interlock table block now."""

from dataclasses import dataclass, replace

from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Good, Missing
from holdfast.core.signals import SIGNALS, SITE
from holdfast.safety.envelope import Envelope
from holdfast.safety.interlocks import INTERLOCKS, Action, Wanted

_CLOSES_CHARGE = frozenset({Action.POWER, Action.CHARGE})
_CLOSES_DISCHARGE = frozenset({Action.POWER, Action.DISCHARGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """An action that may not happen now, and the row that says so."""

    owner: str
    row: str
    action: Action
    text: str
    known: bool = True
    """The value is known, and it is wrong. False: it is not known."""
    of_battery: bool = False
    """The battery's own protection."""

    @property
    def on_island(self) -> bool:
        """Blocks discharge on an islanded site too.

        What cannot be seen drops no load, unless it is what protects the battery. What is seen
        to be wrong carries none: no power flows through an open contactor.
        """
        return self.known or self.of_battery

    def narrow(self, envelope: Envelope, *, islanded: bool) -> Envelope:
        """What is left of ``envelope``; an end that is closed bears the name of the row."""
        if self.action in _CLOSES_CHARGE:
            envelope = replace(envelope, max_w=0.0, max_by=self.row)
        if self.action in _CLOSES_DISCHARGE and (self.on_island or not islanded):
            envelope = replace(envelope, min_w=0.0, min_by=self.row)
        return envelope


class InterlockManager:
    """Evaluates the rows for each unit of a site. Holds no state."""

    def __init__(self, site: Site) -> None:
        rows = [
            row
            for row in INTERLOCKS
            if not (row.judged_by_relays or (row.writes and site.authority == "observe"))
        ]
        self._checks = [
            (SITE if SIGNALS[row.signal].of_site else unit.name, row, _value(row.wanted, unit))
            for row in rows
            for unit in (site.storage[:1] if SIGNALS[row.signal].of_site else site.storage)
        ]

    def assess(self, snapshot: Snapshot) -> tuple[Block, ...]:
        """Everything that is blocked. A value that is not good blocks."""
        blocks = []
        for owner, row, wanted in self._checks:
            value = snapshot.good(owner, row.signal)
            if value is not None and (wanted is None or value == wanted):
                continue
            reading = snapshot.read(owner, row.signal)
            if row.where_told and isinstance(reading, Missing):
                continue
            blocks.append(
                Block(
                    owner=owner,
                    row=row.id,
                    action=row.action,
                    text=row.text,
                    known=isinstance(reading, Good),
                    of_battery=row.of_battery,
                )
            )
        return tuple(blocks)


def _value(wanted: Wanted, unit: StorageUnit) -> float | None:
    return wanted(unit) if callable(wanted) else wanted
