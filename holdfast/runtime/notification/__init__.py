"""What carries notices to people, and remembers what came of it."""
