"""A layout of the history is one that the release before can work with: else nobody goes back."""

import shutil
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from holdfast.monitoring.history import database, migrating, migrations
from holdfast.monitoring.history.database import (
    HistoryError,
    is_whole,
    layout,
    layout_of,
    open_to_write,
)
from holdfast.monitoring.history.place import HistoryPlace

STEP = """\
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "0001"
branch_labels = None
depends_on = None

def upgrade():
    op.create_table("more", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO series (key, unit, first_s, last_s) VALUES ('new', 'W', 0, 0)")
    {last}
"""


@pytest.fixture
def place(tmp_path: Path) -> HistoryPlace:
    place = HistoryPlace.in_file(tmp_path / "history.db")
    open_to_write(place).dispose()
    return place


def release(folder: Path, monkeypatch: pytest.MonkeyPatch, revision: str, last: str) -> None:
    """Makes this the next release, which has one more step."""
    steps = folder / "steps"
    shutil.copytree(Path(migrations.__file__).parent, steps)
    (steps / "m0002_more.py").write_text(STEP.format(revision=revision, last=last))
    there = SimpleNamespace(__file__=str(steps / "x.py"), NEWEST=revision)
    for module in (database, migrating):
        monkeypatch.setattr(module, "migrations", there)


def tables(place: HistoryPlace) -> set[str]:
    assert place.file is not None
    connection = sqlite3.connect(place.file)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    finally:
        connection.close()


def test_the_release_before_goes_on_with_what_the_next_one_has_added_to(
    place: HistoryPlace, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as next_release:
        release(tmp_path, next_release, "0002_for_0001", "")
        assert (layout().number, layout().since) == (2, 1)
        open_to_write(place).dispose()
    assert "more" in tables(place)
    engine = open_to_write(place)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE series SET unit = 'V'")
    engine.dispose()
    with pytest.MonkeyPatch.context() as next_release:
        shutil.rmtree(tmp_path / "steps")
        release(tmp_path, next_release, "0002_for_0001", "")
        open_to_write(place).dispose()  # and forward once more


def test_a_step_that_fails_half_way_leaves_all_as_it_was(
    place: HistoryPlace, tmp_path: Path
) -> None:
    before = tables(place)
    with pytest.MonkeyPatch.context() as next_release:
        release(tmp_path, next_release, "0002_for_0001", 'op.execute("no SQL")')
        with pytest.raises(HistoryError, match="syntax error"):
            open_to_write(place)
    assert tables(place) == before
    engine = open_to_write(place)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM series").scalar_one() == 0
    engine.dispose()
    assert place.file is not None
    assert is_whole(place.file)


def test_every_step_is_one_that_the_release_before_can_work_with() -> None:
    revisions = [step.revision for step in migrating.steps_of_history().walk_revisions()][::-1]
    assert revisions[-1] == migrations.NEWEST
    numbers = [layout_of(revision) for revision in revisions]
    assert [found.number for found in numbers] == list(range(1, len(numbers) + 1))
    assert all(found.since < found.number for found in numbers[1:])


@pytest.mark.parametrize("revision", [None, "", "2", "0002_for_", "abcd", "9999"])
def test_what_nobody_can_know_is_no_layout_of_ours(revision: str | None) -> None:
    assert layout_of(revision).since > layout().number
