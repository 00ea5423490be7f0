"""Mutation of the safety path: every module is broken in every small way, one way at a time,
and a test has to notice. ``python -m mutants --help``.

A mutant lives in a process of its own and only in its memory: the source is never written. A
crash, a mutant that cannot even be imported and one that never ends are counted apart from a
kill. Planted mutants whose fate is known are run along; if one of them does not meet it, or a
target runs no test, the whole run has failed.
"""
