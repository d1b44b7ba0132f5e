"""Appointments: CalDAV servers and Google Calendar."""
