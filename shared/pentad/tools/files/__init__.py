"""Files that tools keep for a tenant, in a versioned bucket."""
