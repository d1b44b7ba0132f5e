"""Routes of what a tenant brings in: documents one by one, and many at once."""
