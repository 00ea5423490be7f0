"""The history of a site is a database: what was measured, set, found, decided, planned and paid.

The gateway's side writes it, never the controller; anybody may read it while it is written.
"""
