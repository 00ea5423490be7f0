"""Each module is a step from one layout of the history to the next; Alembic runs them in order."""
