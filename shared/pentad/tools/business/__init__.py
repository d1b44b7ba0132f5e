"""Tools for systems of record: customers, orders, appointments."""
