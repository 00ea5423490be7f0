"""This package shows the site to the outside: the controller's status, and its metrics."""
