"""Each module is a step from one layout of the history to the next; Alembic runs them in order."""

NEWEST = "0001"
"""The revision of the last of them, so that nobody needs Alembic to know that nothing is to do."""
