"""Upkeep brings a history into its lasting form, once an hour, and keeps it small."""

from holdfast.core.config.history import History
from holdfast.monitoring.history.database import HistoryError, in_words
from holdfast.monitoring.history.retention import forget, forget_oldest
from holdfast.monitoring.history.sqlite_file import shrink, used_bytes
from holdfast.monitoring.history.store import HistoryStore

_BYTES_PER_MB = 1_000_000
_FULL = 0.97
"""From this share of its size on the oldest goes; an hour more finds room in the rest."""


def keep_up(store: HistoryStore, config: History, now_s: int) -> None:
    """Makes blocks of whole hours, and deletes what is too old or too much.

    Raises HistoryError, also where the file is too large and nothing in it may go.
    """
    store.compact(now_s)
    with in_words(store.place), store.engine.begin() as connection:
        forget(connection, config, now_s)
    if store.place.file is None:
        return  # how large another database may be is its owner's to say
    most_bytes = config.size_max_mb * _BYTES_PER_MB
    while size_of(store) > most_bytes * _FULL:
        with in_words(store.place), store.engine.begin() as connection:
            found = forget_oldest(connection)
        if not found:
            raise HistoryError(
                f"{store.place}: quarter hours and energies alone take {size_of(store)} bytes: "
                f"history.size_max_mb {config.size_max_mb} is too small"
            )
    with in_words(store.place):
        shrink(store.engine, most_bytes)


def size_of(store: HistoryStore) -> int:
    """Returns the bytes that the file uses. Raises HistoryError."""
    with in_words(store.place):
        return used_bytes(store.engine)
