"""A spell is what held from one time to another: a state, a finding, a decision, a plan."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from holdfast.core.texts import MAX_REASON, shown
from holdfast.monitoring.history.levels import MINUTE_S
from holdfast.monitoring.status.schema import Status

MOST_FINDINGS = 200
"""So many findings are followed at a time."""


class SpellKind(StrEnum):
    """Tells what held."""

    STATE = "state"
    FINDING = "finding"
    DECISION = "decision"
    PLAN = "plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """Holds what held from ``start_s`` to ``end_s``, in s since 1970."""

    kind: SpellKind
    name: str
    """Names the state, ``owner/row`` of the finding, the source of the decision, the plan's id."""
    about: Mapping[str, str | float] = field(default_factory=dict)
    """Tells the rest; it is as it was at the start."""
    start_s: int
    end_s: int | None = None
    """It is None while it still holds."""
    times: int = 1
    """Counts how often it came and went within a minute each, and is told as one."""
    plan: bytes | None = None
    """Holds a plan as it was handed over, packed."""


def spells_of(status: Status, now_s: int) -> Iterator[Spell]:
    """Yields what holds now."""
    yield Spell(kind=SpellKind.STATE, name=status.state, start_s=now_s)
    for found in status.findings[:MOST_FINDINGS]:
        yield Spell(
            kind=SpellKind.FINDING,
            name=f"{found.owner}/{found.row}",
            about={
                "level": found.level,
                "reaction": found.reaction,
                "text": shown(found.text, MAX_REASON),
            },
            start_s=now_s,
        )
    yield Spell(
        kind=SpellKind.DECISION,
        name=status.request_source,
        about={"reason": shown(status.request_reason, MAX_REASON)},
        start_s=now_s,
    )
    if status.plan is not None:
        yield Spell(
            kind=SpellKind.PLAN,
            name=status.plan.plan_id,
            about={"status": status.plan.status, "expected_cost": status.plan.expected_cost},
            start_s=now_s,
        )


_Key = tuple[str, ...]


class SpellBook:
    """Follows what holds, and tells what has begun, changed or ended.

    What comes back within a minute goes on, so that a finding that flaps is one spell.
    """

    def __init__(self) -> None:
        self._open: dict[_Key, Spell] = {}
        self._ended: dict[_Key, Spell] = {}
        self._changed: dict[_Key, Spell] = {}

    @property
    def plan(self) -> Spell | None:
        """Returns the plan that holds; None if none does."""
        plans = (spell for spell in self._open.values() if spell.kind is SpellKind.PLAN)
        return next(plans, None)

    def take(self, holding: Iterable[Spell], now_s: int) -> None:
        """Takes in all that holds at ``now_s``; what held before and is not among it has ended."""
        self._ended = {
            key: spell
            for key, spell in self._ended.items()
            if 0 <= now_s - (spell.end_s or 0) < MINUTE_S
        }
        now = {_key(spell): spell for spell in holding}
        for key in self._open.keys() - now.keys():
            spell = self._open.pop(key)
            ended = replace(spell, end_s=max(now_s, spell.start_s))
            self._ended[key] = self._changed[key] = ended
        for key in now.keys() - self._open.keys():
            self._open[key] = self._changed[key] = self._begun(key, now[key])

    def hand_over(self, plan: bytes) -> None:
        """Adds the plan that holds, packed."""
        spell = self.plan
        if spell is not None:
            key = _key(spell)
            self._open[key] = self._changed[key] = replace(spell, plan=plan)

    def changes(self) -> tuple[Spell, ...]:
        """Returns what has changed since the last call."""
        changed, self._changed = tuple(self._changed.values()), {}
        return changed

    def _begun(self, key: _Key, spell: Spell) -> Spell:
        before = self._ended.pop(key, None)
        return spell if before is None else replace(before, end_s=None, times=before.times + 1)


def _key(spell: Spell) -> _Key:
    """A finding that gets worse is another one; its text may change with every figure in it."""
    match spell.kind:
        case SpellKind.FINDING:
            return spell.kind, spell.name, str(spell.about["level"]), str(spell.about["reaction"])
        case SpellKind.DECISION:
            return spell.kind, spell.name, str(spell.about["reason"])
        case _:
            return spell.kind, spell.name
