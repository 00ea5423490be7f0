"""The memory is what a planner knows beside the history, as bytes: it outlives the planner."""

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import TypeAdapter
from pydantic_core import to_json

from holdfast.core.plan import ROOM_C
from holdfast.scheduling.full_charge import FullChargeMemory
from holdfast.scheduling.loads.progress import LoadsNow
from holdfast.scheduling.peaks import KEPT_PERIODS

_MOST = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannerMemory:
    """Holds loads, rooms and mode; the highest import so far, in W, by the period's name; and when
    the battery was last full."""

    loads_now: LoadsNow = field(default_factory=LoadsNow)
    peaks_w: dict[str, float] = field(default_factory=dict)
    full_charge: FullChargeMemory = field(default_factory=FullChargeMemory)


_ADAPTER = TypeAdapter(PlannerMemory)


def encode(memory: PlannerMemory) -> bytes:
    """Returns the bytes that :func:`decode` reads."""
    return to_json(memory)


def decode(content: bytes) -> PlannerMemory:
    """Reads what :func:`encode` wrote. Raises ValueError for anything else."""
    memory = _ADAPTER.validate_json(content)
    now = memory.loads_now
    amounts = [state.delivered_wh for state in now.loads.values()] + list(memory.peaks_w.values())
    if not all(0.0 <= amount < _MOST for amount in amounts):
        raise ValueError("holds an amount that cannot be")
    if not all(ROOM_C[0] <= room.temperature_c <= ROOM_C[1] for room in now.rooms.values()):
        raise ValueError("holds a temperature that cannot be")
    times: list[datetime] = [state.window_end for state in now.loads.values()]
    times += [room.utc for room in now.rooms.values()]
    times += [] if now.mode is None else [now.mode.since]
    full = memory.full_charge
    kept = (full.counted_from, full.full_since, full.start, full.end)
    times += [time for time in kept if time is not None]
    if any(time.tzinfo is None for time in times):
        raise ValueError("holds a time without a zone")
    if len(memory.peaks_w) > KEPT_PERIODS:
        raise ValueError(f"holds more than {KEPT_PERIODS} periods")
    return memory
