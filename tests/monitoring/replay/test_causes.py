"""What makes an incident of a cycle: power that has to end, told once."""

from holdfast.core.commands import Command
from holdfast.core.latches import Latches
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.monitoring.replay.causes import CauseFinder, FoundCause
from tests.builders import Bench


class FindingBench(Bench):
    """A bench that looks for causes in each of its cycles."""

    def __init__(self) -> None:
        super().__init__()
        self.finder = CauseFinder()
        self.found: list[FoundCause] = []

    def look(self, *commands: Command, cycles: int = 1, dt_s: float = 0.02) -> None:
        """Runs cycles, the first one with ``commands``."""
        for _ in range(cycles):
            before = self.state.machine
            record = self.step(*commands, dt_s=dt_s)
            commands = ()
            found = self.finder.find(before, record)
            self.found += [] if found is None else [found]


def running() -> FindingBench:
    bench = FindingBench()
    bench.start()
    bench.look(cycles=5)
    assert bench.found == []
    return bench


def test_a_site_that_boots_starts_and_is_stopped_has_none() -> None:
    bench = FindingBench()
    bench.look(cycles=20)
    bench.look(Command.START, cycles=5)
    bench.look(Command.STOP, cycles=5)
    assert bench.found == []


def test_a_trip_is_one_with_all_that_tripped() -> None:
    bench = running()
    bench.set(Signal.CELL_VOLTAGE_MAX_V, 3.75)
    bench.look(cycles=100)
    assert bench.state.machine is State.ERROR
    (found,) = (one for one in bench.found if one.latches)
    assert found.cause.row == "cell_voltage_high"
    assert found.cause.text.startswith("RUNNING to ERROR: battery: cell_voltage_max_v above")


def test_an_emergency_stop_is_one_in_every_state_with_who_asked() -> None:
    bench = FindingBench()
    bench.look()
    bench.look(Command.EMERGENCY_STOP, cycles=5)
    (found,) = bench.found
    assert (found.cause.row, found.latches) == ("emergency_stop", True)
    assert "to STOPPED: " in found.cause.text


def test_what_takes_the_power_is_one_in_running_alone_and_once() -> None:
    bench = running()
    bench.set(Signal.GRID_POWER_W, None, SITE)
    bench.look(cycles=300)
    assert bench.state.machine is State.RUNNING
    (found,) = bench.found
    assert not found.latches
    assert found.cause.text.startswith("site: ")
    bench = FindingBench()
    bench.set(Signal.GRID_POWER_W, None, SITE)
    bench.look(cycles=300)
    assert bench.found == []


def test_what_comes_again_is_told_again() -> None:
    bench = running()
    for _ in range(2):
        bench.set(Signal.GRID_POWER_W, None, SITE)
        bench.look(cycles=300)
        bench.set(Signal.GRID_POWER_W, 0.0, SITE)
        bench.look(cycles=3000)
        assert bench.state.machine is State.RUNNING
    assert [found.cause.row for found in bench.found] == [bench.found[0].cause.row] * 2


def test_what_was_latched_before_the_start_is_none() -> None:
    for latches in (Latches(emergency_stop=True), Latches(faults=("battery/cell_voltage_high",))):
        bench = FindingBench()
        bench.state = type(bench.state)(latches=latches)
        bench.look(cycles=20)
        assert bench.state.machine in {State.ERROR, State.STOPPED}
        assert bench.found == []


def test_a_gap_between_cycles_is_one() -> None:
    bench = running()
    bench.look(dt_s=30.0)
    (found,) = bench.found
    assert found.latches
    assert "cycle_gap" in found.cause.text
