"""What happens to the plant itself, what a technician does about it, and what it has to be like."""

import math
from collections.abc import Callable

import numpy as np

from holdfast.simulation.plant.curves import ocv_v
from holdfast.testing.faults.bench import FaultBench

REVERT_S = 5.0
"""After so long without a command the bench's inverter ends its power by itself."""
_RESISTOR_OHM = 20.0
_STEPS = 60


def keeps_its_power(bench: FaultBench) -> None:
    """The inverter goes on with what it does, whatever it is told."""
    bench.unit.inverter.runaway_w = bench.unit.inverter.power_w


def obeys_again(bench: FaultBench) -> None:
    """It does what it is told."""
    bench.unit.inverter.runaway_w = None


def starts_anew(bench: FaultBench) -> None:
    """The inverter has forgotten what it was told."""
    inverter = bench.unit.inverter
    inverter.write_enable(on=False)
    inverter.write_setpoint(0.0)
    inverter.write_revert_timeout(0.0)


def timer_is_armed(bench: FaultBench) -> bool:
    """Whether it was told all of it again, and gives power."""
    inverter = bench.unit.inverter
    return inverter.revert_timeout_s == REVERT_S and abs(inverter.power_w) > 2500.0


def welds(bench: FaultBench) -> None:
    """The contactor does not open any more."""
    bench.unit.contactor.welded = True


def welds_unseen(bench: FaultBench) -> None:
    """It does not open any more, and its feedback shows that it has."""
    contactor = bench.unit.contactor
    contactor.closed = contactor.welded = True
    contactor.feedback_stuck = False


def falls_out(bench: FaultBench) -> None:
    """It opens though nobody told it to."""
    contactor = bench.unit.contactor
    contactor.closed, contactor.stuck_open = False, True
    bench.unit.inverter.power_w = 0.0
    bench.unit.cells.interrupt()


def does_not_close(bench: FaultBench) -> None:
    """It does not close any more."""
    bench.unit.contactor.stuck_open = True


def gets_a_new_contactor(bench: FaultBench) -> None:
    """A technician has replaced it."""
    contactor = bench.unit.contactor
    contactor.welded = contactor.stuck_open = False
    contactor.feedback_stuck = None
    contactor.closed = contactor.closed and contactor.commanded


def resistor_burns(bench: FaultBench) -> None:
    """Nothing flows through the precharge resistor any more."""
    assert bench.unit.link is not None
    bench.unit.link.resistor_ohm = math.inf


def gets_a_new_resistor(bench: FaultBench) -> None:
    """A technician has replaced it."""
    assert bench.unit.link is not None
    bench.unit.link.resistor_ohm = _RESISTOR_OHM


def loop_opens(bench: FaultBench) -> None:
    """Somebody has pressed the button."""
    bench.plant.emergency_loop_closed = False


def loop_closes(bench: FaultBench) -> None:
    """Somebody has released it."""
    bench.plant.emergency_loop_closed = True


def opens_the_pack(bench: FaultBench) -> None:
    """The pack opens its own contactor."""
    bench.unit.bms.pack_open = True


def closes_the_pack(bench: FaultBench) -> None:
    """A technician closes it again."""
    bench.unit.bms.service_reset()


def grid_at(
    *, voltage_v: float = 230.0, frequency_hz: float = 50.0
) -> Callable[[FaultBench], None]:
    """The grid has this voltage and frequency."""

    def happens(bench: FaultBench) -> None:
        bench.plant.grid_voltage_v, bench.plant.grid_frequency_hz = voltage_v, frequency_hz

    return happens


def one_cell_away(ampere_s: float) -> Callable[[FaultBench], None]:
    """One cell is so many ampere-seconds away from being damaged, in the way that power flows.

    The battery protects nothing by itself: what is seen here is what Holdfast does.
    """

    def happens(bench: FaultBench) -> None:
        cells, levels = bench.unit.cells, bench.unit.levels
        charges = cells.current_a > 0.0
        bound_v = levels.cell_voltage_max_v if charges else levels.cell_voltage_min_v
        drop_v = cells.cell_voltage_v[0] - float(ocv_v(cells.soc[:1])[0])
        way = 1.0 if charges else -1.0
        soc = _soc_at(bound_v - drop_v)
        cells.soc[0] = soc - way * ampere_s / (3600.0 * float(cells.cell_capacity_ah[0]))
        bench.unit.bms.protects = False

    return happens


def one_cell_is_as_the_others(bench: FaultBench) -> None:
    """A technician has balanced the cells."""
    bench.unit.cells.soc[0] = bench.unit.cells.soc[1]
    bench.unit.bms.protects = True


def frost(bench: FaultBench) -> None:
    """The cells are about to fall below 0 °C."""
    bench.plant.ambient_c = -25.0
    bench.unit.cells.set_temperature(0.05)


def thaw(bench: FaultBench) -> None:
    """Somebody heats the room."""
    bench.plant.ambient_c = 20.0
    bench.unit.cells.set_temperature(20.0)


def _soc_at(cell_v: float) -> float:
    low, high = -0.1, 1.2
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        rises = float(ocv_v(np.array([middle]))[0]) < cell_v
        low, high = (middle, high) if rises else (low, middle)
    return low
