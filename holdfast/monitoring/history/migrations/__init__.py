"""Each module is a step from one layout of the history to the next; Alembic runs them in order.

The release before must be able to work with what a step makes, else nobody can go back to it: a
step only adds, and is called ``0002_for_0001``. What nobody needs any more goes a release later.
"""

NEWEST = "0001"
"""The revision of the last of them, so that nobody needs Alembic to know that nothing is to do."""
