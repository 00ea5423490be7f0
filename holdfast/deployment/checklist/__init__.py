"""The checklist says what has to be seen at a site before it may do more, and who has seen it."""
