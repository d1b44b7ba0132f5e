"""What acts are done to, beside runs: each has a chain of its own in the audit."""

KEYS = "keys"
BUDGETS = "budgets"
REDRIVES = "redrives"
DOCUMENTS = "documents"
SESSIONS = "sessions"
MEMORY = "memory"
USERS = "users"
SWITCHES = "switches"
BREAKERS = "breakers"
OF_TENANTS = (KEYS, BUDGETS, DOCUMENTS, SESSIONS, MEMORY, USERS, REDRIVES)
OF_NOBODY = (SWITCHES, BREAKERS)
"""They are the deployment's, and no tenant's."""
BY_OPERATORS = (KEYS, BUDGETS, REDRIVES, SWITCHES, BREAKERS)
"""Operators act on these by the command line, with their own credentials; no function's log tells of it."""
