"""Units of measurement with exact factors."""
