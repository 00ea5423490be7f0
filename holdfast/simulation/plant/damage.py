"""The plant knows what a real battery would not have survived unharmed: its damage."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from holdfast.core.config import BatteryHardware


class DamageKind(StrEnum):
    """Tells what can be damaged, and by what."""

    CELL_OVER_VOLTAGE = "cell_over_voltage"
    CELL_UNDER_VOLTAGE = "cell_under_voltage"
    COLD_CHARGE = "cold_charge"
    """Charging below the lowest charge temperature plates lithium."""
    OVER_CURRENT = "over_current"
    OVER_TEMPERATURE = "over_temperature"
    CONTACTOR_BREAK = "contactor_break"
    """The main contactor opened above its break current."""
    CONTACTOR_INRUSH = "contactor_inrush"
    """The main contactor closed onto a link that was not charged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DamageLevels:
    """Beyond these a unit is damaged; they are absolute values of the data sheet."""

    cell_voltage_max_v: float = 3.65
    cell_voltage_min_v: float = 2.5
    charge_temperature_min_c: float = 0.0
    temperature_max_c: float = 60.0
    charge_current_max_a: float
    discharge_current_max_a: float
    break_current_a: float
    cold_charge_current_a: float = 0.5
    """Less than this does not count as charging."""
    current_margin: float = 1.1
    """It multiplies the data sheet's current; a regulator's ripple does no damage."""
    inrush_share: float = 0.1
    """It is the share of the pack's voltage over the contacts as they close.

    They are rated 50,000 times at this much, and 50 times at twice as much (data sheet DEVR40).
    """

    @classmethod
    def of(cls, battery: BatteryHardware) -> Self:
        """Returns those of a battery's data sheet."""
        return cls(
            cell_voltage_max_v=battery.cell_voltage_max_v,
            cell_voltage_min_v=battery.cell_voltage_min_v,
            charge_temperature_min_c=battery.charge_temperature_min_c,
            temperature_max_c=battery.discharge_temperature_max_c,
            charge_current_max_a=battery.charge_current_max_a,
            discharge_current_max_a=battery.discharge_current_max_a,
            break_current_a=battery.contactor_break_current_a,
        )


class Damage:
    """Counts episodes of damage at one unit: entering a condition counts once."""

    def __init__(self) -> None:
        self.counts: dict[DamageKind, int] = {}
        """They tell how often each kind began; kinds that never did are absent."""
        self.first_s: dict[DamageKind, float] = {}
        """It is the plant time of the first episode of each kind."""
        self._active: set[DamageKind] = set()

    def __bool__(self) -> bool:
        return bool(self.counts)

    @property
    def total(self) -> int:
        """Returns the number of episodes of all kinds."""
        return sum(self.counts.values())

    def observe(self, kind: DamageKind, time_s: float, *, present: bool) -> None:
        """Takes in whether the condition for ``kind`` holds at ``time_s``."""
        if not present:
            self._active.discard(kind)
        elif kind not in self._active:
            self._active.add(kind)
            self.once(kind, time_s)

    def once(self, kind: DamageKind, time_s: float) -> None:
        """Counts an event that has no duration."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        self.first_s.setdefault(kind, time_s)
