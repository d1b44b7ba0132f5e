"""Tools for forms and figures."""
