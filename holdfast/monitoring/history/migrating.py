"""Alembic brings a history to this release's layout; it takes 11 MB, so who has nothing to migrate
does not load this."""

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from holdfast.monitoring.history import migrations


def migrate(connection: Connection, current: str | None) -> bool:
    """Takes the steps after ``current``, the layout that is there; False if it is not one of ours.

    Raises SQLAlchemyError.
    """
    script = steps_of_history()
    if current is not None and not _is_known(script, current):
        return False
    context = MigrationContext.configure(connection)
    try:
        steps = list(script.iterate_revisions("head", current or "base"))
    except CommandError as error:
        raise SQLAlchemyError(str(error)) from error
    with Operations.context(context):
        for step in reversed(steps):
            step.module.upgrade()
            context.stamp(script, step.revision)
    return True


def steps_of_history() -> ScriptDirectory:
    """Returns all steps."""
    folder = str(Path(migrations.__file__).parent)
    return ScriptDirectory(folder, version_locations=[folder])


def _is_known(script: ScriptDirectory, revision: str) -> bool:
    try:
        return script.get_revision(revision) is not None
    except CommandError:
        return False
