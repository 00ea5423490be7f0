"""What is too old goes, and what is oldest where the file would grow too large.

Quarter hours, energies and money stay for ever.
"""

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.sql.elements import ColumnElement

from holdfast.core.config.history import History
from holdfast.monitoring.history.levels import DAY_S, ValueLevel
from holdfast.monitoring.history.schema import BLOCK, SPELL

_AT_ONCE_S = 10 * DAY_S
"""No more goes at once: a clock that is wrong for an hour must not take away the years before."""


def forget(connection: Connection, config: History, now_s: int) -> None:
    """Deletes what is older than ``config`` keeps at ``now_s``, in s since 1970."""
    seconds_s = now_s - config.keep_seconds_days * DAY_S
    minutes_s = now_s - config.keep_minutes_days * DAY_S
    _forget_blocks(connection, ValueLevel.SECOND, seconds_s)
    _forget_plans(connection, seconds_s)
    _forget_blocks(connection, ValueLevel.MINUTE, minutes_s)
    _forget_spells(connection, minutes_s)


def forget_oldest(connection: Connection) -> bool:
    """Deletes the oldest day of seconds, or else of the rest; False if there is nothing left."""
    for level in (ValueLevel.SECOND, ValueLevel.MINUTE):
        oldest_s = _oldest(connection, BLOCK, BLOCK.c.step_s == level.step_s)
        if oldest_s is not None:
            before_s = oldest_s + max(DAY_S, level.block_s)
            _forget_blocks(connection, level, before_s)
            _forget_plans(connection, before_s)
            if level is ValueLevel.MINUTE:
                _forget_spells(connection, before_s)
            return True
    return False


def _forget_blocks(connection: Connection, level: ValueLevel, before_s: int) -> None:
    is_it = BLOCK.c.step_s == level.step_s
    before_s = _at_once(_oldest(connection, BLOCK, is_it), before_s)
    connection.execute(delete(BLOCK).where(is_it, BLOCK.c.start_s <= before_s - level.block_s))


def _forget_plans(connection: Connection, before_s: int) -> None:
    """That there was a plan stays; what stood in it goes."""
    has_plan = SPELL.c.plan.is_not(None)
    before_s = _at_once(_oldest(connection, SPELL, has_plan), before_s)
    connection.execute(update(SPELL).where(has_plan, SPELL.c.start_s < before_s).values(plan=None))


def _forget_spells(connection: Connection, before_s: int) -> None:
    before_s = _at_once(_oldest(connection, SPELL, SPELL.c.end_s.is_not(None)), before_s)
    connection.execute(delete(SPELL).where(SPELL.c.end_s < before_s))


def _oldest(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int | None:
    found: int | None = connection.execute(
        select(func.min(table.c.start_s)).where(condition)
    ).scalar()
    return found


def _at_once(oldest_s: int | None, before_s: int) -> int:
    return before_s if oldest_s is None else min(before_s, oldest_s + _AT_ONCE_S)
