"""Calendars of vendors, and of any server that speaks CalDAV."""
