"""A release is the same bytes each time; it tells what is in it, where it comes from, by whom."""
