"""The interlock manager says what the rows of the interlock table block now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast.core.config import Site, StorageUnit
from holdfast.core.data_store import Snapshot
from holdfast.core.reading import Bad, Good, Missing, Reading
from holdfast.core.role import Role
from holdfast.core.signals import SIGNALS, SITE, Signal
from holdfast.safety.envelope import Envelope
from holdfast.safety.interlocks import INTERLOCKS, Action, InterlockRow, Wanted

_CLOSES_CHARGE = frozenset({Action.POWER, Action.CHARGE})
_CLOSES_DISCHARGE = frozenset({Action.POWER, Action.DISCHARGE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Names an action that may not happen now, and the row that says so."""

    owner: str
    row: str
    action: Action
    text: str
    known: bool = True
    """The value is known, and it is wrong. False: it is not known."""
    of_battery: bool = False
    """Says whether this is the battery's own protection."""

    @property
    def on_island(self) -> bool:
        """Says whether it blocks discharge on an islanded site too.

        What cannot be seen drops no load, unless it is what protects the battery. What is seen
        to be wrong carries none: no power flows through an open contactor.
        """
        return self.known or self.of_battery

    def narrow(self, envelope: Envelope, *, islanded: bool) -> Envelope:
        """Returns what is left of ``envelope``; an end that is closed bears the name of the row."""
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
            for unit in _units_of(row, site)
        ]

    def assess(self, snapshot: Snapshot) -> tuple[Block, ...]:
        """Returns everything that is blocked. A value that is not good blocks."""
        blocks = []
        for owner, row, wanted in self._checks:
            value = snapshot.good(owner, row.signal)
            if value is not None and (wanted is None or value == wanted):
                continue
            reading = snapshot.read(owner, row.signal)
            if row.where_told and isinstance(reading, Missing):
                continue
            known = isinstance(reading, Good)
            says = known or wanted is None
            blocks.append(
                Block(
                    owner=owner,
                    row=row.id,
                    action=row.action,
                    text=row.text if says else _not_known(row.signal, reading),
                    known=known,
                    of_battery=row.of_battery,
                )
            )
        return tuple(blocks)


def _units_of(row: InterlockRow, site: Site) -> Sequence[StorageUnit]:
    """Returns the units for which a row holds; of the site's own signals that is one."""
    of_contactor = row.action is Action.CONNECT or SIGNALS[row.signal].producer is Role.RELAYS
    units = [unit for unit in site.storage if unit.has_contactor or not of_contactor]
    return units[:1] if SIGNALS[row.signal].of_site else units


def _not_known(signal: Signal, reading: Reading) -> str:
    why = f": {reading.reason}" if isinstance(reading, Bad) else ""
    return f"the {SIGNALS[signal].name} is not known{why}"


def _value(wanted: Wanted, unit: StorageUnit) -> float | None:
    return wanted(unit) if callable(wanted) else wanted
