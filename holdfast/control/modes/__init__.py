"""Each mode is a small pure function from a view to what it asks: one file, one row in the table.

A mode only asks. Limits at the meter, the reserve and the safety path come after it.
"""
