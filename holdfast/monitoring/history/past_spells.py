"""Past spells are told again: states, findings, decisions and plans between two times."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from holdfast.core.plan import Plan
from holdfast.monitoring.history.packed_plan import unpack_plan
from holdfast.monitoring.history.schema import SPELL
from holdfast.monitoring.history.spells import SpellKind


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """Holds what all of them have."""

    start: datetime
    end: datetime | None
    """None: it still holds."""
    times: int
    """Counts how often it came and went within a minute each, and is told as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastState(_Past):
    """Tells in which state the site was."""

    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastFinding(_Past):
    """Tells what was not as it should be."""

    owner: str
    row: str
    level: str
    reaction: str
    text: str
    """Tells it with the figures of its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDecision(_Past):
    """Tells who asked the batteries for their power, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPlan(_Past):
    """Tells which plan the controller held."""

    plan_id: str
    status: str
    expected_cost: float | None
    plan: Plan | None
    """Holds the plan as it was handed over; None where it is not known, or no longer kept."""


def states(connection: Connection, start_s: int, end_s: int) -> list[PastState]:
    """Returns the states between two times, in s since 1970, the oldest first."""
    return [
        PastState(**_times(row), state=row.name)
        for row in _spells(connection, SpellKind.STATE, start_s, end_s)
    ]


def findings(connection: Connection, start_s: int, end_s: int) -> list[PastFinding]:
    """Returns the findings between two times, in s since 1970, the oldest first."""
    found = []
    for row in _spells(connection, SpellKind.FINDING, start_s, end_s):
        owner, _, name = row.name.partition("/")
        found.append(PastFinding(**_times(row), owner=owner, row=name, **json.loads(row.about)))
    return found


def decisions(connection: Connection, start_s: int, end_s: int) -> list[PastDecision]:
    """Returns the decisions between two times, in s since 1970, the oldest first."""
    return [
        PastDecision(**_times(row), source=row.name, **json.loads(row.about))
        for row in _spells(connection, SpellKind.DECISION, start_s, end_s)
    ]


def plans(connection: Connection, start_s: int, end_s: int) -> list[PastPlan]:
    """Returns the plans held between two times, in s since 1970, the oldest first."""
    return [
        PastPlan(
            **_times(row),
            plan_id=row.name,
            plan=None if row.plan is None else _plan(row.plan),
            **json.loads(row.about),
        )
        for row in _spells(connection, SpellKind.PLAN, start_s, end_s)
    ]


def _spells(connection: Connection, kind: SpellKind, start_s: int, end_s: int) -> Iterator[Any]:
    yield from connection.execute(
        select(SPELL)
        .where(
            SPELL.c.kind == kind,
            SPELL.c.start_s < end_s,
            or_(SPELL.c.end_s.is_(None), SPELL.c.end_s >= start_s),
        )
        .order_by(SPELL.c.start_s, SPELL.c.name)
    )


def _times(row: Any) -> dict[str, Any]:
    end = None if row.end_s is None else datetime.fromtimestamp(row.end_s, UTC)
    return {"start": datetime.fromtimestamp(row.start_s, UTC), "end": end, "times": row.times}


def _plan(content: bytes) -> Plan | None:
    try:
        return unpack_plan(content)
    except ValueError:  # a plan of another release
        return None
