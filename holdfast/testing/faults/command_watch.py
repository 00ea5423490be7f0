"""Each command is checked against what the plant truly bears, which Holdfast only hears of.

What a permit does not cover may never be written. What the cells do not bear any more may be
commanded for no longer than it takes until Holdfast has to know it.
"""

from holdfast.control.cycle import CycleRecord
from holdfast.core.commands import Point
from holdfast.core.config import StorageUnit
from holdfast.core.state_machine import State
from holdfast.core.units import s_from_ns
from holdfast.simulation.plant.storage import StoragePlant

KNOWN_AFTER_S = 6.0
"""What a silent BMS does not tell ends the power after 5.27 s, at 0 W half a second later."""
_MARGIN = 1.05
_STEP_W = 1.0
"""A register holds whole watts."""
_SMALL_W = 100.0
"""So much more is no other command: registers and efficiencies are rounded."""


class CommandWatch:
    """Counts commands outside of what is permitted, and says which."""

    def __init__(self, config: StorageUnit) -> None:
        self._config = config
        self._beyond_ns: int | None = None
        self.outside: list[str] = []

    def look(
        self, plant: StoragePlant, record: CycleRecord, now_ns: int, *, told_true: bool
    ) -> None:
        """Looks at one cycle; ``told_true`` says whether the BMS tells what it knows."""
        self._look_at_writes(record, now_ns)
        commanded_w = plant.inverter.setpoint_w if plant.inverter.enabled else 0.0
        if not plant.contactor.commanded or self._is_borne(plant, commanded_w, told_true=told_true):
            self._beyond_ns = None
        elif self._beyond_ns is None:
            self._beyond_ns = now_ns
        elif s_from_ns(now_ns - self._beyond_ns) > KNOWN_AFTER_S:
            self._beyond_ns = now_ns
            self.outside.append(
                f"{commanded_w:.0f} W for {KNOWN_AFTER_S:g} s, with cells of "
                f"{plant.cells.voltage_min_v:.3f} to {plant.cells.voltage_max_v:.3f} V and "
                f"{plant.cells.temperature_min_c:.1f} to {plant.cells.temperature_max_c:.1f} °C"
            )

    def _look_at_writes(self, record: CycleRecord, now_ns: int) -> None:
        unit = self._config
        permit = record.permits[unit.name]
        runs = record.moved.state is State.RUNNING
        for write in record.writes:
            match write.point:
                case Point.SETPOINT_W:
                    within = -unit.discharge_power_max_w <= write.value <= unit.charge_power_max_w
                    ends = permit.envelope
                    inside = ends.min_w - _STEP_W <= write.value <= ends.max_w + _STEP_W
                    allowed = (inside and permit.is_fresh(now_ns)) or write.value == 0.0
                    if not (within and allowed and (runs or write.value == 0.0)):
                        self.outside.append(f"setpoint {write.value:.0f} W outside its permit")
                case Point.ENABLE if write.value != 0.0 and not (runs and permit.may_run):
                    self.outside.append("power stage switched on outside its permit")
                case Point.CONTACTOR if write.value != 0.0 and not (runs and permit.may_connect):
                    self.outside.append("contactor closed outside its permit")

    def _is_borne(self, plant: StoragePlant, power_w: float, *, told_true: bool) -> bool:
        levels, cells, bms = plant.levels, plant.cells, plant.bms
        if abs(power_w) <= _SMALL_W:
            return True
        cool = cells.temperature_max_c <= levels.temperature_max_c
        if power_w > 0.0:
            warm = cells.temperature_min_c >= levels.charge_temperature_min_c
            room = cells.voltage_max_v <= levels.cell_voltage_max_v
            most_a = bms.charge_limit_a if told_true else levels.charge_current_max_a
        else:
            warm, room = True, cells.voltage_min_v >= levels.cell_voltage_min_v
            most_a = bms.discharge_limit_a if told_true else levels.discharge_current_max_a
        within = abs(power_w) <= most_a * cells.voltage_v * _MARGIN + _SMALL_W
        return cool and warm and room and within
