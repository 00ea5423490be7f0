"""The goals of protection stand in one table; who guards each follows from what devices tell.

A goal is watched by Holdfast where devices tell what that takes, or guarded by a device itself,
whose table says so with its source. What nobody guards bounds the site's authority, unless its
owner accepts that in words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum, auto

from holdfast.core.signals import SIGNALS, Signal
from holdfast.safety.faults import FAULTS
from holdfast.safety.interlocks import INTERLOCKS
from holdfast.safety.limits import ALL_LIMITS


class Authority(IntEnum):
    """Orders what site.yaml may give Holdfast authority for."""

    OBSERVE = auto()
    LIMITED = auto()
    FULL = auto()

    @property
    def key(self) -> str:
        """Returns it as site.yaml names it."""
        return self.name.lower()


class Goal(StrEnum):
    """Names what has to be guarded; the table below says what each one means."""

    CELL_OVERVOLTAGE = "cell_overvoltage"
    CELL_UNDERVOLTAGE = "cell_undervoltage"
    OVERCURRENT = "overcurrent"
    COLD_CHARGING = "cold_charging"
    OVERHEATING = "overheating"
    UNWANTED_POWER = "unwanted_power"
    DISCONNECTION = "disconnection"
    LOST_CONTROLLER = "lost_controller"
    UNDERSTOOD = "understood"
    INSULATION = "insulation"
    EMERGENCY_STOP = "emergency_stop"
    MAIN_FUSE = "main_fuse"
    EXPORT_LIMIT = "export_limit"
    GRID_FAULT = "grid_fault"
    SUPPLY_IN_OUTAGE = "supply_in_outage"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalRow:
    """Says what a goal is, what it takes to watch it, and what follows where nobody guards it."""

    of_site: bool
    text: str
    needs: frozenset[Signal]
    """All of them must be told for it to be watched (where there are none, no signal tells it),"""
    boxes: int
    """by at least so many boxes: one that lies cannot be its own witness."""
    rows: tuple[str, ...]
    """Names the limits, faults and interlocks that watch it."""
    unguarded: Authority
    """The highest authority while nobody guards it."""
    accepted: Authority
    """The highest authority once the owner has accepted that;"""
    second_way: Goal | None
    """no more than limited, unless this one is guarded all the same."""


_S, _G = Signal, Goal
_OBSERVE, _LIMITED, _FULL = Authority
_UNIT, _SITE = False, True
_BATTERY_FLOW = (_S.BATTERY_POWER_W, _S.BATTERY_CURRENT_A, _S.PACK_VOLTAGE_V, _S.GRID_POWER_W)

# fmt: off
GOALS: dict[Goal, GoalRow] = {
    goal: GoalRow(
        of_site=of_site, needs=frozenset(needs), boxes=boxes, rows=rows,
        unguarded=unguarded, accepted=accepted, second_way=second, text=text,
    )
    for goal, of_site, needs, boxes, rows, unguarded, accepted, second, text in (
        # goal                 of     needs                              boxes rows                                                            unguarded accepted  second way         what it is: that
        (_G.CELL_OVERVOLTAGE,   _UNIT, (_S.CELL_VOLTAGE_MAX_V,),            1,    ("cell_voltage_high",),                                          _LIMITED, _FULL,    None,              "no cell is charged beyond its highest voltage"),
        (_G.CELL_UNDERVOLTAGE,  _UNIT, (_S.CELL_VOLTAGE_MIN_V,),            1,    ("cell_voltage_low",),                                           _LIMITED, _FULL,    None,              "no cell is discharged below its lowest voltage"),
        (_G.OVERCURRENT,        _UNIT, (_S.BATTERY_CURRENT_A,),             1,    ("charge_current_high", "discharge_current_high"),               _OBSERVE, _OBSERVE, None,              "the battery carries no more than its rated currents"),
        (_G.COLD_CHARGING,      _UNIT, (_S.CELL_TEMPERATURE_MIN_C,),        1,    ("charge_temperature_low", "discharge_temperature_low"),         _OBSERVE, _OBSERVE, None,              "a cold battery is not charged"),
        (_G.OVERHEATING,        _UNIT, (_S.CELL_TEMPERATURE_MAX_C,),        1,    ("cell_temperature_high", "charge_temperature_high"),            _OBSERVE, _OBSERVE, None,              "a hot battery rests"),
        (_G.UNWANTED_POWER,     _UNIT, _BATTERY_FLOW,                       2,    ("over_delivery", "wrong_sign", "power_unseen"),                 _LIMITED, _FULL,    None,              "power that nobody asked for is seen by two who do not share a cause"),
        (_G.DISCONNECTION,      _UNIT, (_S.CONTACTOR_CLOSED,),              1,    ("contactor_open", "contactor_confirmed"),                       _LIMITED, _FULL,    None,              "the battery can be taken off an inverter that does not obey"),
        (_G.LOST_CONTROLLER,    _UNIT, (_S.REVERT_TIMEOUT_READBACK_S,),     1,    ("revert_timer_armed",),                                         _OBSERVE, _FULL,    _G.DISCONNECTION,  "the inverter goes to 0 W by itself when nobody commands it"),
        (_G.UNDERSTOOD,         _UNIT, (),                                  1,    (),                                                              _OBSERVE, _LIMITED, None,              "its devices do what their tables say, as somebody has seen on such hardware"),
        (_G.INSULATION,         _UNIT, (_S.INSULATION_KOHM,),               1,    ("insulation_low",),                                             _FULL,    _FULL,    None,              "the pack is insulated from earth"),
        (_G.EMERGENCY_STOP,     _SITE, (_S.EMERGENCY_LOOP_CLOSED,),         1,    ("emergency_loop_closed",),                                      _LIMITED, _FULL,    None,              "a button at the site stops it"),
        (_G.MAIN_FUSE,          _SITE, (_S.GRID_POWER_W,),                  1,    ("grid_import_high",),                                           _OBSERVE, _OBSERVE, None,              "the site imports no more than its main fuse carries"),
        (_G.EXPORT_LIMIT,       _SITE, (_S.GRID_POWER_W,),                  1,    ("grid_export_high",),                                           _OBSERVE, _OBSERVE, None,              "the battery exports no more than is permitted"),
        (_G.GRID_FAULT,         _SITE, (_S.GRID_VOLTAGE_V, _S.GRID_FREQUENCY_HZ), 1,    ("grid_voltage_high", "grid_voltage_low", "grid_frequency_high", "grid_frequency_low"), _FULL,    _FULL,    None,              "nothing is fed into a grid outside its bounds, which each inverter has to see to by itself as well"),
        (_G.SUPPLY_IN_OUTAGE,   _UNIT, (),                                  1,    (),                                                              _LIMITED, _FULL,    None,              "a command of ours does not leave the house dark while the grid is away"),
    )
}
# fmt: on
"""What cannot be accepted every site has to tell anyway (:mod:`holdfast.devices.roles`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHoldfast:
    """Holdfast watches it, by these rows of its tables."""

    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDevice:
    """A device guards it by itself, as its table says."""

    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Nobody guards it, and the owner has accepted that."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Nobody:
    """Nobody guards it."""

    why: str


Guard = ByHoldfast | ByDevice | Accepted | Nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Holds what is known of one owner, a storage unit or the site."""

    told_by: Mapping[Signal, str]
    """Names the box that tells each signal, if it is sure to tell it."""
    guarded: Mapping[Goal, str]
    """Says what devices guard by themselves, each with its source."""
    accepted: Mapping[Goal, str]
    """Says what the owner accepts, and why."""
    disproven: Mapping[Goal, str] = field(default_factory=dict)
    """Says what devices were seen not to do: neither they nor what they tell guards it."""
    unguarded: Mapping[Goal, str] = field(default_factory=dict)
    """Says why nobody guards a goal, where a table says that in words."""
    ends_with_us: frozenset[Goal] = frozenset()
    """Names what nobody guards in time once the controller hangs: it is no second way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assurance:
    """Says who guards one goal of one owner, and the authority that this permits at most."""

    owner: str
    goal: Goal
    guard: Guard
    permits: Authority


def assure(owner: str, facts: Facts, *, of_site: bool) -> tuple[Assurance, ...]:
    """Returns who guards each goal of ``owner``, in the order of the table."""
    guards = {goal: _guard(goal, facts) for goal, row in GOALS.items() if row.of_site == of_site}
    return tuple(
        Assurance(owner=owner, goal=goal, guard=guard, permits=_permitted(goal, guards, facts))
        for goal, guard in guards.items()
    )


def _guard(goal: Goal, facts: Facts) -> Guard:
    row, disproven = GOALS[goal], facts.disproven.get(goal)
    if disproven is not None:
        is_accepted = goal in facts.accepted
        return Accepted(reason=facts.accepted[goal]) if is_accepted else Nobody(why=disproven)
    boxes = {facts.told_by[signal] for signal in row.needs if signal in facts.told_by}
    lacks = [signal for signal in row.needs if signal not in facts.told_by]
    if row.needs and not lacks and len(boxes) >= row.boxes:
        return ByHoldfast(rows=row.rows)
    if goal in facts.guarded:
        return ByDevice(source=facts.guarded[goal])
    if goal in facts.accepted:
        return Accepted(reason=facts.accepted[goal])
    if lacks:
        return Nobody(why=f"no device is sure to tell {' and '.join(sorted(lacks))}")
    if boxes:
        return Nobody(why=f"{', '.join(sorted(boxes))} alone tells all of it")
    return Nobody(why=facts.unguarded.get(goal, "no table says so"))


def _permitted(goal: Goal, guards: Mapping[Goal, Guard], facts: Facts) -> Authority:
    row = GOALS[goal]
    match guards[goal]:
        case ByHoldfast() | ByDevice():
            return Authority.FULL
        case Accepted():
            second = row.second_way
            if second is None or (_is_guarded(guards[second]) and second not in facts.ends_with_us):
                return row.accepted
            return Authority.LIMITED
        case Nobody():
            return row.unguarded


def _is_guarded(guard: Guard) -> bool:
    return isinstance(guard, ByHoldfast | ByDevice)


def _check_table(rows: Mapping[Goal, GoalRow], known: Iterable[str]) -> None:
    assert tuple(rows) == tuple(Goal), "each goal has one row, in the order of their names"
    for goal, row in rows.items():
        assert set(row.rows) <= set(known), f"{goal}: watched by rows that no table has"
        assert row.unguarded <= row.accepted, f"{goal}: accepting it takes authority away"
        assert 1 <= row.boxes <= max(1, len(row.needs)), f"{goal}: cannot be watched"
        assert bool(row.needs) == bool(row.rows), f"{goal}: what watches it, and by what?"
        assert row.of_site is False or all(SIGNALS[s].of_site for s in row.needs), goal
        if row.second_way is not None:
            assert rows[row.second_way].of_site == row.of_site, f"{goal}: another's second way"
            assert row.accepted > Authority.LIMITED, f"{goal}: a second way to nothing more"


_check_table(
    GOALS,
    (*FAULTS, *(row.id for row in ALL_LIMITS), *(row.id for row in INTERLOCKS)),
)
