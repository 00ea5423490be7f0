"""This module makes tables of Markdown, for the pages that commands print of tables of the code."""

from collections.abc import Iterator


def table_head(*columns: str) -> Iterator[str]:
    """Yields the first two lines of a table.

    >>> list(table_head("limit", "unit"))
    ['| limit | unit |', '| --- | --- |']
    """
    yield table_row(*columns)
    yield table_row(*("---" for _ in columns))


def table_row(*cells: str) -> str:
    """Returns a line of a table."""
    return f"| {' | '.join(cells)} |"
