"""Each module here is a job: it runs in a process of its own, and is asked by standard input."""
