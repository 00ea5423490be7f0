"""The faults of devices as a table: what is wrong, what has to follow, and how soon."""
