"""SQL on PostgreSQL: statements are checked, run in one bounded transaction, and undone by their old rows."""
