"""Tools for CRM, ERP and calendars."""
