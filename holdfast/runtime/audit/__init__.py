"""This package writes the audit log to the disk, keeps it within bounds, and reads it."""
