"""This module names the actions that an interlock blocks now, or lets wait."""

from collections.abc import Iterator, Mapping

from holdfast.control.cycle import CycleRecord, CycleState
from holdfast.core.signals import SITE, Signal
from holdfast.core.state_machine import State
from holdfast.devices.contactor.memory import waits_to_open
from holdfast.monitoring.status.schema import BlockStatus
from holdfast.safety.interlocks import UNDER_LOAD, Action

_ASKED_FOR: Mapping[State, frozenset[Action]] = {
    State.BOOT: frozenset({Action.START}),
    State.IDLE: frozenset({Action.START}),
    State.RUNNING: frozenset(Action) - {Action.START},
}
"""A state may do so much: where nothing is asked for, nothing is blocked."""


def present_blocks(state: CycleState, record: CycleRecord) -> Iterator[BlockStatus]:
    """Yields, after a cycle, what is blocked of what its state asks for, and what waits to open."""
    asked_for = _ASKED_FOR.get(record.moved.state, frozenset())
    open_units = {
        unit
        for unit in record.permits
        if record.snapshot.good(unit, Signal.CONTACTOR_CLOSED) != 1.0
    }
    for block in record.assessment.blocks:
        closed = block.owner not in open_units if block.owner != SITE else not open_units
        if block.action in asked_for and not (block.action is Action.CONNECT and closed):
            yield BlockStatus(
                owner=block.owner, row=block.row, action=block.action, text=block.text
            )
    for unit, memory in state.units.items():
        if waits_to_open(memory.relays):
            yield BlockStatus(
                owner=unit, row=UNDER_LOAD.id, action=UNDER_LOAD.action, text=UNDER_LOAD.text
            )
