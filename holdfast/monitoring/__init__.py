"""What can be seen from outside: the status that the controller publishes, and its metrics."""
