"""What happened in a run is taken down, so that it can be drawn."""

from holdfast.core.units import s_from_ns
from holdfast.simulation.plant.storage import StoragePlant

_EVERY = 5
"""Of so many cycles one is taken down."""


class Trace:
    """Holds time, setpoint, power and the voltages of a run's cells."""

    def __init__(self, began_ns: int) -> None:
        self._began_ns = began_ns
        self._cycles = 0
        self.points: list[tuple[float, float, float, float, float]] = []
        """Each is (time s, setpoint W, power W, lowest cell V, highest cell V)."""

    def take(self, now_ns: int, setpoint_w: float, unit: StoragePlant) -> None:
        """Takes down one cycle."""
        self._cycles += 1
        if self._cycles % _EVERY == 1:
            cells = unit.cells
            self.points.append(
                (
                    s_from_ns(now_ns - self._began_ns),
                    setpoint_w,
                    unit.inverter.power_w,
                    cells.voltage_min_v,
                    cells.voltage_max_v,
                )
            )
