"""The faults of devices are a table: what is wrong, what has to follow, and how soon."""
