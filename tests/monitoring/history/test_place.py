"""Where a history is: a file of its own, or a database whose password stands in no file."""

from pathlib import Path

import pytest

from holdfast.core.config.history import History
from holdfast.core.errors import ConfigError
from holdfast.monitoring.history.place import HistoryPlace

FILE = Path("/state/history.db")
SERVER = History(url="postgresql+psycopg://me@server/site", password_env="DB_PASSWORD")


def test_without_a_url_it_is_a_file_with_its_backup_beside_it() -> None:
    place = HistoryPlace.of(History(), FILE, {})
    assert (place.file, place.backup) == (FILE, Path("/state/history-backup.db"))
    assert str(place) == "/state/history.db"


def test_a_file_elsewhere_is_a_file_too() -> None:
    place = HistoryPlace.of(History(url="sqlite:////data/past.db"), FILE, {})
    assert (place.file, place.backup) == (Path("/data/past.db"), Path("/data/past-backup.db"))


def test_a_password_is_used_and_never_shown() -> None:
    place = HistoryPlace.of(SERVER, FILE, {"DB_PASSWORD": "s3cret"})
    assert place.url.password == "s3cret"
    assert (place.file, place.backup) == (None, None)
    assert "s3cret" not in str(place)


@pytest.mark.parametrize("environ", [{}, {"DB_PASSWORD": ""}])
def test_a_password_that_is_not_there_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"history\.password_env: .* DB_PASSWORD is not set"):
        HistoryPlace.of(SERVER, FILE, environ)


def test_a_url_that_cannot_be_understood_is_told_with_its_key() -> None:
    with pytest.raises(ConfigError, match=r"history\.url: "):
        HistoryPlace.of(History(url="postgresql://server:port/site"), FILE, {})
