"""This module prints tables of plain text."""

from collections.abc import Iterable, Sequence


def print_columns(rows: Iterable[Sequence[str]], gap: int = 2) -> None:
    """Prints a line for each of ``rows``, with columns as wide as their widest cell.

    >>> print_columns([("from", "W"), ("Mon 12:00", "-1200")])
    from       W
    Mon 12:00  -1200
    """
    table = list(rows)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print((" " * gap).join(cells).rstrip())
