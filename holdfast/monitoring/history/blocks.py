"""Blocks are read from the database, and new values are laid over what a block has."""

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, delete, insert, select

from holdfast.monitoring.history.levels import ValueLevel
from holdfast.monitoring.history.schema import BLOCK
from holdfast.monitoring.history.value_codec import Floats, decode, encode

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeriesBlock:
    """Holds the values of one series at one level, from ``start_s`` on."""

    series: int
    start_s: int
    values: Floats


def read_blocks(
    connection: Connection, level: ValueLevel, series: Collection[int], start_s: int, end_s: int
) -> Iterator[SeriesBlock]:
    """Yields the blocks with values between two times, in s since 1970; a damaged one is a gap."""
    found = connection.execute(
        select(BLOCK.c.series, BLOCK.c.start_s, BLOCK.c.content).where(
            BLOCK.c.step_s == level.step_s,
            BLOCK.c.series.in_(series),
            BLOCK.c.start_s >= level.block_start(start_s),
            BLOCK.c.start_s < end_s,
        )
    )
    for number, at_s, content in found:
        values = _values(content, level)
        if values is None:
            _log.error("a block of series %s at %s is damaged and left out", number, at_s)
        else:
            yield SeriesBlock(series=number, start_s=at_s, values=values)


def lay_over(
    connection: Connection,
    level: ValueLevel,
    at_s: int,
    values: Mapping[int, Floats],
    decimals: Mapping[int, int],
) -> dict[int, Floats]:
    """Lays ``values`` from ``at_s`` on over the blocks of their series; returns what is there now.

    They must end within one block. Where they have a gap, what was there stays.
    """
    start_s = level.block_start(at_s)
    first = (at_s - start_s) // level.step_s
    before = read_blocks(connection, level, values.keys(), start_s, start_s + level.block_s)
    whole = {block.series: block.values for block in before}
    for number, rows in values.items():
        if number not in whole:
            whole[number] = np.full((level.rows, level.steps), np.nan)
        part = whole[number][:, first : first + rows.shape[1]]
        np.copyto(part, rows, where=~np.isnan(rows))
    connection.execute(
        delete(BLOCK).where(
            BLOCK.c.step_s == level.step_s,
            BLOCK.c.series.in_(whole.keys()),
            BLOCK.c.start_s == start_s,
        )
    )
    connection.execute(
        insert(BLOCK),
        [
            {
                "step_s": level.step_s,
                "series": number,
                "start_s": start_s,
                "content": encode(rows, np.full(level.rows, decimals[number], np.int8)),
            }
            for number, rows in whole.items()
        ],
    )
    return whole


def _values(content: bytes, level: ValueLevel) -> Floats | None:
    """Returns the values of a block; None if it is damaged."""
    try:
        values = decode(content)
    except ValueError:
        return None
    return values if values.shape == (level.rows, level.steps) else None
