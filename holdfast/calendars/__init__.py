"""Calendars tell on which days and at which times something is to be, in UTC."""
